// The config file changed on disk: a good one is handed over, a bad one reported, however it was written.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Config } from '../../src/config/load.ts';
import type { Mistake } from '../../src/config/mistakes.ts';
import { watchConfig } from '../../src/config/watch.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-watch-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const text = (name: string) =>
  `connections: { ${name}: { protocol: postgres, host: localhost, database: d, user: u } }\n`;

/** Everything the watch reports, one at a time. */
function watching(file: string, signal: AbortSignal) {
  const reports: (Config | readonly Mistake[])[] = [];
  let wake: () => void = () => {};
  const push = (report: Config | readonly Mistake[]) => {
    reports.push(report);
    wake();
  };
  const watch = watchConfig(file, push, push);
  return {
    watch,
    async next() {
      while (reports.length === 0) {
        // The watch keeps no process alive; this does, until the test's own time is up.
        const alive = setInterval(() => {}, 1000);
        await new Promise<void>((resolve, reject) => {
          wake = resolve;
          signal.addEventListener('abort', () => reject(new Error('nothing was reported')), { once: true });
        }).finally(() => clearInterval(alive));
      }
      return reports.shift();
    },
  };
}

const names = (report: unknown) =>
  report !== undefined && 'connections' in (report as object) ? [...(report as Config).connections.keys()] : report;

test('written in place, replaced by a rename, broken, mended', { timeout: 20_000 }, async ({ signal }) => {
  const file = join(folder, 'a.yaml');
  writeFileSync(file, text('one'));
  const { watch, next } = watching(file, signal);
  try {
    writeFileSync(file, text('two'));
    assert.deepEqual(names(await next()), ['two']);
    writeFileSync(`${file}.new`, text('three'));
    renameSync(`${file}.new`, file);
    assert.deepEqual(names(await next()), ['three']);
    writeFileSync(file, 'connections: [');
    assert.ok(Array.isArray(await next()));
    rmSync(file);
    assert.match(JSON.stringify(await next()), /no config file/);
    writeFileSync(file, text('four'));
    assert.deepEqual(names(await next()), ['four']);
    watch.reload();
    assert.deepEqual(names(await next()), ['four']);
  } finally {
    watch.close();
  }
});

test('behind symbolic links that are swapped, as mounted secrets and config maps are', {
  timeout: 20_000,
}, async ({ signal }) => {
  const mount = join(folder, 'mount');
  for (const [version, name] of [
    ['v1', 'one'],
    ['v2', 'two'],
  ] as const) {
    mkdirSync(join(mount, version), { recursive: true });
    writeFileSync(join(mount, version, 'sallyport.yaml'), text(name));
  }
  symlinkSync('v1', join(mount, 'data'));
  symlinkSync('data/sallyport.yaml', join(mount, 'sallyport.yaml'));
  const { watch, next } = watching(join(mount, 'sallyport.yaml'), signal);
  try {
    symlinkSync('v2', join(mount, 'data.new'));
    renameSync(join(mount, 'data.new'), join(mount, 'data'));
    assert.deepEqual(names(await next()), ['two']);
  } finally {
    watch.close();
  }
});
