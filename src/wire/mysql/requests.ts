// What a client sends after login: each command is judged, and passed on or answered.
//
// A machine without sockets: chunks in, spans into the outbox to the database, and what is owed into `track`. Commands are whole:
// the packets that continue one are never taken for another. A refusal takes its place in the order of replies, so that clients
// that send their next command before the reply have each where they expect it.
import type { Allowed, Gate, Judgement, Running } from '../gate.ts';
import type { Word } from '../sallyport.ts';
import type { Outbox } from '../splice.ts';
import { decodeExecute } from './decode.ts';
import { FRAME, FrameReader } from './frame.ts';
import { Command, command, type ErrorFields, err, ok, REFUSED_COMMANDS } from './messages.ts';
import { type OwnForm, type OwnPrepared, OwnStatements, prepareOk, resultOf } from './own.ts';
import type { Prepares } from './prepares.ts';
import { refusal } from './refusal.ts';
import type { Stored } from './stored.ts';
import type { Owed, Prepared, Results, Track } from './track.ts';

/** What the client's commands wait for. */
type Hold =
  | 'nothing'
  /** a verdict: a large text, or the catalog is read again */
  | 'verdict'
  /** replies that are owed: what comes next depends on them */
  | 'replies';

/** KILL: the gateway's own ids are asked for. */
export type Kill = (what: 'query' | 'connection', id: number) => boolean;

export interface RequestsOptions {
  readonly gate: Gate;
  readonly track: Track;
  readonly stored: Stored;
  readonly prepares: Prepares;
  readonly toServer: Outbox;
  /** Longest command that is held in memory, bytes. */
  readonly maxStatementBytes: number;
  /** What the gateway relies on in a session that was reset. */
  readonly pins: readonly string[];
  /** A statement that fails where the session's texts are no longer read as they were. */
  readonly check: string;
  /** The client may send several statements in one text. */
  readonly multiStatements: boolean;
  /** Client and database have agreed that OK takes EOF's place. */
  readonly deprecateEof: boolean;
  readonly kill: Kill;
  /** Called after the head of `track` may have become a reply of the gateway's own. */
  readonly emitLocal: () => void;
  /** Called when what held the client's commands is over. */
  readonly wake: () => void;
}

const UNKNOWN_STATEMENT: Omit<ErrorFields, 'message'> = { code: 1243, sqlstate: 'HY000' };
const UNKNOWN_COMMAND: Omit<ErrorFields, 'message'> = { code: 1047, sqlstate: '08S01' };
/** Kinds of statements whose effect cannot be seen, but which leave the session as it is. */
const SHOWING: ReadonlySet<string> = new Set(['describe', 'get-diagnostics', 'handler', 'show']);
/** COM_SET_OPTION: whether texts may hold several statements. */
const SEVERAL = { on: Buffer.from([0, 0]), off: Buffer.from([1, 0]) } as const;
const PREPARE_FIRST = 'PREPARE it in a statement of its own, under a name of its own, in the database that is used.';
/** CURSOR_TYPE_READ_ONLY; 0 is none. */
const READ_ONLY_CURSOR = 1;
/** What a piece of a parameter costs besides its bytes. */
const PIECE = 128;
/** Statements that one session may have prepared; each costs memory on both sides. */
const MOST_PREPARED = 20_000;
/** Characters of their texts; what was found in a text costs a few times as much. */
const MOST_PREPARED_TEXT = 32 * 1024 * 1024;

export class Requests {
  /** The client has sent COM_QUIT. */
  terminated = false;
  /** The client broke the protocol; the session ends with this. */
  problem: string | null = null;

  readonly #o: RequestsOptions;
  readonly #frames: FrameReader;
  #hold: Hold = 'nothing';
  /** The current command has to be looked at again when the hold is over. */
  #again = false;
  /** What was sent last may change how the next is judged: it waits for the reply. */
  #barrier = false;
  /** The answer that the current command was held for. */
  #verdict: Judgement | null = null;
  /** Texts may hold several statements. */
  #several: boolean;
  readonly #own = new OwnStatements();

  constructor(options: RequestsOptions) {
    this.#o = options;
    this.#several = options.multiStatements;
    this.#frames = new FrameReader(options.maxStatementBytes);
  }

  get held(): boolean {
    return this.#hold !== 'nothing';
  }

  push(chunk: Buffer): void {
    this.#frames.push(chunk);
    this.run();
  }

  /** Goes on with what has been pushed; does nothing while held. */
  run(): void {
    const frames = this.#frames;
    while (this.#hold === 'nothing' && !this.terminated && this.problem === null) {
      if (!this.#again) {
        const frame = frames.next();
        if (frame === FRAME.incomplete) return;
        if (frame === FRAME.malformed) {
          this.problem = frames.problem;
          return;
        }
        if (frames.sequence !== 0) {
          this.problem = 'a command that does not begin with packet 0';
          return;
        }
        this.#verdict = null;
      }
      this.#again = false;
      if (this.#barrier && this.#o.track.length > 0) {
        this.#wait('replies');
        return;
      }
      this.#barrier = false;
      this.#command();
    }
  }

  /** Replies have come: a hold for them may be over. */
  replied(): void {
    if (this.#hold !== 'replies' || this.#o.track.length > 0) return;
    this.#hold = 'nothing';
    this.run();
  }

  /** The session is over: what is held never runs. */
  stop(): void {
    this.terminated = true;
  }

  #command(): void {
    const payload = this.#frames.payload();
    const code = payload[0];
    switch (code) {
      case undefined:
        return this.#answer({ code: 1835, sqlstate: 'HY000', message: 'Malformed communication packet.' });
      case Command.quit:
        this.terminated = true;
        return;
      case Command.query:
        return this.#query(payload.subarray(1), null);
      case Command.initDb:
        return this.#initDb(payload.subarray(1));
      case Command.stmtPrepare:
        return this.#prepare(payload.subarray(1));
      case Command.stmtExecute:
        return this.#execute(payload);
      case Command.stmtFetch:
        return this.#fetch(payload);
      case Command.stmtSendLongData:
        return this.#longData(payload);
      case Command.stmtClose:
        return this.#close(payload);
      case Command.stmtReset:
        return this.#reset(payload);
      case Command.fieldList:
        return this.#fieldList(payload);
      case Command.ping:
      case Command.statistics:
        return this.#send({ kind: 'plain' });
      case Command.setOption:
        if (payload.length !== 3) return this.#refuseCommand('a malformed COM_SET_OPTION');
        if (payload.readUInt16LE(1) <= 1) this.#several = payload[1] === 0;
        return this.#send({ kind: 'plain' });
      case Command.resetConnection:
        return this.#resetConnection();
      default: {
        const name = REFUSED_COMMANDS.get(code) ?? `command ${code}`;
        const hint = code === Command.changeUser ? ': open another connection instead' : '';
        return this.#refuseCommand(`${name} is not allowed through the gateway${hint}`);
      }
    }
  }

  // --- Texts -------------------------------------------------------------------------------------------------------------

  /** COM_QUERY, or with `database` COM_INIT_DB, which is judged as the USE that it is. */
  #query(bytes: Buffer, database: string | null): void {
    const { gate, stored, prepares } = this.#o;
    let judgement = this.#judge(bytes);
    if (judgement === null) return;
    if (this.#hasToWait(judgement)) return this.#wait('replies');
    const hidden = judgement.allowed && this.#runsHidden(judgement);
    if (judgement.allowed && hidden && judgement.statements.length > 1) {
      const reason = 'what stands beside code that cannot be seen may be read in another way by the database';
      judgement = gate.refuse(judgement, reason, 'Send it in a text of its own.');
    }
    const text = bytes.toString('utf8');
    const running = gate.begin('query', judgement, text, null);
    if (!judgement.allowed && judgement.own !== undefined) return this.#ownResult(judgement.own, running, false);
    if (!judgement.allowed) return this.#answer(refusal(judgement, gate.session));
    if (judgement.kinds.includes('kill')) return this.#kill(judgement, running);
    if (storedResults(judgement)) return this.#results(judgement, running);
    const owed: Results = {
      kind: 'results',
      allowed: judgement,
      running,
      binary: false,
      prepared: null,
      index: 0,
      database,
    };
    if (judgement.usesPrepared) prepares.sent(judgement, text);
    if (gate.masks) stored.sent(owed, judgement, text);
    if (database !== null || judgement.changesPath || judgement.usesPrepared) this.#barrier = true;
    if (hidden) this.#sendHidden(owed);
    else this.#send(owed);
  }

  /**
   * What changes anything is sent when nothing else is owed: sent ahead, it would stand in the database's memory, and be run from there
   * though the grant is over by then. It is judged again when its time has come.
   */
  #hasToWait(judgement: Judgement): boolean {
    if (!judgement.allowed || this.#o.track.length === 0) return false;
    return judgement.usesPrepared || judgement.ruling.verbs.some((verb) => verb !== 'read');
  }

  /** Whether code runs, or is made, that nobody has seen or understood: it may leave the session otherwise than it was. */
  #runsHidden(allowed: Allowed): boolean {
    const { statements, changesCatalog } = allowed;
    if (statements.length === 0) return changesCatalog;
    const opaque = statements.some(({ opaque, kinds }) => opaque !== null && !SHOWING.has(kinds[0] ?? ''));
    return opaque || this.#o.prepares.hidden(allowed);
  }

  /** Where a body ends cannot be told, so the database takes nothing behind it for a statement. */
  #sendHidden(owed: Results): void {
    const alone = this.#several && owed.allowed.statements.length === 1;
    if (alone) this.#ask(Command.setOption, SEVERAL.off);
    this.#send(owed);
    if (alone) this.#ask(Command.setOption, SEVERAL.on);
    this.#check();
  }

  /** After code that nobody has seen: the session ends where it is not as it was. */
  #check(): void {
    const { gate, check } = this.#o;
    this.#ask(Command.query, check, 'code that cannot be seen has changed how its texts are read');
    const [database] = gate.context.searchPath ?? [];
    if (database !== undefined) this.#ask(Command.query, `USE ${quoted(database)}`);
    this.#barrier = true;
  }

  #initDb(name: Buffer): void {
    this.#query(Buffer.from(`USE ${quoted(name.toString('latin1'))}`, 'latin1'), name.toString('utf8'));
  }

  #prepare(bytes: Buffer): void {
    const { gate, track } = this.#o;
    let judgement = this.#judge(bytes);
    if (judgement === null) return;
    if (judgement.allowed) judgement = this.#preparable(judgement);
    const text = bytes.toString('utf8');
    const running = gate.begin('parse', judgement, text, null);
    if (!judgement.allowed && judgement.own !== undefined) return this.#ownPrepare(judgement.own, text, running);
    if (!judgement.allowed) return this.#answer(refusal(judgement, gate.session));
    if (track.prepared.size >= MOST_PREPARED || track.preparedText + text.length > MOST_PREPARED_TEXT) {
      const message = `more than ${MOST_PREPARED} prepared statements, or than ${MOST_PREPARED_TEXT} characters of them`;
      running.error = { code: '1461', message };
      gate.finish(running);
      return this.#answer({ code: 1461, sqlstate: '42000', message });
    }
    this.#send({ kind: 'prepare', allowed: judgement, text, running });
  }

  /** What names lead to must not move while a statement is executed by its id. */
  #preparable(judgement: Allowed): Judgement {
    const { gate } = this.#o;
    const kind =
      judgement.kinds.find((name) => ['use', 'kill', 'prepare', 'execute', 'deallocate'].includes(name)) ??
      (storedResults(judgement) ? 'SET character_set_results = NULL' : undefined);
    if (kind === undefined) return judgement;
    return gate.refuse(judgement, `${kind} cannot be prepared through the gateway`, 'Send it as a plain statement.');
  }

  #judge(bytes: Buffer): Judgement | null {
    return this.#settled(() => this.#withPrepared(this.#o.gate.judge(bytes, 0, bytes.length)));
  }

  /** EXECUTE is allowed where everything is that was ever prepared under its name. */
  #withPrepared(judgement: Judgement | Promise<Judgement>): Judgement | Promise<Judgement> {
    if (judgement instanceof Promise) return judgement.then((verdict) => this.#withPrepared(verdict));
    if (!judgement.allowed || !judgement.usesPrepared) return judgement;
    const { gate, prepares, stored } = this.#o;
    const reason = prepares.against(judgement, gate.context);
    if (reason !== null) return gate.refuse(judgement, reason, PREPARE_FIRST);
    const text = prepares.toJudge(judgement, gate.context);
    if (text === null) return judgement;
    const bytes = Buffer.from(text);
    const again = gate.judge(bytes, 0, bytes.length);
    const settle = (verdict: Judgement): Judgement => {
      if (!verdict.allowed) return verdict;
      prepares.judged(judgement, verdict.context);
      stored.judged(verdict, text);
      return judgement;
    };
    return again instanceof Promise ? again.then(settle) : settle(again);
  }

  /** KILL is the gateway's to answer: the ids that clients know are its own. */
  #kill(allowed: Allowed, running: ReturnType<Gate['begin']>): void {
    const { gate, kill, track } = this.#o;
    const [use] = allowed.statements[0]?.settings ?? [];
    const [what, id] = (use?.value ?? '').split(' ');
    const alone =
      allowed.statements.length === 1 && use?.name === 'kill' && (what === 'query' || what === 'connection');
    const done = alone && kill(what, Number(id));
    const error = alone
      ? { code: 1094, sqlstate: 'HY000', message: `Unknown thread id: ${id}` }
      : { code: 1142, sqlstate: '42000', message: 'KILL has to be sent alone' };
    if (!done) running.error = { code: String(error.code), message: error.message };
    gate.finish(running);
    if (done) this.#local(ok(this.#sequence, track.status));
    else this.#answer(error);
  }

  /** Results stay in UTF-8, as their columns say; a client that asks for them as they are stored reads that as well. */
  #results(allowed: Allowed, running: ReturnType<Gate['begin']>): void {
    const { gate, track } = this.#o;
    const alone = allowed.kinds.length === 1 && allowed.statements[0]?.settings.length === 1;
    const error = { code: 1142, sqlstate: '42000', message: 'SET character_set_results = NULL has to be sent alone' };
    if (!alone) running.error = { code: String(error.code), message: error.message };
    gate.finish(running);
    if (alone) this.#local(ok(this.#sequence, track.status));
    else this.#answer(error);
  }

  // --- Prepared statements -----------------------------------------------------------------------------------------------

  /** The statement that bytes 1 to 4 name; undefined where there is none, null while that is not known yet. */
  #named(payload: Buffer): Prepared | undefined | null {
    const { track } = this.#o;
    const found = payload.length < 5 ? undefined : track.prepared.get(payload.readUInt32LE(1));
    if (found !== undefined || !track.preparing) return found;
    this.#barrier = true;
    this.#wait('replies');
    return null;
  }

  #unknown(payload: Buffer, name: string): void {
    const id = payload.length < 5 ? 0 : payload.readUInt32LE(1);
    const message = `Unknown prepared statement handler (${id}) given to ${name}`;
    this.#answer({ ...UNKNOWN_STATEMENT, message });
  }

  #execute(payload: Buffer): void {
    const own = this.#own.named(payload);
    if (own !== undefined) return this.#ownExecute(own);
    const { gate, track, maxStatementBytes } = this.#o;
    const prepared = this.#named(payload);
    if (prepared === null) return;
    if (prepared === undefined) return this.#unknown(payload, 'mysqld_stmt_execute');
    if (prepared.longIsCut) {
      const message = `parameters of more than ${maxStatementBytes} bytes are not passed on`;
      return this.#answer({ code: 1153, sqlstate: '08S01', message });
    }
    const long = new Map([...prepared.long].map(([index, parts]) => [index, Buffer.concat(parts)]));
    const executed = decodeExecute(payload, prepared.parameters, prepared.types, long);
    if (executed === null) {
      return this.#answer({ code: 1210, sqlstate: 'HY000', message: 'Incorrect arguments to mysqld_stmt_execute' });
    }
    const { parameters, types, cursor } = executed;
    if (cursor > READ_ONLY_CURSOR) {
      return this.#answer({
        code: 1210,
        sqlstate: 'HY000',
        message: 'there are no cursors but those that are read only',
      });
    }
    let judgement = this.#settled(() => gate.judgeAgain(prepared.allowed, prepared.text, parameters, 'kept'));
    if (judgement === null) return;
    if (this.#hasToWait(judgement)) return this.#wait('replies');
    if (judgement.allowed && cursor !== 0 && judgement.kinds.includes('explain')) {
      // MySQL 9.7 ends altogether when it opens one.
      judgement = gate.refuse(judgement, 'a plan has no cursor', 'Execute it without one.');
    }
    const running = gate.begin('execute', judgement, prepared.text, parameters);
    if (!judgement.allowed) return this.#answer(refusal(judgement, gate.session));
    prepared.types = types;
    track.forgetLong(prepared);
    this.#send({
      kind: 'results',
      allowed: judgement,
      running,
      binary: true,
      prepared,
      index: 0,
      database: null,
    });
    if (judgement.changesPath) this.#barrier = true;
    if (this.#runsHidden(judgement)) this.#check();
  }

  #fetch(payload: Buffer): void {
    const { gate, track } = this.#o;
    const prepared = this.#named(payload);
    if (prepared === null) return;
    // The cursor is known when the execution before it has been answered.
    if (track.length > 0) {
      this.#barrier = true;
      return this.#wait('replies');
    }
    const cursor = prepared?.cursor;
    if (prepared === undefined || cursor === undefined) return this.#unknown(payload, 'mysqld_stmt_fetch');
    const judgement = this.#settled(() => gate.judgeAgain(cursor.allowed, prepared.text, [], 'kept'));
    if (judgement === null) return;
    const running = gate.begin('other', judgement, prepared.text, null, 'FETCH of: ');
    if (!judgement.allowed) return this.#answer(refusal(judgement, gate.session));
    this.#send({ kind: 'fetch', prepared, cursor, running });
  }

  /** Has no reply. */
  #longData(payload: Buffer): void {
    const { maxStatementBytes, track } = this.#o;
    const prepared = this.#named(payload);
    if (prepared === null) return;
    if (prepared === undefined || payload.length < 7) return;
    const index = payload.readUInt16LE(5);
    // What cannot be held cannot be judged: neither side gets more of it.
    const size = payload.length + PIECE;
    if (index >= prepared.parameters) return;
    if (track.longBytes + size > maxStatementBytes) {
      prepared.longIsCut = true;
      return;
    }
    prepared.longBytes += size;
    track.longBytes += size;
    const parts = prepared.long.get(index) ?? [];
    prepared.long.set(index, parts);
    parts.push(Buffer.from(payload.subarray(7)));
    this.#forward();
  }

  /** Has no reply. */
  #close(payload: Buffer): void {
    if (this.#own.named(payload) !== undefined) return this.#own.close(payload);
    const prepared = this.#named(payload);
    if (prepared === null) return;
    if (prepared === undefined) return;
    this.#o.track.forget(payload.readUInt32LE(1));
    this.#forward();
  }

  #reset(payload: Buffer): void {
    if (this.#own.named(payload) !== undefined) return this.#local(ok(this.#sequence, this.#o.track.status));
    const prepared = this.#named(payload);
    if (prepared === null) return;
    if (prepared === undefined) return this.#unknown(payload, 'mysqld_stmt_reset');
    this.#o.track.forgetLong(prepared);
    prepared.cursor = undefined;
    this.#send({ kind: 'plain' });
  }

  // --- Statements of the gateway's own ---------------------------------------------------------------------------------------

  #ownPrepare(word: Word, text: string, running: Running): void {
    const id = this.#own.prepare({ word, text });
    const form = this.#form;
    this.#owe(running, () => prepareOk(id, this.#o.gate.describe(word), form()));
  }

  #ownExecute({ word, text }: OwnPrepared): void {
    const { gate } = this.#o;
    const bytes = Buffer.from(text);
    const judgement = this.#settled(() => gate.judge(bytes, 0, bytes.length));
    if (judgement === null) return;
    const running = gate.begin('execute', judgement, text, []);
    if (judgement.allowed || judgement.own === undefined) {
      return this.#answer(refusal({ ...judgement, allowed: false }, gate.session));
    }
    this.#ownResult(word, running, true);
  }

  #ownResult(word: Word, running: Running, binary: boolean): void {
    const form = this.#form;
    // Nothing that is sent behind it may go before the grant has ended.
    if (word === 'complete') this.#barrier = true;
    this.#owe(running, () => {
      const bytes = resultOf(this.#o.gate.answer(word, running), binary, form());
      running.bytes += bytes.length;
      running.keep(bytes, 0, bytes.length);
      return bytes;
    });
  }

  /** How the current command is answered, when its turn has come. */
  get #form(): () => OwnForm {
    const sequence = this.#sequence;
    const { track, deprecateEof } = this.#o;
    return () => ({ sequence, status: track.status, deprecateEof });
  }

  #owe(running: Running, reply: () => Buffer): void {
    this.#o.track.owe({ kind: 'own', reply, running });
    this.#o.emitLocal();
  }

  // --- Others --------------------------------------------------------------------------------------------------------------

  /** COM_FIELD_LIST shows what SHOW COLUMNS shows. */
  #fieldList(payload: Buffer): void {
    const { gate } = this.#o;
    const end = payload.indexOf(0, 1);
    if (end < 0) return this.#refuseCommand('a malformed COM_FIELD_LIST');
    // Byte by byte: what is not UTF-8 has to stay so.
    const bytes = Buffer.from(`SHOW COLUMNS FROM ${quoted(payload.toString('latin1', 1, end))}`, 'latin1');
    const judgement = this.#judge(bytes);
    if (judgement === null) return;
    const running = gate.begin('other', judgement, bytes.toString('utf8'), null);
    if (!judgement.allowed) return this.#answer(refusal(judgement, gate.session));
    this.#send({ kind: 'fields', running });
  }

  /** The database forgets what the gateway relies on: it is told again before the client's next command. */
  #resetConnection(): void {
    const { track } = this.#o;
    if (track.length > 0) {
      this.#barrier = true;
      return this.#wait('replies');
    }
    this.#own.clear();
    this.#send({ kind: 'reset' });
    this.#pin();
  }

  /** Sets up what the gateway relies on, before the client's next command. */
  #pin(): void {
    const { gate, pins } = this.#o;
    const database = gate.context.searchPath?.[0] ?? gate.session.connection.database;
    gate.setSearchPath([database]);
    for (const pin of [...pins, `USE ${quoted(database)}`]) this.#ask(Command.query, pin);
    this.#barrier = true;
  }

  /** A command of the gateway's own. */
  #ask(code: number, body: Buffer | string, failed = 'the session could not be set up again'): void {
    const { track, toServer } = this.#o;
    toServer.push(command(code, body));
    track.owe({
      kind: 'ask',
      rows: [],
      done: (rows) => {
        if (rows === null) this.problem = failed;
      },
    });
  }

  get #sequence(): number {
    return (this.#frames.sequence + this.#frames.packets) & 0xff;
  }

  #send(owed: Owed): void {
    this.#o.track.owe(owed);
    this.#forward();
  }

  #forward(): void {
    const { buffer, start, end } = this.#frames;
    this.#o.toServer.span(buffer, start, end);
  }

  /** An error of the gateway's own, in its place in the order of replies. */
  #answer(fields: ErrorFields): void {
    this.#local(err(this.#sequence, fields));
  }

  #refuseCommand(message: string): void {
    this.#answer({ ...UNKNOWN_COMMAND, message });
  }

  #local(reply: Buffer): void {
    this.#o.track.owe({ kind: 'local', reply });
    this.#o.emitLocal();
  }

  /** The judgement, or null while it is waited for; then the same command is looked at again and gets it. */
  #settled(judge: () => Judgement | Promise<Judgement>): Judgement | null {
    const waited = this.#verdict;
    if (waited !== null) {
      this.#verdict = null;
      return waited;
    }
    const judgement = judge();
    if (!(judgement instanceof Promise)) return judgement;
    this.#wait('verdict');
    judgement.then(
      (verdict) => {
        this.#verdict = verdict;
        this.#release();
      },
      (error: unknown) => {
        this.problem = `a statement could not be judged: ${error instanceof Error ? error.message : String(error)}`;
        this.#release();
      },
    );
    return null;
  }

  #wait(hold: Hold): void {
    this.#hold = hold;
    this.#again = true;
  }

  #release(): void {
    this.#hold = 'nothing';
    this.#o.wake();
  }
}

function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** `SET character_set_results = NULL`. */
function storedResults({ statements }: Allowed): boolean {
  return statements.some(({ settings }) =>
    settings.some(({ name, value }) => name === 'character_set_results' && value?.toLowerCase() === 'null'),
  );
}
