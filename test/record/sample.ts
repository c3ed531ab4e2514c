// Sessions, statements and outcomes for the tests of the record, and a directory that goes with the test.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { StatementEntry } from '../../src/record/format.ts';
import { openRecorder, type Recorder, type RecorderOptions } from '../../src/record/recorder.ts';
import type { Outcome, Session } from '../../src/types.ts';

export const PASSWORD = 'not-in-any-record';

export function sampleSession(id: string, startedAt = 1_700_000_000_000): Session {
  const identity = { issuer: 'local', subject: 'agent-7', groups: ['agents'], actingFor: 'ana@example.com' };
  const scope = {
    connection: 'shop',
    schema: '*',
    table: '*',
    verbs: new Set(['read'] as const),
    text: 'db:shop:read',
  };
  return {
    id,
    protocol: 'postgres',
    grant: {
      id: 'gr_1',
      task: 'fix-index',
      reason: 'a slow page',
      identity,
      connection: 'shop',
      scopes: [scope],
      requestedAt: startedAt,
      expiresAt: startedAt + 60_000,
    },
    connection: {
      name: 'shop',
      protocol: 'postgres',
      host: '10.0.0.1',
      port: 5432,
      database: 'shop',
      user: 'svc',
      password: () => PASSWORD,
      tls: { mode: 'disable' },
    },
    client: '127.0.0.1:50000',
    application: 'psql',
    startedAt,
  };
}

export function sampleStatement(session: string, n: number, over: Partial<StatementEntry> = {}): StatementEntry {
  return {
    session,
    n,
    at: 1_700_000_000_000 + n,
    phase: 'query',
    text: `SELECT ${n}`,
    parameters: null,
    kinds: ['select'],
    verbs: ['read'],
    relations: ['public.customers'],
    verdict: { action: 'allow', rule: 'default', reason: 'Within the scope.' },
    ...over,
  };
}

export function sampleOutcome(over: Partial<Outcome> = {}): Outcome {
  return { rows: 1, bytes: 20, masked: 0, tags: ['SELECT 1'], error: null, result: null, truncated: false, ...over };
}

export function temporaryDirectory(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-record-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Where the recorder's log lines go in a test: kept, so that a test can ask for them. */
export function listen(): RecorderOptions['log'] & { readonly lines: string[] } {
  const lines: string[] = [];
  const add = (level: string) => (details: object, message: string) => {
    lines.push(`${level} ${message} ${JSON.stringify(details)}`);
  };
  return { lines, info: add('info'), warn: add('warn'), error: add('error') };
}

/** A recorder that seals only when it is asked to: what a test sees does not depend on timers. */
export function open(dir: string, over: Partial<RecorderOptions> = {}): Promise<Recorder> {
  return openRecorder({ dir, durability: 'process', resultBytes: 1_000, log: listen(), sealAfter: 3_600_000, ...over });
}
