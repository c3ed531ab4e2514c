// What a client sends after login: each message is judged, and passed on, replaced, dropped or held.
//
// A machine without sockets: chunks in, spans into the outbox to the database, and what is owed into `track`. A refusal keeps
// the session true: it takes its place in the order of replies; inside the extended protocol everything up to the next Sync is
// dropped, as the server would. Where earlier statements of the same implicit transaction have been sent on, a message that
// must fail goes in the refused one's place, so that the database itself undoes them ("Extended Query", error handling).
import { randomBytes } from 'node:crypto';
import type { Column, Parameter } from '../../types.ts';
import type { Allowed, Gate, Judgement, Refused, Running } from '../gate.ts';
import type { Word } from '../sallyport.ts';
import type { Outbox } from '../splice.ts';
import { decodeBind, decodeClose, decodeDescribe, decodeExecute, decodeParse, decodeQuery } from './decode.ts';
import { FRAME, FrameReader, READ } from './frame.ts';
import {
  copyFail,
  describePortal,
  errorResponse,
  execute,
  Frontend,
  flush,
  query,
  readyForQuery,
  Status,
} from './messages.ts';
import {
  bindComplete,
  commandComplete,
  dataRow,
  OwnNames,
  type OwnPortal,
  parameterDescription,
  parseComplete,
  rowDescription,
} from './own.ts';
import { Prepares } from './prepares.ts';
import { refusal } from './refusal.ts';
import type { Stored } from './stored.ts';
import type { Owed, Portal, Prepared, Track } from './track.ts';

/** Type byte → how it is read. What is not here ends the session: not understood means not forwarded. */
const READS = new Uint8Array(256);
for (const type of Object.values(Frontend)) READS[type] = READ.whole;
READS[Frontend.copyData] = READ.stream;
READS[Frontend.password] = READ.refuse;

/** A portal that no client names: it cannot guess it. */
const NO_SUCH_PORTAL = `sallyport ${randomBytes(16).toString('hex')}`;

/** A text that is no statement. */
const NO_STATEMENT = 'refused by the gateway';

/** The schemas that unqualified names are looked up in, with the session's temporary schema, in order. */
export const SEARCH_PATH = 'SELECT pg_catalog.array_to_json(pg_catalog.current_schemas(true))';

/** What it answers; null where that is not a list of names. */
export function parsePath(answer: string | null | undefined): readonly string[] | null {
  try {
    const path: unknown = JSON.parse(answer ?? '');
    return Array.isArray(path) && path.every((name) => typeof name === 'string') ? path : null;
  } catch {
    return null;
  }
}

/** What the client's messages wait for. */
type Hold =
  | 'nothing'
  /** a verdict: a large text, or the catalog is read again */
  | 'verdict'
  /** replies that are owed, so that the search path can be asked for */
  | 'replies'
  /** the search path */
  | 'path'
  /** the database's answer to COPY FROM STDIN */
  | 'copy';

export interface RequestsOptions {
  readonly gate: Gate;
  readonly track: Track;
  readonly stored: Stored;
  readonly toServer: Outbox;
  /** Longest message that is held in memory, bytes. */
  readonly maxStatementBytes: number;
  /** Called after the head of `track` may have become a reply of the gateway's own. */
  readonly emitLocal: () => void;
  /** Called when what held the client's messages is over. */
  readonly wake: () => void;
}

export class Requests {
  /** The client has sent Terminate. */
  terminated = false;
  /** The client broke the protocol; the session ends with this. */
  problem: string | null = null;

  readonly #o: RequestsOptions;
  readonly #frames: FrameReader;
  /** While it is not `nothing`, nothing more is read. */
  #hold: Hold = 'nothing';
  /** The current frame has to be looked at again when the hold is over. */
  #again = false;
  /** A refusal inside the extended protocol: everything is dropped until Sync. */
  #discarding = false;
  /** Executions sent on since the last Sync. */
  #executed = 0;
  /** Extended messages sent on since the last Sync. */
  #unsynced = 0;
  /** A COPY FROM STDIN that has been sent on and is not finished. */
  #copying: Owed | null = null;
  /** CopyData has been sent on in it. */
  #copied = false;
  /** The first part of a CopyData message has been sent on, and its last has not come. */
  #inCopyData = false;
  /** The search path may have moved since it was last asked for. */
  #pathMoved = false;
  /** What may move the search path has been prepared: EXECUTE and FETCH may do it. */
  #storedMove = false;
  readonly #prepares = new Prepares();
  readonly #own = new OwnNames();
  /** SALLYPORT COMPLETE is among the executions since the last Sync. */
  #completing = false;
  /** The answer of the worker or the catalog that the current frame was held for. */
  #verdict: Judgement | null = null;

  constructor(options: RequestsOptions) {
    this.#o = options;
    this.#frames = new FrameReader(READS, options.maxStatementBytes);
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
        this.#verdict = null; // it was for the message before, which may have been dropped while it was waited for
      }
      this.#again = false;
      this.#message();
    }
  }

  /** The transaction has ended, or a statement that moves names has: the search path has to be asked for again. */
  transactionEnded(): void {
    if (this.#o.gate.context.pathWasSet) this.#pathMayMove();
  }

  #pathMayMove(): void {
    this.#pathMoved = true;
    this.#o.gate.setSearchPath(null);
  }

  /** The session is over: what is held never runs. */
  stop(): void {
    this.terminated = true;
  }

  #message(): void {
    const { type } = this.#frames;
    if (type === Frontend.terminate) {
      this.terminated = true;
      return;
    }
    if (type === Frontend.copyData && !this.#frames.first) {
      // The rest of a message goes where its beginning went: cut short, the database would read what follows as its end.
      if (this.#inCopyData) this.#forward();
      if (this.#frames.last) this.#inCopyData = false;
      return;
    }
    if (this.#copying !== null && !this.#copyMessage(this.#copying)) return;
    if (this.#discarding || this.#o.track.skipping) {
      if (type === Frontend.sync) this.#sync();
      return;
    }
    if (this.#completing && type !== Frontend.sync && type !== Frontend.flush) return this.#refuseBehindComplete();
    switch (type) {
      case Frontend.query:
        return this.#query();
      case Frontend.parse:
        return this.#parse();
      case Frontend.bind:
        return this.#bind();
      case Frontend.describe:
        return this.#describe();
      case Frontend.execute:
        return this.#execute();
      case Frontend.close:
        return this.#close();
      case Frontend.sync:
        return this.#sync();
      case Frontend.flush:
        return this.#forward();
      case Frontend.functionCall:
        return this.#functionCall();
      default:
        // CopyData, CopyDone and CopyFail outside a COPY are ignored, as the server does: the client may not know yet that
        // its COPY has failed.
        return;
    }
  }

  /** A message while a COPY FROM STDIN is under way. Answers whether it is to be handled like any other. */
  #copyMessage(copying: Owed): boolean {
    const { track, toServer } = this.#o;
    const { type, buffer, start, end, last } = this.#frames;
    if (!track.includes(copying)) {
      this.#copying = null;
      return true;
    }
    if (!track.copyIn) {
      this.#wait('copy');
      return false;
    }
    switch (type) {
      case Frontend.copyData:
        toServer.span(buffer, start, end);
        this.#inCopyData = !last;
        this.#copied = true;
        return false;
      case Frontend.copyDone:
      case Frontend.copyFail:
        toServer.span(buffer, start, end);
        this.#copyEnded(copying);
        return false;
      case Frontend.flush:
        return false; // ignored by the server
      case Frontend.sync:
        // The one that stands behind Execute is ignored by the server. A later one is too, but if some data has made the COPY
        // fail in the meantime it is answered: only where the COPY ends for certain do both sides count the same.
        if (!this.#copied) return false;
        toServer.push(copyFail('Sync during COPY from stdin'));
        this.#copyEnded(copying);
        this.#copying = null;
        return true;
      default:
        this.problem = `unexpected message type ${String.fromCharCode(type)} during COPY from stdin`;
        return false;
    }
  }

  #copyEnded(copying: Owed): void {
    this.#o.track.copyIn = this.#copied = false;
    // A query may hold another COPY, and is answered by itself; after an execution the server waits for the Sync.
    if (copying.kind === 'execute') this.#copying = null;
  }

  /** Replies have come: a hold for them may be over. */
  replied(): void {
    const { track } = this.#o;
    if (this.#hold === 'copy') {
      if (!track.copyIn && this.#copying !== null && track.includes(this.#copying)) return;
    } else if (this.#hold !== 'replies' || track.length > 0) return;
    this.#hold = 'nothing';
    this.run();
  }

  #query(): void {
    const { buffer, start, end } = this.#frames;
    const text = decodeQuery(buffer, start + 5, end);
    if (text === null) return this.#malformed('Query');
    const judgement = this.#judge(buffer, text.textStart, text.textEnd);
    if (judgement === null) return;
    const { gate, track } = this.#o;
    const sql = buffer.toString('utf8', text.textStart, text.textEnd);
    const running = gate.begin('query', judgement, sql, null);
    if (!judgement.allowed && judgement.own !== undefined) return this.#ownQuery(judgement.own, running);
    if (!judgement.allowed) {
      this.#refuseQuery(refusal(judgement, gate.session));
      return;
    }
    const owed: Owed = { kind: 'query', allowed: judgement, running, plan: judgement.needsPlan ? undefined : null };
    this.#sent(judgement, owed, sql);
    this.#executed = this.#unsynced = 0;
    track.owe(owed);
    this.#forward();
  }

  #parse(): void {
    const { buffer, start, end } = this.#frames;
    const parse = decodeParse(buffer, start + 5, end);
    if (parse === null) return this.#malformed('Parse');
    const judgement = this.#judge(buffer, parse.textStart, parse.textEnd);
    if (judgement === null) return;
    const { gate, track } = this.#o;
    const text = buffer.toString('utf8', parse.textStart, parse.textEnd);
    const parsed = judgement.allowed ? this.#parseable(judgement, parse) : judgement;
    const running = gate.begin('parse', parsed, text, null);
    if (!parsed.allowed && parsed.own !== undefined) {
      this.#own.setStatement(parse.name, { word: parsed.own, text });
      return this.#local(parseComplete(), false);
    }
    if (!parsed.allowed) return this.#refuse(parsed);
    this.#own.setStatement(parse.name);
    // SQL's EXECUTE cannot reach it, but FETCH can reach what is bound of it.
    if (judgement.allowed && judgement.changesPath) this.#storedMove = true;
    const prepared: Prepared = {
      allowed: parsed,
      text,
      parameterTypes: parse.parameterTypes,
      columns: undefined,
      describedIn: undefined,
      description: undefined,
    };
    track.owe({ kind: 'parse', name: parse.name, prepared, running });
    this.#unsynced++;
    this.#forward();
  }

  /** The judgement of a Parse message, by what it has besides its text. */
  #parseable(
    judgement: Allowed,
    parse: { readonly name: string; readonly parameterTypes: readonly number[] },
  ): Judgement {
    const { gate } = this.#o;
    if (!gate.mayBind(parse.parameterTypes)) {
      return gate.refuse(
        judgement,
        'a parameter has a type whose values are checked by a function that somebody made',
        'Leave the type to the database, or give the type below the domain.',
      );
    }
    const reason = this.#prepares.parse(parse.name);
    return reason === null ? judgement : gate.refuse(judgement, reason, 'Use another name.');
  }

  #bind(): void {
    const { buffer, start, end } = this.#frames;
    const bind = decodeBind(buffer, start + 5, end);
    if (bind === null) return this.#malformed('Bind');
    const { gate, track } = this.#o;
    const own = this.#own.statement(bind.statement);
    if (own !== undefined) {
      if (bind.parameters.length > 0) return this.#fail('08P01', 'a SALLYPORT statement has no parameters');
      this.#own.setPortal(bind.portal, { ...own, resultFormats: bind.resultFormats, done: false });
      return this.#local(bindComplete(), false);
    }
    // The database looks its names up again at Bind.
    if (this.#pathMoved && this.#askPath()) return;
    const prepared = track.statement(bind.statement);
    if (prepared === undefined) {
      return this.#fail('26000', `prepared statement "${bind.statement}" does not exist, or was made by PREPARE`);
    }
    const parameters = typed(bind.parameters, prepared.parameterTypes);
    const judgement = this.#settled(() =>
      this.#withPrepared(gate.judgeAgain(prepared.allowed, prepared.text, parameters)),
    );
    if (judgement === null) return;
    if (!judgement.allowed) {
      gate.begin('execute', judgement, prepared.text, parameters);
      return this.#refuse(judgement);
    }
    const { resultFormats } = bind;
    const plan = judgement.needsPlan ? undefined : null;
    const portal: Portal = {
      prepared,
      allowed: judgement,
      parameters,
      resultFormats,
      plan,
      started: false,
      describedIn: undefined,
      description: undefined,
    };
    this.#own.setPortal(bind.portal);
    track.owe({ kind: 'bind', name: bind.portal, portal });
    this.#unsynced++;
    this.#forward();
  }

  #describe(): void {
    const { buffer, start, end } = this.#frames;
    const target = decodeDescribe(buffer, start + 5, end);
    if (target === null) return this.#malformed('Describe');
    const { track, gate } = this.#o;
    const own = target.kind === 'S' ? this.#own.statement(target.name) : this.#own.portal(target.name);
    if (own !== undefined) {
      const formats = target.kind === 'P' ? (this.#own.portal(target.name)?.resultFormats ?? []) : [];
      const description = rowDescription(gate.describe(own.word), formats);
      return this.#local(
        target.kind === 'S' ? Buffer.concat([parameterDescription(), description]) : description,
        false,
      );
    }
    if (target.kind === 'S') {
      const prepared = track.statement(target.name);
      if (prepared === undefined) track.owe({ kind: 'describe-other' });
      else track.owe({ kind: 'describe-statement', prepared, context: gate.context });
    } else {
      const portal = track.portal(target.name);
      if (portal === undefined) track.owe({ kind: 'describe-other' });
      else {
        portal.describedIn = gate.context;
        track.owe({ kind: 'describe-portal', portal, own: false });
      }
    }
    this.#unsynced++;
    this.#forward();
  }

  #execute(): void {
    const { buffer, start, end } = this.#frames;
    const message = decodeExecute(buffer, start + 5, end);
    if (message === null) return this.#malformed('Execute');
    const { gate, track, toServer } = this.#o;
    const own = this.#own.portal(message.portal);
    if (own !== undefined) return this.#ownExecute(own);
    const portal = track.portal(message.portal);
    if (portal === undefined) {
      return this.#fail('34000', `portal "${message.portal}" does not exist, or is a cursor: use FETCH`);
    }
    const { prepared, parameters } = portal;
    const judgement = this.#settled(() =>
      this.#withPrepared(gate.judgeAgain(portal.allowed, prepared.text, parameters)),
    );
    if (judgement === null) return;
    const running = gate.begin('execute', judgement, prepared.text, parameters);
    if (!judgement.allowed) return this.#refuse(judgement);
    if (judgement.needsPlan && !this.#isPlanned(portal, judgement)) {
      // Rows may come that nobody has described in this context: the gateway asks for itself.
      portal.plan = undefined;
      portal.describedIn = judgement.context;
      track.owe({ kind: 'describe-portal', portal, own: true });
      toServer.push(describePortal(message.portal));
    }
    portal.started = true;
    const owed: Owed = { kind: 'execute', portal, running };
    this.#sent(judgement, owed, prepared.text);
    track.owe(owed);
    this.#executed++;
    this.#unsynced++;
    this.#forward();
  }

  // --- Statements of the gateway's own ---------------------------------------------------------------------------------------

  #ownQuery(word: Word, running: Running): void {
    // The query would end the pipeline for the database too, which does not get it.
    if (this.#unsynced > 0) {
      const message = 'a SALLYPORT statement in a simple query cannot end a pipeline: send Sync first';
      running.error = { code: '0A000', message };
      this.#o.gate.finish(running);
      return this.#refuseQuery(errorResponse({ severity: 'ERROR', code: '0A000', message }));
    }
    this.#answer(
      (status) => Buffer.concat([this.#ownRows(word, running, [], true), commandComplete(1), readyForQuery(status)]),
      running,
      true,
    );
    if (word === 'complete') this.#waitForReplies();
  }

  /** What was sent before SALLYPORT COMPLETE stays, so nothing fails in the database; what is sent behind it does not get there. */
  #refuseBehindComplete(): void {
    const endsQuery = this.#frames.type === Frontend.query || this.#frames.type === Frontend.functionCall;
    this.#discarding = !endsQuery;
    this.#local(
      errorResponse({ severity: 'ERROR', code: '42501', message: 'the grant is completed', hint: 'Send Sync.' }),
      endsQuery,
    );
  }

  /** Nothing is looked at before everything that is owed has been answered. */
  #waitForReplies(): void {
    if (this.#o.track.length > 0) this.#hold = 'replies';
  }

  #ownExecute(portal: OwnPortal): void {
    const { gate } = this.#o;
    const { word, text, resultFormats } = portal;
    const bytes = Buffer.from(text);
    const judgement = this.#settled(() => gate.judge(bytes, 0, bytes.length));
    if (judgement === null) return;
    const running = gate.begin('execute', judgement, text, []);
    if (judgement.allowed || judgement.own === undefined) return this.#refuse({ ...judgement, allowed: false });
    this.#answer(() => {
      if (portal.done) return commandComplete(0);
      portal.done = true;
      return Buffer.concat([this.#ownRows(word, running, resultFormats, false), commandComplete(1)]);
    }, running);
    if (word === 'complete') this.#completing = true;
  }

  /** The row that answers, also for the record, which has its description before it. */
  #ownRows(word: Word, running: Running, formats: readonly number[], described: boolean): Buffer {
    const row = this.#o.gate.answer(word, running);
    const whole = Buffer.concat([rowDescription(row, formats), dataRow(row, formats)]);
    running.keep(whole, 0, whole.length);
    const sent = described ? whole : dataRow(row, formats);
    running.bytes += sent.length;
    running.tags.push('SELECT 1');
    return sent;
  }

  #answer(reply: (status: number) => Buffer, running: Running, endsQuery = false): void {
    this.#o.track.owe({ kind: 'own', reply, running, endsQuery });
    this.#o.emitLocal();
  }

  /** What FETCH and EXECUTE bring is decided when they begin to run, and stays so: their names may come to stand for others. */
  #isPlanned(portal: Portal, judgement: Allowed): boolean {
    if (judgement.runsStored) return portal.started;
    return portal.describedIn === judgement.context || this.#planned(portal, judgement);
  }

  /** Makes the portal's plan from its statement's description, where that has come and still holds. */
  #planned(portal: Portal, { context }: Allowed): boolean {
    const { columns, describedIn } = portal.prepared;
    if (columns === undefined || describedIn !== context) return false;
    const plan =
      columns === null
        ? null
        : this.#o.gate.plan(withFormats(columns, portal.resultFormats), this.#o.stored.outputsOf(portal.allowed, 0));
    if (plan instanceof Promise) return false;
    portal.plan = plan;
    portal.describedIn = context;
    return true;
  }

  #close(): void {
    const { buffer, start, end } = this.#frames;
    const target = decodeClose(buffer, start + 5, end);
    if (target === null) return this.#malformed('Close');
    if (target.kind === 'S') this.#own.setStatement(target.name);
    else this.#own.setPortal(target.name);
    this.#o.track.owe({ kind: 'close', target: target.kind, name: target.name });
    this.#unsynced++;
    this.#forward();
  }

  #sync(): void {
    this.#discarding = false;
    this.#o.track.skipping = false;
    this.#executed = this.#unsynced = 0;
    this.#o.track.owe({ kind: 'sync' });
    this.#forward();
    if (this.#completing) this.#waitForReplies();
    this.#completing = false;
  }

  /** FunctionCall names a function by its OID and would run it unseen ("Function Call" is a legacy feature). */
  #functionCall(): void {
    const error = {
      severity: 'ERROR',
      code: '42501',
      message: 'the function call protocol is not allowed here',
      hint: 'Call the function in a SELECT statement.',
    } as const;
    this.#refuseQuery(errorResponse(error));
  }

  #forward(): void {
    const { buffer, start, end } = this.#frames;
    this.#o.toServer.span(buffer, start, end);
  }

  /** Book-keeping for a statement that is going to run. */
  #sent(allowed: Allowed, owed: Owed, text: string): void {
    const { gate } = this.#o;
    if (allowed.copyIn) {
      this.#copying = owed;
      this.#copied = false;
    }
    if (allowed.usesPrepared) this.#prepares.sent(allowed, text);
    if (gate.masks) this.#o.stored.sent(owed, allowed, text);
    if (
      allowed.changesPath ||
      (allowed.endsTransaction && gate.context.pathWasSet) ||
      (allowed.runsStored && this.#storedMove)
    ) {
      this.#pathMayMove();
    }
    // PREPARE and DECLARE keep a set_config for later.
    if (allowed.changesPath && allowed.kinds.some((kind) => kind === 'prepare' || kind === 'declare'))
      this.#storedMove = true;
  }

  /** Judges a text once the search path is known; null while that or the verdict itself is waited for. */
  #judge(buffer: Buffer, start: number, end: number): Judgement | null {
    if (this.#pathMoved && this.#askPath()) return null;
    return this.#settled(() => this.#withPrepared(this.#o.gate.judge(buffer, start, end)));
  }

  /** EXECUTE is allowed where everything is that was ever prepared under its name. */
  #withPrepared(judgement: Judgement | Promise<Judgement>): Judgement | Promise<Judgement> {
    if (judgement instanceof Promise) return judgement.then((verdict) => this.#withPrepared(verdict));
    if (!judgement.allowed || !judgement.usesPrepared) return judgement;
    const reason = this.#prepares.against(judgement);
    const { gate } = this.#o;
    if (reason !== null) return gate.refuse(judgement, reason, 'PREPARE it under another name, and EXECUTE that.');
    const text = this.#prepares.toJudge(judgement, gate.context);
    if (text === null) return judgement;
    const bytes = Buffer.from(text);
    const again = gate.judge(bytes, 0, bytes.length);
    const settle = (verdict: Judgement): Judgement => {
      if (!verdict.allowed) return verdict;
      this.#prepares.judged(judgement, verdict.context);
      this.#o.stored.judged(verdict, text);
      return judgement;
    };
    return again instanceof Promise ? again.then(settle) : settle(again);
  }

  /** The judgement, or null while it is waited for; then the same frame is looked at again and gets it. */
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

  /**
   * Asks the database where unqualified names lead now. Only possible between statements; in the middle of a pipeline, or in
   * a failed transaction, the gate goes on with an unknown search path and refuses unqualified names. Answers whether the
   * client has to wait.
   */
  #askPath(): boolean {
    const { track, toServer, gate } = this.#o;
    if (this.#unsynced > 0) return false;
    if (track.length > 0) {
      this.#wait('replies');
      return true;
    }
    if (track.status === Status.failed) return false;
    this.#wait('path');
    track.owe({
      kind: 'ask',
      rows: [],
      done: (rows) => {
        this.#pathMoved = false;
        gate.setSearchPath(parsePath(rows?.[0]?.[0]));
        this.#release();
      },
    });
    toServer.push(query(SEARCH_PATH));
    return true;
  }

  #wait(hold: Hold): void {
    this.#hold = hold;
    this.#again = true;
  }

  #release(): void {
    this.#hold = 'nothing';
    this.#o.wake();
  }

  /** The refused message takes its place in the order of replies; what follows is dropped until Sync. */
  #refuse(judgement: Refused): void {
    this.#refuseWith(refusal(judgement, this.#o.gate.session));
  }

  #fail(code: string, message: string): void {
    this.#refuseWith(errorResponse({ severity: 'ERROR', code, message }));
  }

  #refuseWith(reply: Buffer): void {
    this.#discarding = true;
    if (this.#executed === 0) return this.#local(reply, false);
    this.#o.track.owe({ kind: 'poison', reply, endsQuery: false });
    this.#o.toServer.push(execute(NO_SUCH_PORTAL, 0));
  }

  /** The refusal of a message that ReadyForQuery answers. */
  #refuseQuery(reply: Buffer): void {
    if (this.#executed === 0) {
      // A query that got there would bring the replies to what was sent before it.
      if (this.#unsynced > 0) this.#o.toServer.push(flush());
      return this.#local(reply, true);
    }
    this.#o.track.owe({ kind: 'poison', reply, endsQuery: true });
    this.#o.toServer.push(query(NO_STATEMENT));
    this.#executed = this.#unsynced = 0;
  }

  #local(error: Buffer, endsQuery: boolean): void {
    const reply = endsQuery ? (status: number) => Buffer.concat([error, readyForQuery(status)]) : () => error;
    this.#o.track.owe({ kind: 'local', reply, endsQuery });
    this.#o.emitLocal();
  }

  #malformed(name: string): void {
    this.problem = `invalid message format in ${name}`;
  }
}

/** The columns with the formats that Bind has chosen: none is text for all, one is for all, else one each. */
export function withFormats(columns: readonly Column[], formats: readonly number[]): readonly Column[] {
  return columns.map((column, i) => ({ ...column, format: (formats.length === 1 ? formats[0] : formats[i]) ?? 0 }));
}

function typed(parameters: readonly Parameter[], types: readonly number[]): readonly Parameter[] {
  if (types.length === 0) return parameters;
  return parameters.map((parameter, i) => ({ ...parameter, typeOid: types[i] ?? 0 }));
}
