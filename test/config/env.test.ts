// The environment: units as people write them, every mistake named, nothing half-read.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ENV_TABLE, loadEnv, readEnv } from '../../src/config/env.ts';
import { formatAddress, formatDuration, parseAddress, parseDuration, parseSize } from '../../src/config/units.ts';
import { SallyportError } from '../../src/errors.ts';

test('durations, sizes and addresses read as people write them', () => {
  const durations: [string, number | null][] = [
    ['30s', 30_000],
    ['20m', 1_200_000],
    ['500ms', 500],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    ['0', 0],
    ['30', null],
    ['', null],
    ['-5s', null],
    ['5 s', null],
    ['5w', null],
    ['1..5s', null],
    ['9999999999d9999999999d', null],
  ];
  for (const [text, value] of durations) assert.equal(parseDuration(text), value, text);
  const sizes: [string, number | null][] = [
    ['64MiB', 67_108_864],
    ['16KiB', 16_384],
    ['512B', 512],
    ['4096', 4096],
    ['1.5kib', 1536],
    ['10MB', 10_000_000],
    ['1 GiB', 1_073_741_824],
    ['1TiB', null],
    ['x', null],
    ['-1', null],
    ['', null],
  ];
  for (const [text, value] of sizes) assert.equal(parseSize(text), value, text);
  assert.deepEqual(parseAddress('127.0.0.1:6432'), { host: '127.0.0.1', port: 6432 });
  assert.deepEqual(parseAddress('[::1]:0'), { host: '::1', port: 0 });
  for (const text of [':6432', 'localhost', '::1:6432', 'localhost:70000', 'a b:1', 'http://x:1', '']) {
    assert.equal(parseAddress(text), null, text);
  }
  assert.equal(formatAddress({ host: '::1', port: 1 }), '[::1]:1');
});

test('a duration written back reads the same', () => {
  fc.assert(fc.property(fc.nat({ max: 2 ** 40 }), (ms) => parseDuration(formatDuration(ms)) === ms));
});

test('an empty environment gives every default, frozen', () => {
  const { env, mistakes } = readEnv({});
  assert.deepEqual(mistakes, []);
  assert.ok(Object.isFrozen(env));
  assert.deepEqual(env.pgListen, { host: '127.0.0.1', port: 6432 });
  assert.equal(env.maxStatementBytes, 16 * 2 ** 20);
  assert.equal(env.idleTimeoutMs, 1_800_000);
  assert.equal(env.tlsRequired, false);
  assert.equal(env.tlsCert, undefined);
  assert.ok(env.workers >= 1);
});

test('every name of the table is read, and nothing else is', () => {
  for (const row of ENV_TABLE) {
    const { mistakes } = readEnv({ [row.name]: row.fallback ?? './x.pem' });
    const own = mistakes.filter(({ message }) => !message.includes('set together'));
    assert.deepEqual(own, [], row.name);
  }
});

test('values are used, an empty one counts as unset', () => {
  const { env, mistakes } = readEnv({
    SALLYPORT_PG_LISTEN: '0.0.0.0:5432',
    SALLYPORT_IDLE_TIMEOUT: '0',
    SALLYPORT_RECORD_RESULT_BYTES: '1MiB',
    SALLYPORT_TLS_REQUIRED: 'yes',
    SALLYPORT_WORKERS: '3',
    SALLYPORT_LOG_LEVEL: '',
  });
  assert.deepEqual(mistakes, []);
  assert.deepEqual(env.pgListen, { host: '0.0.0.0', port: 5432 });
  assert.equal(env.idleTimeoutMs, 0);
  assert.equal(env.recordResultBytes, 2 ** 20);
  assert.equal(env.tlsRequired, true);
  assert.equal(env.workers, 3);
  assert.equal(env.logLevel, 'info');
});

test('every mistake is named in one run, unknown names with the nearest known one', () => {
  const source = {
    SALLYPORT_RECORD_DURABLITY: 'disk',
    SALLYPORT_HANDSHAKE_TIMEOUT: '0',
    SALLYPORT_IDLE_TIMEOUT: '30',
    SALLYPORT_RECORD_DURABILITY: 'tape',
    SALLYPORT_TLS_CERT: './cert.pem',
    PATH: '/bin',
  };
  const found = Object.fromEntries(readEnv(source).mistakes.map(({ path, message }) => [path, message]));
  assert.deepEqual(Object.keys(found).sort(), [
    'SALLYPORT_HANDSHAKE_TIMEOUT',
    'SALLYPORT_IDLE_TIMEOUT',
    'SALLYPORT_RECORD_DURABILITY',
    'SALLYPORT_RECORD_DURABLITY',
    'SALLYPORT_TLS_KEY',
  ]);
  assert.match(found.SALLYPORT_RECORD_DURABLITY ?? '', /did you mean "SALLYPORT_RECORD_DURABILITY"/);
  assert.match(found.SALLYPORT_IDLE_TIMEOUT ?? '', /"30" is not a duration/);
  assert.throws(
    () => loadEnv(source),
    (error) => error instanceof SallyportError && error.code === 'SP_ENV',
  );
});
