// The one order of things, for both protocols: is the grant alive → what is the statement → may it → recorded → what of the
// result is masked → how did it end. The protocols call the gate; it knows nothing of messages or sockets.
//
// A protocol can only send on what the gate has handed it an `Allowed` for, and can only get a `Running`, which its replies
// are counted in, for a statement that stands in the record.
import { isUtf8 } from 'node:buffer';
import { LRUCache } from 'lru-cache';
import type {
  Classification,
  Column,
  Facts,
  Grant,
  HandleUse,
  Outcome,
  Parameter,
  RowPlan,
  Session,
  Verb,
  Verdict,
} from '../types.ts';
import { completedRow, type GrantStatus, HELP, type OwnRow, ownWord, statusRow, type Word } from './sallyport.ts';

/**
 * What masking makes of each output column of a statement, in terms that only the judge reads: null where no rows come back,
 * `unproven` where it cannot be told which statement the rows are of.
 */
export type Outputs = readonly unknown[] | null | 'unproven';

/** What the judge of one connection answers: the verdict, and whether rows need a masking plan before they may pass. */
export interface Ruling {
  readonly verdict: Verdict;
  readonly verbs: readonly Verb[];
  /** `schema.name`, resolved. */
  readonly relations: readonly string[];
  readonly needsPlan: boolean;
  /** It touches protected columns: what the database says in words may quote their values. */
  readonly protects: boolean;
  /** The bound values bear on the verdict. */
  readonly looksAtValues: boolean;
  /** One entry a statement; undefined where it touches nothing that is protected. */
  readonly outputs: readonly (Outputs | undefined)[];
  /** False where the answer may change without a new epoch: a name that is not in the catalog, for instance. */
  readonly lasting: boolean;
}

export interface Question {
  readonly session: Session;
  readonly classification: Classification;
  readonly text: string;
  /** Bound values, or null where they are not known yet. */
  readonly parameters: readonly Parameter[] | null;
  /** The schemas in which the database looks for an unqualified name now; null while that is changing. */
  readonly searchPath: readonly string[] | null;
  /** How the text is read, as `Dialect.mode` has it. */
  readonly mode: string;
  /** The catalog has been read since the question came up: `stale` is no answer any more. */
  readonly fresh: boolean;
}

/** Policy, masking and catalog of one connection. `stale`: a name or a table is not in the catalog snapshot; `refresh`, ask again. */
export interface Judge {
  /** Grows whenever an answer may change: config, policy, masking, catalog. */
  readonly epoch: number;
  /** A rule looks at the text or the values, so verdicts are not shared between texts. */
  readonly looksAtValues: boolean;
  /** False where nothing on this connection is masked. */
  readonly masks: boolean;
  /** Columns are named for protection. */
  readonly protects: boolean;
  rule(question: Question): Ruling | 'stale';
  /**
   * The plan for a result: null leaves every row as it is. `contradiction`: the database describes other columns, or columns
   * of other tables, than the analysis of the statement has found.
   */
  plan(columns: readonly Column[], outputs: Outputs | undefined): RowPlan | null | 'stale' | 'contradiction';
  /** A text of the database's for the client, with the secrets that detectors find in it replaced. */
  clean(text: string): string;
  /** The plan for COPY TO in format 0 (text, CSV) or 1 (binary). */
  copyPlan(outputs: Outputs | undefined, format: number): RowPlan | null | 'contradiction';
  /** Whether making values of these types, by OID, runs no function that somebody made. */
  mayBind(types: readonly number[]): boolean;
  /** Reads the catalog again. */
  refresh(): Promise<void>;
  /** Something that changes the catalog has run. */
  changed(): void;
}

/** Reading the texts of one session. */
export interface Dialect {
  /** Names how it reads them, where that differs between sessions (MySQL's sql_mode): only the same ones share verdicts. */
  readonly mode: string;
  classify(text: string): Classification;
  /** For texts too large for the event loop. */
  classifyLarge(text: string): Promise<Classification>;
  /** Whether a text is read as the server reads its bytes, though U+FFFD stands in it for what is not UTF-8. */
  readsBytes(text: string): boolean;
  /** Spans that look like secrets, in a text that was not understood or whose body is not; UTF-16 units, ascending. */
  looseSecrets(text: string): readonly (readonly [start: number, end: number])[];
  /** The text with its plain literals taken out, or null. */
  foldLiterals(bytes: Buffer, start: number, end: number): string | null;
}

export interface Recorder {
  statement(entry: {
    readonly session: string;
    readonly n: number;
    readonly at: number;
    readonly phase: Phase;
    readonly text: string;
    readonly parameters: readonly Parameter[] | null;
    readonly kinds: readonly string[];
    readonly verbs: readonly Verb[];
    readonly relations: readonly string[];
    readonly verdict: Verdict;
    /** Stands for the four before it. */
    readonly judgement: object;
  }): void;
  outcome(session: string, n: number, at: number, outcome: Outcome): void;
}

export type Phase = 'query' | 'parse' | 'execute' | 'other';

/** Texts longer than this are classified off the event loop; bytes. */
const INLINE_TEXT = 32 * 1024;

interface Judged {
  readonly kinds: readonly string[];
  readonly statements: readonly Facts[];
  readonly ruling: Ruling;
}

declare const permit: unique symbol;

/** The permit to send a statement on. Only the gate makes one. */
export interface Allowed extends Judged {
  readonly allowed: true;
  readonly [permit]: true;
  /** The context it was judged in; another one means: judge again. */
  readonly context: Context;
  readonly needsPlan: boolean;
  /** COPY … FROM STDIN: the client is going to send data. */
  readonly copyIn: boolean;
  /** A setting may be what it was before. */
  readonly endsTransaction: boolean;
  /** PREPARE or EXECUTE. */
  readonly usesPrepared: boolean;
  /** EXECUTE or FETCH: what runs is not this text. */
  readonly runsStored: boolean;
  /** May move the search path, or what it resolves to. */
  readonly changesPath: boolean;
  readonly changesCatalog: boolean;
  /** The plan that was made for its last result description, for as long as that stays the same to the byte. */
  planned: { readonly description: Buffer; readonly outputs: Outputs | undefined; readonly plan: Plan } | null;
  /** The last description of its rows, as a message, for the record. */
  description: Buffer | null;
}

/** Not for the database: refused, or `own`. */
export interface Refused extends Judged {
  readonly allowed: false;
  /** A statement of the gateway's own: `answer` has what it says. */
  readonly own?: Word;
}

export type Judgement = Allowed | Refused;

/** How the rows of a result are masked; null not at all. `contradiction`: they must not be passed on. */
export type Plan = RowPlan | null | 'contradiction';

/** Everything besides the text that a verdict depends on. Sessions with the same one share verdicts. */
export class Context {
  readonly epoch: number;
  readonly searchPath: readonly string[] | null;
  /** The session has set its search path itself: the end of a transaction may move it back. */
  readonly pathWasSet: boolean;
  readonly byText: LRUCache<string, Judgement>;
  /** By text with its literals out, for statements whose literals bear on nothing. */
  readonly byShape: LRUCache<string, Judgement>;

  constructor(epoch: number, searchPath: readonly string[] | null, pathWasSet: boolean, bytes: number) {
    this.epoch = epoch;
    this.searchPath = searchPath;
    this.pathWasSet = pathWasSet;
    this.byText = verdicts(bytes);
    this.byShape = verdicts(bytes);
  }
}

function verdicts(bytes: number): LRUCache<string, Judgement> {
  // A judgement's facts are a few times its text; the constant stands for the objects around them.
  return new LRUCache({ maxSize: bytes, sizeCalculation: (_, text) => 1024 + 6 * text.length });
}

/** All contexts of a gateway, the latest used ones; so the verdict cache is bounded by `count × 2 × bytes`. */
export class Contexts {
  readonly #contexts: LRUCache<string, Context>;
  readonly #bytes: number;

  constructor(count = 64, bytes = 1024 * 1024) {
    this.#contexts = new LRUCache({ max: count });
    this.#bytes = bytes;
  }

  of(
    session: Session,
    mode: string,
    epoch: number,
    searchPath: readonly string[] | null,
    pathWasSet: boolean,
  ): Context {
    const { connection, grant } = session;
    const key = JSON.stringify([
      connection.name,
      mode,
      epoch,
      searchPath,
      pathWasSet,
      grant.scopes.map((scope) => scope.text),
      grant.identity.groups,
    ]);
    const known = this.#contexts.get(key);
    if (known !== undefined) return known;
    const context = new Context(epoch, searchPath, pathWasSet, this.#bytes);
    this.#contexts.set(key, context);
    return context;
  }
}

/** A statement that is in the record and on its way: its replies are counted here. */
export class Running {
  readonly n: number;
  rows = 0;
  bytes = 0;
  masked = 0;
  readonly tags: string[] = [];
  error: { code: string; message: string } | null = null;
  readonly #kept: Buffer[] = [];
  /** The span that grows while neighbouring messages are kept. */
  #buffer: Buffer | null = null;
  #start = 0;
  #end = 0;
  #room: number;
  #truncated = false;

  constructor(n: number, resultBytes: number) {
    this.n = n;
    this.#room = resultBytes;
  }

  /** Keeps a whole message of the result, as the client gets it, as long as there is room. */
  keep(buffer: Buffer, start: number, end: number): void {
    if (this.#truncated) return;
    this.#room -= end - start;
    if (this.#room < 0) {
      this.#truncated = true;
    } else if (buffer === this.#buffer && start === this.#end) {
      this.#end = end;
    } else {
      this.#close();
      this.#buffer = buffer;
      this.#start = start;
      this.#end = end;
    }
  }

  /** Nothing more is kept. */
  get full(): boolean {
    return this.#truncated;
  }

  /** A message went by that was too large to be kept. */
  truncate(): void {
    this.#truncated = true;
  }

  outcome(): Outcome {
    this.#close();
    const kept = this.#kept;
    return {
      rows: this.rows,
      bytes: this.bytes,
      masked: this.masked,
      tags: this.tags,
      error: this.error,
      result: kept.length > 1 ? Buffer.concat(kept) : (kept[0] ?? null),
      truncated: this.#truncated,
    };
  }

  #close(): void {
    if (this.#buffer !== null) this.#kept.push(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = null;
  }
}

export interface GateServices {
  readonly dialect: Dialect;
  readonly judge: Judge;
  readonly contexts: Contexts;
  readonly recorder: Recorder;
  /** Bytes of masked result kept a statement. */
  readonly resultBytes: number;
  /** Is the grant alive? Asked at every statement and every execution, once a turn of the loop. */
  readonly isLive: (grant: string) => boolean;
  readonly status: (grant: Grant) => GrantStatus;
  /** Its holder says that the task is done: ends it, soon. */
  readonly complete: (grant: Grant) => void;
  readonly turn: { readonly number: number; readonly time: number };
  /** The database's description of a result contradicted the analysis of its statement. */
  readonly contradicted: (session: Session) => void;
  /** The catalog could not be read again: what asked for it is refused. */
  readonly catalogUnread: (session: Session, error: unknown) => void;
  /** A verdict was given; for metrics. */
  readonly judged: (verdict: Verdict) => void;
}

const GRANT_OVER: Judged = {
  kinds: [],
  statements: [],
  ruling: {
    verdict: {
      action: 'deny',
      rule: 'grant',
      reason: 'the grant is over',
      hint: 'Request a new grant for what is left of the task.',
    },
    verbs: [],
    relations: [],
    needsPlan: false,
    protects: false,
    looksAtValues: false,
    outputs: [],
    lasting: false,
  },
};

/** Of a statement whose names cannot be looked up: the next one may be judged again. */
function unjudged(classification: Classification): Refused {
  const statements = classification.ok ? classification.statements : [];
  const verdict: Verdict = {
    action: 'deny',
    rule: 'not-understood',
    reason: 'the database’s catalog cannot be read at the moment, so it is not known what the statement reaches',
    hint: 'Try again. The gateway’s log says why it cannot be read.',
  };
  const kinds = statements.flatMap((facts) => facts.kinds);
  return { allowed: false, kinds, statements, ruling: { ...GRANT_OVER.ruling, verdict } };
}

function ownJudgement(word: Word): Refused {
  const known = word !== 'unknown';
  const verdict: Verdict = known
    ? { action: 'allow', rule: 'sallyport', reason: 'the gateway answers it' }
    : { action: 'deny', rule: 'sallyport', reason: 'there is no such SALLYPORT statement', hint: HELP };
  const ruling = { ...GRANT_OVER.ruling, verdict };
  return { allowed: false, kinds: ['sallyport'], statements: [], ruling, ...(known ? { own: word } : {}) };
}

/** The gate of one session. */
export class Gate {
  readonly session: Session;
  readonly #services: GateServices;
  #context: Context;
  #n = 0;
  /** The turn in which the grant was last found alive. */
  #aliveIn = -1;
  /** Once SALLYPORT COMPLETE has been answered, nothing more is let through. */
  #completed: 'no' | 'answered' | 'told' = 'no';

  constructor(services: GateServices, session: Session, searchPath: readonly string[] | null) {
    this.#services = services;
    this.session = session;
    this.#context = services.contexts.of(session, services.dialect.mode, services.judge.epoch, searchPath, false);
  }

  /** Columns of this connection are named for protection, beside what detectors find. */
  get protects(): boolean {
    return this.#services.judge.protects;
  }

  get masks(): boolean {
    return this.#services.judge.masks;
  }

  /** The session has set its search path: it is now this, or unknown (null). */
  setSearchPath(searchPath: readonly string[] | null): void {
    const { contexts, dialect, judge } = this.#services;
    this.#context = contexts.of(this.session, dialect.mode, judge.epoch, searchPath, true);
  }

  /** Everything besides the text that a verdict depends on, as of now. */
  get context(): Context {
    this.#context = this.#renewed(this.#context);
    return this.#context;
  }

  /** The context in the epoch of now. */
  #renewed(context: Context): Context {
    const { judge, contexts, dialect } = this.#services;
    const { epoch, searchPath, pathWasSet } = context;
    if (epoch === judge.epoch) return context;
    return contexts.of(this.session, dialect.mode, judge.epoch, searchPath, pathWasSet);
  }

  /** Judges the text `buffer[start, end)`. A promise where the text is large or the catalog has to be read again. */
  judge(buffer: Buffer, start: number, end: number): Judgement | Promise<Judgement> {
    return this.#judge(this.#now, buffer, start, end);
  }

  readonly #now = (): Context => this.context;

  /** `at`: the context by which it is judged, as of when it is asked. */
  #judge(at: () => Context, buffer: Buffer, start: number, end: number): Judgement | Promise<Judgement> {
    const { dialect, judge } = this.#services;
    if (!this.#isLive()) return { allowed: false, ...GRANT_OVER };
    const text = buffer.toString('utf8', start, end);
    const context = at();
    const known = context.byText.get(text);
    if (known !== undefined) return known;
    const shape = judge.looksAtValues ? null : dialect.foldLiterals(buffer, start, end);
    if (shape !== null) {
      const alike = context.byShape.get(shape);
      if (alike !== undefined) return alike;
    }
    const own = ownWord(text);
    if (own !== null) return ownJudgement(own);
    if (text.includes('\ufffd') && !isUtf8(buffer.subarray(start, end)) && !dialect.readsBytes(text)) {
      return this.#decide(at, text, null, { ok: false, reason: 'the text is not valid UTF-8' }, null);
    }
    if (end - start > INLINE_TEXT) {
      return dialect.classifyLarge(text).then((classification) => this.#decide(at, text, null, classification, null));
    }
    return this.#decide(at, text, shape, dialect.classify(text), null);
  }

  /**
   * Judges again what was judged at Parse, now that it is to run with these values. `lookup`: whether the database looks its names up
   * by the search path of now, or keeps to the one by which it was prepared.
   */
  judgeAgain(
    allowed: Allowed,
    text: string,
    parameters: readonly Parameter[],
    lookup: 'anew' | 'kept' = 'anew',
  ): Judgement | Promise<Judgement> {
    const { judge } = this.#services;
    if (!this.#isLive()) return { allowed: false, ...GRANT_OVER };
    const at = lookup === 'anew' ? this.#now : () => this.#renewed(allowed.context);
    if ((judge.looksAtValues || allowed.ruling.looksAtValues) && parameters.length > 0) {
      return this.#decide(at, text, null, { ok: true, statements: allowed.statements }, parameters);
    }
    if (at() === allowed.context) return allowed;
    const bytes = Buffer.from(text);
    return this.#judge(at, bytes, 0, bytes.length);
  }

  /** Whether values of these types, by OID, may be bound: a domain's check runs before anything that was judged. */
  mayBind(types: readonly number[]): boolean {
    return types.length === 0 || this.#services.judge.mayBind(types);
  }

  /** The refusal of what was judged allowed by itself. */
  refuse({ kinds, statements, ruling }: Judged, reason: string, hint: string): Refused {
    const verdict: Verdict = { action: 'deny', rule: 'not-understood', reason, hint };
    return { allowed: false, kinds, statements, ruling: { ...ruling, verdict, needsPlan: false, lasting: false } };
  }

  /**
   * Puts a statement into the record. What was allowed may be sent on when this turn of the loop has been committed. `before`: what the
   * record has in front of the text.
   */
  begin(
    phase: Phase,
    judgement: Judgement,
    text: string,
    parameters: readonly Parameter[] | null,
    before = '',
  ): Running {
    const n = ++this.#n;
    const { recorder, turn, judged, resultBytes } = this.#services;
    const { verdict, verbs, relations } = judgement.ruling;
    judged(verdict);
    recorder.statement({
      session: this.session.id,
      n,
      at: turn.time,
      phase,
      text: before + redacted(text, secretsOf(text, judgement.statements, this.#services.dialect)),
      parameters,
      kinds: judgement.kinds,
      verbs,
      relations,
      verdict,
      judgement,
    });
    return new Running(n, resultBytes);
  }

  /** What a statement of the gateway's own answers, now that its turn has come. */
  answer(word: Word, running: Running): OwnRow {
    const row = this.describe(word);
    running.rows++;
    if (word === 'complete') this.#completed = 'answered';
    return row;
  }

  /** What has been answered stands in the database, as far as it will: now the grant may end. */
  settle(): void {
    if (this.#completed !== 'answered') return;
    this.#completed = 'told';
    this.#services.complete(this.session.grant);
  }

  /** A row as it would answer, for the columns. */
  describe(word: Word): OwnRow {
    const status = this.#services.status(this.session.grant);
    return word === 'complete' ? completedRow(status) : statusRow(status);
  }

  /** Puts how it ended into the record; the client may read the end when this turn of the loop has been committed. */
  finish(running: Running): void {
    const { recorder, turn } = this.#services;
    recorder.outcome(this.session.id, running.n, turn.time, running.outcome());
  }

  /** The masking plan of a result. A promise where the catalog has to be read again. */
  plan(columns: readonly Column[], outputs: Outputs | undefined): Plan | Promise<Plan> {
    const { judge } = this.#services;
    const plan = judge.plan(columns, outputs);
    if (plan !== 'stale') return this.#told(plan);
    return judge.refresh().then(() => {
      const again = judge.plan(columns, outputs);
      return this.#told(again === 'stale' ? 'contradiction' : again);
    });
  }

  /** A text of the database's for the client, with the secrets that detectors find in it replaced. */
  clean(text: string): string {
    return this.#services.judge.clean(text);
  }

  /** The plan for a COPY TO, in format 0 (text, CSV) or 1 (binary). */
  copyPlan(outputs: Outputs | undefined, format: number): Plan {
    return this.#told(this.#services.judge.copyPlan(outputs, format));
  }

  #told(plan: Plan): Plan {
    if (plan !== 'contradiction') return plan;
    this.#services.contradicted(this.session);
    // Most likely the catalog has changed behind the gateway's back: the next statement is judged by a new one.
    this.#services.judge.changed();
    return plan;
  }

  /** A statement that changes the catalog has run. */
  catalogChanged(): void {
    this.#services.judge.changed();
  }

  #isLive(): boolean {
    const { turn, isLive } = this.#services;
    if (this.#completed !== 'no') return false;
    if (this.#aliveIn === turn.number) return true;
    if (!isLive(this.session.grant.id)) return false;
    this.#aliveIn = turn.number;
    return true;
  }

  #decide(
    at: () => Context,
    text: string,
    shape: string | null,
    classification: Classification,
    parameters: readonly Parameter[] | null,
  ): Judgement | Promise<Judgement> {
    const { judge, dialect } = this.#services;
    const context = at();
    const question = {
      session: this.session,
      mode: dialect.mode,
      classification,
      text,
      parameters,
      searchPath: movesNames(classification, context) ? null : context.searchPath,
      fresh: false,
    };
    const ruling = judge.rule(question);
    if (ruling === 'stale') {
      return judge.refresh().then(
        () => {
          const again = judge.rule({ ...question, fresh: true });
          if (again === 'stale') return unjudged(classification);
          return this.#keep(at(), text, shape, judgement(at(), classification, again), parameters);
        },
        (error: unknown) => {
          this.#services.catalogUnread(this.session, error);
          return unjudged(classification);
        },
      );
    }
    return this.#keep(context, text, shape, judgement(context, classification, ruling), parameters);
  }

  #keep(
    context: Context,
    text: string,
    shape: string | null,
    answer: Judgement,
    parameters: readonly Parameter[] | null,
  ): Judgement {
    if (parameters !== null || !answer.ruling.lasting) return answer;
    // The same text would be read from bytes that are not UTF-8.
    if (text.includes('\ufffd')) return answer;
    if (
      shape !== null &&
      !answer.ruling.looksAtValues &&
      answer.statements.length > 0 &&
      answer.statements.every((facts) => facts.valueBlind)
    ) {
      context.byShape.set(shape, answer);
    } else {
      context.byText.set(text, answer);
    }
    return answer;
  }
}

/**
 * Does a statement of the text, before its last, move where names lead? Then the text as a whole cannot be judged by one
 * search path: the database looks names up statement by statement.
 */
function movesNames(classification: Classification, { pathWasSet }: Context): boolean {
  if (!classification.ok || classification.statements.length < 2) return false;
  return classification.statements
    .slice(0, -1)
    .some(
      ({ kinds, settings, opaque }) =>
        opaque !== null ||
        settings.some(({ name }) => name === 'search_path') ||
        kinds.some((kind) => /^drop-|^rename-|schema|^use$/.test(kind) || (pathWasSet && MOVES_BACK.has(kind))),
    );
}

/** Kinds of statements after which a setting may be what it was before. */
const ENDS_TRANSACTION: ReadonlySet<string> = new Set(['commit', 'rollback', 'rollback-to', 'prepare-transaction']);
/** Those, and what may run a `set_config` that was prepared. */
const MOVES_BACK: ReadonlySet<string> = new Set([...ENDS_TRANSACTION, 'execute', 'fetch', 'move']);

function judgement(context: Context, classification: Classification, ruling: Ruling): Judgement {
  const statements = classification.ok ? classification.statements : [];
  const kinds = statements.flatMap((facts) => facts.kinds);
  if (ruling.verdict.action !== 'allow') return { allowed: false, kinds, statements, ruling };
  const ddl = !classification.ok || ruling.verbs.some((verb) => verb === 'ddl' || verb === 'admin');
  const allowed: Omit<Allowed, typeof permit> = {
    allowed: true,
    kinds,
    statements,
    ruling,
    context,
    needsPlan: ruling.needsPlan,
    copyIn: kinds.includes('copy-from'),
    usesPrepared: uses(statements, 'prepare', 'execute'),
    runsStored: uses(statements, 'execute', 'fetch'),
    endsTransaction: kinds.some((kind) => ENDS_TRANSACTION.has(kind)),
    changesPath: ddl || statements.some((facts) => facts.settings.some(({ name }) => name === 'search_path')),
    changesCatalog: ddl,
    planned: null,
    description: null,
  };
  return allowed as Allowed;
}

function uses(statements: readonly Facts[], ...actions: readonly HandleUse['action'][]): boolean {
  return statements.some(({ handles }) => handles.some(({ action }) => actions.includes(action)));
}

const REDACTED = "'[redacted]'";

type Spans = readonly (readonly [start: number, end: number])[];

/** Where a statement's body cannot be seen into, and in a text that was not understood, secrets are known by their look alone. */
function secretsOf(text: string, statements: readonly Facts[], dialect: Dialect): Spans {
  const [only] = statements;
  if (statements.length === 1 && only?.opaque === null) return only.secrets;
  const unseen = only === undefined || statements.some(({ opaque }) => opaque !== null);
  return unseen ? dialect.looseSecrets(text) : statements.flatMap(({ secrets }) => secrets);
}

/** The text with the spans that hold secrets replaced. */
export function redacted(text: string, secrets: Spans): string {
  let out = '';
  let at = 0;
  for (const [start, end] of secrets) {
    out += text.slice(at, start) + REDACTED;
    at = end;
  }
  return at === 0 ? text : out + text.slice(at);
}
