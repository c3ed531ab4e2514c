// Builders and decoders of the PostgreSQL messages, with pg-protocol as the other opinion.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { serialize } from 'pg-protocol';
import { Parser } from 'pg-protocol/dist/parser.js';
import * as decode from '../../../src/wire/pg/decode.ts';
import * as messages from '../../../src/wire/pg/messages.ts';

const parsed = (bytes: Buffer): Record<string, unknown> => {
  const found: Record<string, unknown>[] = [];
  new Parser().parse(bytes, (message) => found.push(message as unknown as Record<string, unknown>));
  assert.equal(found.length, 1);
  return found[0] ?? {};
};

/** Gives a decoder the body of a typed message that stands in the middle of other bytes. */
function inside<T>(decoder: (buffer: Buffer, start: number, end: number) => T, message: Uint8Array): T {
  const buffer = Buffer.concat([Buffer.from('\0noise\0'), message, Buffer.from('\0noise\0')]);
  return decoder(buffer, 7 + 5, 7 + message.length);
}

const decoders = [
  decode.decodeQuery,
  decode.decodeParse,
  decode.decodeBind,
  decode.decodeDescribe,
  decode.decodeExecute,
  decode.decodeRowDescription,
  decode.decodeParameterDescription,
  decode.decodeCommandComplete,
  decode.decodeReadyForQuery,
  decode.decodeError,
  decode.decodeParameterStatus,
  decode.decodeBackendKeyData,
  decode.decodeNotification,
  decode.decodeCopyResponse,
];

test('an error carries every field and survives a NUL in its text', () => {
  const error = { severity: 'ERROR', code: '42501', message: 'a\0b', detail: '{}', hint: 'ask', position: 7 } as const;
  const seen = parsed(messages.errorResponse(error));
  assert.equal(seen.name, 'error');
  assert.deepEqual(
    [seen.severity, seen.code, seen.message, seen.detail, seen.hint, seen.position],
    ['ERROR', '42501', 'a\uFFFDb', '{}', 'ask', '7'],
  );
  const fields = inside(decode.decodeError, messages.errorResponse(error));
  assert.deepEqual([fields?.get('C'), fields?.get('M'), fields?.get('V')], ['42501', 'a\uFFFDb', 'ERROR']);
});

test('what the gateway builds is what pg-protocol reads', () => {
  assert.deepEqual(parsed(messages.readyForQuery(messages.Status.failed)).status, 'E');
  assert.equal(parsed(messages.parameterStatus('TimeZone', 'UTC')).parameterValue, 'UTC');
  assert.equal(parsed(messages.backendKeyData(4711, Buffer.from([0, 0, 1, 0]))).secretKey, 256);
  assert.equal(parsed(messages.authenticationOk()).name, 'authenticationOk');
  assert.deepEqual(parsed(messages.authenticationSasl(['A', 'B'])).mechanisms, ['A', 'B']);
  assert.equal(parsed(messages.authenticationSaslContinue(Buffer.from('r=x'))).data, 'r=x');
  assert.equal(parsed(messages.authenticationSaslFinal(Buffer.from('v=x'))).data, 'v=x');
});

test('what the gateway builds is what pg-protocol builds', () => {
  const same = (mine: Buffer, theirs: Uint8Array) => assert.deepEqual([...mine], [...theirs]);
  same(messages.query('select 1'), serialize.query('select 1'));
  same(messages.sync(), serialize.sync());
  same(messages.flush(), serialize.flush());
  same(messages.terminate(), serialize.end());
  same(messages.copyFail('no'), serialize.copyFail('no'));
  same(messages.passwordMessage('ü'), serialize.password('ü'));
  same(messages.describeStatement('s1'), serialize.describe({ type: 'S', name: 's1' }));
  same(messages.describePortal(''), serialize.describe({ type: 'P', name: '' }));
  same(messages.closeStatement('s1'), serialize.close({ type: 'S', name: 's1' }));
  same(messages.execute('p', 10), serialize.execute({ portal: 'p', rows: 10 }));
  same(messages.sslRequest(), serialize.requestSsl());
  same(messages.saslInitialResponse('X', Buffer.from('y')), serialize.sendSASLInitialResponseMessage('X', 'y'));
  same(messages.saslResponse(Buffer.from('y')), serialize.sendSCRAMClientFinalMessage('y'));
  same(messages.cancelRequest(-2, Buffer.from([0, 0, 0, 9])), serialize.cancel(-2, 9));
});

test('Parse, Bind, Describe, Execute as pg-protocol builds them', () => {
  const parse = serialize.parse({ name: 'né', text: 'select $1', types: [23, 4294967295] });
  const buffer = Buffer.from(parse);
  const statement = decode.decodeParse(buffer, 5, buffer.length);
  assert.equal(statement?.name, Buffer.from('né').toString('latin1'));
  assert.equal(buffer.toString('utf8', statement?.textStart, statement?.textEnd), 'select $1');
  assert.deepEqual(statement?.parameterTypes, [23, 4294967295]);
  assert.deepEqual(
    inside(decode.decodeBind, serialize.bind({ portal: 'p', statement: 's', values: ['x', null], binary: true })),
    {
      portal: 'p',
      statement: 's',
      parameters: [
        { typeOid: 0, format: 0, bytes: Buffer.from('x') },
        { typeOid: 0, format: 0, bytes: null },
      ],
      resultFormats: [1],
    },
  );
  assert.deepEqual(inside(decode.decodeDescribe, serialize.describe({ type: 'P', name: 'p' })), {
    kind: 'P',
    name: 'p',
  });
  assert.deepEqual(inside(decode.decodeExecute, serialize.execute({ portal: 'p', rows: 3 })), {
    portal: 'p',
    maxRows: 3,
  });
});

test('one format code stands for every parameter; a count that fits nothing is malformed', () => {
  const bind = (formats: number[], values: string[], results: number[]) => {
    const int16 = (n: number) => Buffer.from([n >> 8, n & 255]);
    return Buffer.concat([
      Buffer.from('B\0\0\0\0\0\0', 'latin1'),
      ...[formats.length, ...formats].map(int16),
      int16(values.length),
      ...values.flatMap((v) => [Buffer.from([0, 0, 0, v.length]), Buffer.from(v)]),
      ...[results.length, ...results].map(int16),
    ]);
  };
  const one = inside(decode.decodeBind, bind([1], ['a', 'b'], []));
  assert.deepEqual(
    one?.parameters.map((p) => p.format),
    [1, 1],
  );
  const each = inside(decode.decodeBind, bind([0, 1], ['a', 'b'], [0, 1]));
  assert.deepEqual(
    each?.parameters.map((p) => p.format),
    [0, 1],
  );
  assert.deepEqual(each?.resultFormats, [0, 1]);
  assert.equal(inside(decode.decodeBind, bind([0, 1], ['a'], [])), null);
  assert.equal(inside(decode.decodeBind, bind([2], ['a'], [])), null);
  assert.equal(inside(decode.decodeBind, bind([], ['a'], [7])), null);
});

test('names and keys have bounds', () => {
  const longest = 'n'.repeat(decode.NAME_MAX);
  assert.equal(inside(decode.decodeDescribe, messages.describeStatement(longest))?.name, longest);
  assert.equal(inside(decode.decodeDescribe, messages.describeStatement(`${longest}n`)), null);
  assert.equal(inside(decode.decodeExecute, messages.execute(`${longest}n`, 0)), null);
  assert.equal(inside(decode.decodeBackendKeyData, messages.backendKeyData(1, Buffer.alloc(256)))?.secret.length, 256);
  assert.equal(inside(decode.decodeBackendKeyData, messages.backendKeyData(1, Buffer.alloc(257))), null);
  assert.equal(inside(decode.decodeBackendKeyData, messages.backendKeyData(1, Buffer.alloc(3))), null);
});

test('a message that is cut short or has a byte too many is malformed', () => {
  const whole: [(typeof decoders)[number], Uint8Array][] = [
    [decode.decodeQuery, messages.query('select 1')],
    [decode.decodeParse, serialize.parse({ name: 'n', text: 't', types: [1] })],
    [decode.decodeBind, serialize.bind({ portal: 'p', statement: 's', values: ['x', null] })],
    [decode.decodeDescribe, messages.describePortal('p')],
    [decode.decodeExecute, messages.execute('p', 1)],
    [decode.decodeReadyForQuery, messages.readyForQuery(messages.Status.idle)],
    [decode.decodeParameterStatus, messages.parameterStatus('a', 'b')],
    [decode.decodeError, messages.errorResponse({ severity: 'ERROR', code: '0A000', message: 'm' })],
  ];
  for (const [decoder, message] of whole) {
    const buffer = Buffer.from(message);
    assert.notEqual(decoder(buffer, 5, buffer.length), null, decoder.name);
    for (let end = 5; end < buffer.length; end++) assert.equal(decoder(buffer, 5, end), null, `${decoder.name} ${end}`);
    const longer = Buffer.concat([buffer, Buffer.from([0])]);
    assert.equal(decoder(longer, 5, longer.length), null, decoder.name);
  }
});

test('random bytes are never an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(10), (bytes, skip) => {
      const buffer = Buffer.from(bytes);
      const start = Math.min(skip, buffer.length);
      for (const decoder of decoders) decoder(buffer, start, buffer.length);
    }),
    { numRuns: 3000 },
  );
});
