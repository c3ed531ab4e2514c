// A gate over a judge of the test's own, for the toy language of the scripted backend: `deny` is refused, `secret` is masked,
// `later` needs the catalog to be read again, `big` is classified off the loop. Promises wait until the test lets them go.
import type { Column, Facts, Grant, Outcome, Session, Verdict } from '../../src/types.ts';
import { Contexts, Gate, type Judge, type Phase, type Question, type Ruling } from '../../src/wire/gate.ts';
import { MASKED, SECRET_TABLE } from './backend.ts';

export interface Entry {
  readonly n: number;
  readonly phase: Phase;
  readonly text: string;
  readonly verdict: Verdict;
  outcome: Outcome | null;
}

export interface ToyGate {
  readonly gate: Gate;
  readonly record: Entry[];
  /** Lets go of one promise that somebody waits for; answers whether there was one. */
  release(): Promise<boolean>;
  /** The grant is over. */
  end(): void;
  /** Ids of grants that were said to be completed. */
  readonly completed: string[];
}

const GRANT: Grant = {
  id: 'gr_toy',
  task: 'toy',
  reason: 'a test',
  identity: { issuer: 'test', subject: 'test', groups: [] },
  connection: 'db',
  scopes: [],
  requestedAt: 0,
  expiresAt: 0,
};

const SESSION: Session = {
  id: 'se_toy',
  protocol: 'postgres',
  grant: GRANT,
  connection: {
    name: 'db',
    protocol: 'postgres',
    host: '',
    port: 0,
    database: '',
    user: '',
    password: () => '',
    tls: { mode: 'disable' },
  },
  client: '',
  application: '',
  startedAt: 0,
};

function facts(text: string): Facts {
  const first = text.split(' ')[0] ?? '';
  const kinds = [first === 'copyin' ? 'copy-from' : first];
  const settings = first === 'setpath' ? [{ name: 'search_path', value: null, need: 'read' as const }] : [];
  const action = (['prepare', 'deallocate', 'declare', 'close'] as const).find((word) => word === first);
  const handles = action === undefined ? [] : [{ action, name: text.split(' ')[1] ?? '' }];
  const base = {
    start: 0,
    end: text.length,
    needs: [],
    relations: [],
    functions: [],
    columns: [],
    handles,
    secrets: [],
  };
  return { ...base, kinds, settings, columnsHidden: false, opaque: null, valueBlind: false };
}

export function toyGate({ masks = true } = {}): ToyGate {
  const record: Entry[] = [];
  const completed: string[] = [];
  const waiting: (() => void)[] = [];
  let live = true;
  let read = false;
  let turns = 0;
  const pause = () => new Promise<void>((resolve) => waiting.push(resolve));

  const judge: Judge = {
    epoch: 1,
    looksAtValues: true,
    masks,
    protects: masks,
    rule({ text, parameters, fresh }: Question): Ruling | 'stale' {
      if (text.includes('later') && !fresh) return 'stale';
      const denied =
        text.includes('deny') || parameters?.some(({ bytes }) => bytes !== null && Buffer.from(bytes).includes('deny'));
      const verdict: Verdict = { action: denied ? 'deny' : 'allow', rule: 'toy', reason: 'toy' };
      return {
        verdict,
        verbs: text.startsWith('change') ? ['write'] : [],
        relations: [],
        needsPlan: masks && text.includes('secret'),
        protects: masks && text.includes('secret'),
        outputs: [],
        looksAtValues: false,
        lasting: true,
      };
    },
    clean: (text) => text,
    copyPlan: () => null,
    plan(columns: readonly Column[]) {
      if (columns.some(({ name }) => name === 'late') && !read) return 'stale';
      read = false;
      const secret = ({ tableOid, name }: Column) => tableOid === SECRET_TABLE || name === 'secret';
      if (!columns.some(secret)) return null;
      return columns.map((column) => (secret(column) ? () => Buffer.from(MASKED) : undefined));
    },
    async refresh() {
      await pause();
      read = true;
    },
    mayBind: () => true,
    changed() {},
  };
  const classify = (text: string) => ({ ok: true as const, statements: text.split(';').map(facts) });
  const gate = new Gate(
    {
      dialect: {
        mode: '',
        classify,
        classifyLarge: (text) => pause().then(() => classify(text)),
        foldLiterals: () => null,
        readsBytes: () => false,
        looseSecrets: () => [],
      },
      judge,
      contexts: new Contexts(),
      recorder: {
        statement: (entry) => record.push({ ...entry, outcome: null }),
        outcome: (_, n, __, outcome) => {
          const entry = record.find((one) => one.n === n);
          if (entry === undefined || entry.outcome !== null) throw new Error(`statement ${n} ended twice`);
          entry.outcome = outcome;
        },
      },
      resultBytes: 1000,
      isLive: () => live,
      status: (grant) => ({ grant, state: live ? 'active' : 'completed', left: live ? 60_000 : 0 }),
      complete: () => completed.push(GRANT.id),
      get turn() {
        return { number: turns++, time: 0 };
      },
      contradicted: () => {},
      catalogUnread: () => {},
      judged: () => {},
    },
    SESSION,
    ['public'],
  );
  return {
    gate,
    record,
    completed,
    end() {
      live = false;
    },
    async release() {
      const next = waiting.shift();
      next?.();
      await new Promise((resolve) => setImmediate(resolve));
      return next !== undefined;
    },
  };
}
