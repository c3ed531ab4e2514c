// A gateway without its database ports for tests: real grants, a real record and the HTTP API over a data dir of its own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDuration } from '../../src/config/units.ts';
import { proveCallers } from '../../src/control/callers.ts';
import type { Limits } from '../../src/control/guard.ts';
import { type ControlOptions, startControl } from '../../src/control/server.ts';
import type { ExplainInput, Services } from '../../src/control/services.ts';
import { ensureOperatorToken } from '../../src/control/token.ts';
import { SallyportError } from '../../src/errors.ts';
import type { AccessRule } from '../../src/grants/access.ts';
import { openGrants } from '../../src/grants/grants.ts';
import { parseScope, within } from '../../src/policy/scope.ts';
import { openRecorder } from '../../src/record/recorder.ts';
import { openStore } from '../../src/record/store.ts';
import { createMetrics } from '../../src/telemetry.ts';
import type { Grant, Identity, Session } from '../../src/types.ts';

export const SESSION = 'se_0000000001';
const STARTED = Date.UTC(2026, 0, 2, 3, 4, 5);

export interface StandOptions {
  /** What an identity provider would prove, by token; with none the operator token is what is taken. */
  readonly identities?: Readonly<Record<string, Identity>>;
  readonly limits?: Limits;
  readonly mounts?: ControlOptions['mounts'];
}

/** The groups that have a role are called as the role is. */
const ROLES = { operator: ['operator'], approver: ['approver'], auditor: ['auditor'] };

const ACCESS: readonly AccessRule[] = [
  {
    groups: ['agents'],
    connections: ['analytics'],
    scopes: ['db:analytics:read'],
    maxTtlMs: 1_800_000,
    approval: 'auto',
  },
  {
    groups: ['agents'],
    connections: ['analytics'],
    scopes: ['db:analytics.public:ddl'],
    maxTtlMs: 600_000,
    approval: 'required',
    approvers: { groups: ['dba'] },
  },
];

export async function openStand({ identities, limits, mounts }: StandOptions = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-control-'));
  const token = ensureOperatorToken(dataDir);
  const grants = openGrants({
    dir: join(dataDir, 'grants'),
    now: Date.now,
    monotonic: () => performance.now(),
    access: () => ACCESS,
    connections: () => ['analytics'],
    scopes: { parse: parseScope, within },
    makeVerifiers: () => ({}),
    onError: (error) => {
      throw error;
    },
  });
  const log = { info() {}, warn() {}, error() {} };
  const recordDir = join(dataDir, 'record');
  const recorder = await openRecorder({ dir: recordDir, durability: 'process', resultBytes: 65_536, log });
  const metrics = createMetrics();
  const state: {
    ready: { ok: boolean; reason?: string };
    failures: unknown[];
    logged: Record<string, unknown>[];
    explained: ExplainInput[];
  } = {
    ready: { ok: true },
    logged: [],
    failures: [],
    explained: [],
  };

  async function reading<T>(read: (store: ReturnType<typeof openStore>) => T): Promise<T> {
    await recorder.settled();
    const store = openStore(recordDir);
    try {
      return read(store);
    } finally {
      await store.close();
    }
  }
  const services: Services = {
    prove: proveCallers({
      operatorToken: token,
      identities: {
        configured: identities !== undefined,
        async prove(given) {
          const found = identities?.[given];
          if (found !== undefined) return found;
          throw new SallyportError('SP_UNAUTHORIZED', 'the token is not one of ours');
        },
      },
      roles: () => ROLES,
    }),
    issuers: () =>
      identities === undefined ? [] : [{ issuer: 'https://login.test', clientId: 'cli', audience: 'sallyport' }],
    connections: () => ['analytics'],
    access: () => ACCESS,
    parseScope,
    grants,
    sessions: {
      page: (page) => reading((store) => store.listSessions(page)),
      show: (id) => reading((store) => store.showSession(id)),
      records: (id) => reading((store) => [...store.records(id)]),
    },
    explain: (input) => {
      state.explained.push(input);
      if (input.text === 'fail') throw new Error('a secret of the inside');
      return [];
    },
    ready: () => state.ready,
    login: (name) => (name === 'analytics' ? { protocol: 'postgres', host: '0.0.0.0', port: 6432 } : undefined),
    metrics,
    parseDuration,
  };
  const control = await startControl(
    {
      services,
      maxStatementBytes: 65_536,
      log: {
        info: (fields, message) => state.logged.push({ ...fields, message }),
        error: (fields: { err?: unknown }) => state.failures.push(fields.err),
      },
      ...(limits && { limits }),
      ...(mounts && { mounts }),
    },
    { host: '127.0.0.1', port: 0 },
  );

  return {
    dataDir,
    token,
    state,
    metrics,
    grants,
    port: control.port,
    url: `http://127.0.0.1:${control.port}`,
    /** A session of three statements: a masked result, a prepared one, a refusal. */
    record(grant: Grant) {
      const session: Session = {
        id: SESSION,
        protocol: 'postgres',
        grant,
        connection: {
          name: 'analytics',
          protocol: 'postgres',
          host: 'db',
          port: 5432,
          database: 'analytics',
          user: 'svc',
          password: () => 'hunter2',
          tls: { mode: 'disable' },
        },
        client: '127.0.0.1:5555',
        application: 'psql',
        startedAt: STARTED,
      };
      recorder.sessionStarted(session);
      const common = { session: SESSION, kinds: ['select'], verbs: ['read'], relations: ['public.customers'] };
      const allow = { action: 'allow', rule: 'default', reason: 'inside the grant' } as const;
      const done = { bytes: 10, error: null, truncated: false, result: null };
      const text = 'SELECT name, email FROM customers';
      recorder.statement({ ...common, n: 1, at: STARTED + 10, phase: 'query', text, parameters: null, verdict: allow });
      recorder.outcome(SESSION, 1, STARTED + 20, { ...done, rows: 1, masked: 1, tags: ['SELECT 1'], result: RESULT });
      const parameters = [{ typeOid: 25, format: 0, bytes: Buffer.from('Ada') }];
      const prepared = 'SELECT 1 FROM customers WHERE name = $1';
      recorder.statement({
        ...common,
        n: 2,
        at: STARTED + 30,
        phase: 'execute',
        text: prepared,
        parameters,
        verdict: allow,
      });
      recorder.outcome(SESSION, 2, STARTED + 40, { ...done, rows: 0, masked: 0, tags: ['SELECT 0'] });
      const verdict = { action: 'deny', rule: 'no-drop', reason: 'dropping is not for agents' } as const;
      const drop = 'DROP TABLE customers; -- \u001b[2J';
      recorder.statement({ ...common, n: 3, at: STARTED + 50, phase: 'query', text: drop, parameters: null, verdict });
      recorder.sessionEnded(SESSION, STARTED + 60, 'the client left');
      recorder.commit();
    },
    async close() {
      await control.close();
      await recorder.close();
      await grants.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export type Stand = Awaited<ReturnType<typeof openStand>>;

/** RowDescription of two text columns, one DataRow, CommandComplete. */
const RESULT = Buffer.concat([
  message('T', Buffer.concat([int16(2), field('name'), field('email')])),
  message('D', Buffer.concat([int16(2), text('Ada'), text('****.com')])),
  message('C', Buffer.from('SELECT 1\0')),
]);

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.from(`${type}\0\0\0\0`);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
function int16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}
/** Name, table OID and attribute 0, type OID 25 (text), size -1, modifier -1, format 0. */
function field(name: string): Buffer {
  return Buffer.concat([Buffer.from(`${name}\0`), Buffer.from('00000000000000000019ffffffffffff0000', 'hex')]);
}
function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
}
