// What a database sends after login: each message is matched with the request that it answers, counted, masked where the
// plan says so, and passed on.
//
// A machine without sockets: chunks in, spans into the outbox to the client. Rows whose plan is "nothing to do" are not looked
// at beyond their header. A message that answers nothing that is owed ends the session: out of step, the gateway would no
// longer know which plan a row belongs to.
import type { Allowed, Gate, Outputs, Plan, Running } from '../gate.ts';
import type { Outbox } from '../splice.ts';
import { announces, type CopyMasker, copyMasker } from './copy.ts';
import {
  decodeCommandComplete,
  decodeCopyResponse,
  decodeError,
  decodeParameterDescription,
  decodeParameterStatus,
  decodeReadyForQuery,
  decodeRowDescription,
  withResultFormats,
} from './decode.ts';
import { FRAME, FrameReader, READ } from './frame.ts';
import { Backend, errorResponse, Status } from './messages.ts';
import { RowMasker } from './rows.ts';
import type { Stored } from './stored.ts';
import type { Portal, Track } from './track.ts';
import { cleanedError, saidByCode, withheldError, withheldNotification } from './withhold.ts';

const READS = new Uint8Array(256);
for (const type of Object.values(Backend)) READS[type] = READ.whole;
READS[Backend.dataRow] = READ.stream;
READS[Backend.copyData] = READ.stream;
for (const type of [
  Backend.authentication,
  Backend.backendKeyData,
  Backend.copyBothResponse,
  Backend.functionCallResponse,
  Backend.negotiateProtocolVersion,
]) {
  READS[type] = READ.refuse;
}

/** What the messages that stand in for refused ones fail with: no such portal, not a statement. */
const POISONED = new Set(['34000', '42601']);

/** Longest message that is held in memory: a row to be masked, an error. */
const LONGEST_WHOLE = 64 * 1024 * 1024;

export interface RepliesOptions {
  readonly gate: Gate;
  readonly track: Track;
  readonly stored: Stored;
  readonly toClient: Outbox;
  /** The transaction has ended. */
  readonly transactionEnded: () => void;
  /** Called when what held the database's messages is over. */
  readonly wake: () => void;
}

export class Replies {
  /** The database broke the protocol; the session ends with this. */
  problem: string | null = null;
  held = false;

  readonly #o: RepliesOptions;
  readonly #reads = Uint8Array.from(READS);
  readonly #frames = new FrameReader(this.#reads, LONGEST_WHOLE);
  #masker: RowMasker | null = null;
  /** Of the COPY TO that is under way, where it is masked. */
  #copyMasker: CopyMasker | null = null;
  /** Whose rows the masker holds. */
  #masking: Running | null = null;
  /** The plan for the description that the current frame was held for. */
  #plan: { readonly plan: Plan } | null = null;
  #again = false;
  /** A result was withheld: nothing reaches the client before the next ReadyForQuery. */
  #muted = false;
  /** What waits for the end of a message to be told. */
  readonly #said: Buffer[] = [];

  constructor(options: RepliesOptions) {
    this.#o = options;
  }

  /** A part of a message has been passed on, and its rest has not come. */
  get insideMessage(): boolean {
    return this.#frames.insideMessage;
  }

  push(chunk: Buffer): void {
    this.#frames.push(chunk);
    this.run();
  }

  run(): void {
    const frames = this.#frames;
    this.#aim();
    while (!this.held && this.problem === null) {
      const frame = this.#again ? FRAME.whole : frames.next();
      this.#again = false;
      if (frame === FRAME.incomplete) break;
      if (frame === FRAME.malformed) {
        this.problem = frames.problem;
        break;
      }
      if (frames.type === Backend.dataRow) this.#row(frame === FRAME.whole);
      else if (frames.type === Backend.copyData) this.#copyData(frame === FRAME.whole);
      else this.#message();
    }
    this.#passMasked();
    this.#passSaid();
  }

  /** Sends the gateway's own replies that have come to the head of the order. */
  emitLocal(): void {
    const { track, gate } = this.#o;
    for (let head = track.head; head?.kind === 'local' || head?.kind === 'own'; head = track.head) {
      this.#passMasked();
      this.#send(head.reply(track.status));
      if (head.kind === 'own') {
        gate.finish(head.running);
        if (head.endsQuery) gate.settle();
      }
      track.settle();
    }
  }

  /** Tells the client something that it has not asked for, between two messages ("Asynchronous Operations"). */
  say(message: Buffer): void {
    this.#said.push(message);
    this.#passSaid();
  }

  #passSaid(): void {
    if (this.#said.length === 0 || this.insideMessage) return;
    this.#passMasked();
    for (const message of this.#said.splice(0)) this.#o.toClient.push(message);
  }

  #row(whole: boolean): void {
    const { buffer, start, end, first } = this.#frames;
    const head = this.#o.track.head;
    if (head?.kind === 'execute') {
      if (head.running.rows === 0 && first) keepDescription(head.running, head.portal);
      this.#rowOf(head.running, head.portal.plan, whole);
    } else if (head?.kind === 'query') this.#rowOf(head.running, head.plan, whole);
    else if (head?.kind === 'ask' && whole) head.rows.push(textCells(buffer, start, end));
    else if (first) this.#outOfStep('DataRow');
  }

  #rowOf(running: Running, plan: Plan | undefined, whole: boolean): void {
    const { buffer, start, end, first } = this.#frames;
    if (plan === 'contradiction') {
      if (!this.#muted) this.#withhold(running);
      return;
    }
    if (plan === null) {
      if (first) running.rows++;
      running.bytes += end - start;
      if (whole) running.keep(buffer, start, end);
      else running.truncate();
      this.#span(buffer, start, end);
      return;
    }
    if (plan === undefined) return this.#violation('rows came before their description');
    if (!whole) return this.#violation('a row to be masked came in pieces');
    this.#masker ??= new RowMasker();
    const cells = this.#masker.row(buffer, start, end, plan);
    if (cells < 0) return this.#violation('a row does not fit its description');
    running.rows++;
    running.masked += cells;
    this.#masking = running;
    // As long as the record takes what it gets, it gets it row by row.
    if (!running.full) this.#passMasked();
  }

  #copyData(whole: boolean): void {
    const { buffer, start, end, first } = this.#frames;
    const head = this.#o.track.head;
    if (head?.kind !== 'query' && head?.kind !== 'execute') return this.#outOfStep('CopyData');
    const { running } = head;
    const masker = this.#copyMasker;
    if (masker !== null) {
      if (!whole) return this.#violation('a row to be masked came in pieces');
      const before = masker.rows;
      const cells = masker.message(buffer, start, end);
      if (cells < 0) return this.#violation('a row of a COPY does not fit its form');
      running.rows += masker.rows - before;
      running.masked += cells;
      this.#masking = running;
      if (!running.full) this.#passMasked();
      return;
    }
    if (first) running.rows++;
    running.bytes += end - start;
    if (whole) running.keep(buffer, start, end);
    else running.truncate();
    this.#span(buffer, start, end);
  }

  #message(): void {
    const { type, buffer, start, end } = this.#frames;
    this.#passMasked();
    const { track } = this.#o;
    const head = track.head;
    switch (type) {
      case Backend.parseComplete:
        if (head?.kind !== 'parse') return this.#outOfStep('ParseComplete');
        return this.#settleAndForward();
      case Backend.bindComplete:
        if (head?.kind !== 'bind') return this.#outOfStep('BindComplete');
        if (this.#o.gate.masks) this.#o.stored.bound(head.name, head.portal);
        return this.#settleAndForward();
      case Backend.closeComplete:
        if (head?.kind !== 'close') return this.#outOfStep('CloseComplete');
        return this.#settleAndForward();
      case Backend.parameterDescription: {
        if (head?.kind === 'describe-other') return this.#forward();
        if (head?.kind !== 'describe-statement') return this.#outOfStep('ParameterDescription');
        const types = decodeParameterDescription(buffer, start + 5, end);
        if (types === null) return this.#malformed('ParameterDescription');
        head.prepared.parameterTypes = types;
        return this.#forward();
      }
      case Backend.rowDescription:
        return this.#rowDescription();
      case Backend.noData:
        if (head?.kind === 'describe-statement') {
          head.prepared.columns = null;
          head.prepared.describedIn = head.context;
        } else if (head?.kind === 'describe-portal')
          head.portal.plan = head.portal.allowed.needsPlan ? 'contradiction' : null;
        else if (head?.kind !== 'describe-other') return this.#outOfStep('NoData');
        return this.#described(head.kind === 'describe-portal' && head.own);
      case Backend.commandComplete: {
        const tag = decodeCommandComplete(buffer, start + 5, end);
        if (tag === null) return this.#malformed('CommandComplete');
        return this.#statementEnd(tag);
      }
      case Backend.emptyQueryResponse:
        return this.#statementEnd(null);
      case Backend.portalSuspended:
        if (head?.kind !== 'execute') return this.#outOfStep('PortalSuspended');
        return this.#statementEnd(null);
      case Backend.readyForQuery:
        return this.#ready();
      case Backend.errorResponse:
        return this.#error();
      case Backend.noticeResponse:
        return this.#notice();
      case Backend.parameterStatus:
        return this.#parameterStatus();
      case Backend.notificationResponse:
        if (!this.#o.gate.masks) return this.#forward();
        this.#send(withheldNotification(buffer, start, end));
        return;
      case Backend.copyInResponse:
        if ((head?.kind !== 'query' && head?.kind !== 'execute') || !allowedOf(head).copyIn) {
          return this.#outOfStep('CopyInResponse');
        }
        track.copyIn = true;
        return this.#forward();
      case Backend.copyOutResponse:
        return this.#copyOut();
      case Backend.copyDone:
        if (head?.kind !== 'query' && head?.kind !== 'execute') return this.#outOfStep('CopyDone');
        if (this.#copyMasker !== null && !this.#copyMasker.complete)
          return this.#violation('a COPY ended inside a row');
        this.#copyMasker = null;
        this.#aim();
        return this.#forward();
      default:
        return this.#violation(`message type 0x${type.toString(16)} is not handled`);
    }
  }

  /** CopyOutResponse: the rows that follow are masked by the analysis of their statement; the database does not describe them. */
  #copyOut(): void {
    const { buffer, start, end } = this.#frames;
    const { track, gate, stored } = this.#o;
    const head = track.head;
    if (head?.kind !== 'query' && head?.kind !== 'execute') return this.#outOfStep('CopyOutResponse');
    const allowed = allowedOf(head);
    if (gate.masks) {
      const index = head.kind === 'query' ? head.running.tags.length : 0;
      const form = allowed.statements[index]?.copy;
      const plan = gate.copyPlan(stored.outputsOf(allowed, index), form?.format === 'binary' ? 1 : 0);
      if (plan === 'contradiction') return this.#withhold(head.running);
      if (plan !== null) {
        const response = decodeCopyResponse(buffer, start + 5, end);
        const masker = form == null ? null : copyMasker(form, plan);
        if (response === null || form == null || masker === null || !announces(response, form, plan.length)) {
          return this.#withhold(head.running);
        }
        this.#copyMasker = masker;
        this.#aim();
      }
    }
    this.#forward(head.running);
  }

  #rowDescription(): void {
    const { buffer, start, end } = this.#frames;
    const { gate, track } = this.#o;
    const head = track.head;
    switch (head?.kind) {
      case 'ask':
        return;
      case 'query': {
        if (gate.masks) {
          const plan = this.#planFor(head.allowed, null);
          if (plan === undefined) return;
          head.plan = plan;
          this.#aim();
          if (plan === 'contradiction') return this.#withhold(head.running);
        }
        return this.#forward(head.running);
      }
      case 'describe-portal': {
        // What FETCH and EXECUTE bring may be something else by the time that they run.
        if (gate.masks && (head.own || !head.portal.allowed.runsStored)) {
          const plan = this.#planFor(head.portal.allowed, head.portal);
          if (plan === undefined) return;
          head.portal.plan = plan;
        }
        head.portal.description = this.#description(head.portal.allowed);
        return this.#described(head.own);
      }
      case 'describe-statement': {
        if (gate.masks) {
          const columns = decodeRowDescription(buffer, start + 5, end);
          if (columns === null) return this.#malformed('RowDescription');
          head.prepared.columns = columns;
          head.prepared.describedIn = head.context;
        }
        head.prepared.description = this.#description(head.prepared.allowed);
        return this.#described(false);
      }
      case 'describe-other':
        return this.#described(false);
      default:
        return this.#outOfStep('RowDescription');
    }
  }

  /** The plan for the description in the current frame; undefined while the catalog is read again, or it is malformed. */
  #planFor(allowed: Allowed, portal: Portal | null): Plan | undefined {
    const waited = this.#plan;
    if (waited !== null) {
      this.#plan = null;
      return waited.plan;
    }
    const { buffer, start, end } = this.#frames;
    const { planned } = allowed;
    const outputs = this.#outputs(allowed, portal);
    if (planned?.outputs === outputs && planned?.description.compare(buffer, start + 5, end) === 0) return planned.plan;
    const columns = decodeRowDescription(buffer, start + 5, end);
    if (columns === null) return void this.#malformed('RowDescription');
    const plan = this.#o.gate.plan(columns, outputs);
    if (!(plan instanceof Promise)) {
      // A portal's context may be newer than its statement's: only what belongs together is kept.
      if (portal === null || portal.describedIn === allowed.context) {
        allowed.planned = { description: Buffer.from(buffer.subarray(start + 5, end)), outputs, plan };
      }
      return plan;
    }
    this.held = true;
    plan.then(
      (made) => {
        this.#plan = { plan: made };
        this.#again = true;
        this.#release();
      },
      (error: unknown) => {
        this.problem = `a result could not be understood: ${error instanceof Error ? error.message : String(error)}`;
        this.#release();
      },
    );
    return undefined;
  }

  /** The analysis of the statement whose rows come next: of a simple query, as many have ended as there are tags. */
  #outputs(allowed: Allowed, portal: Portal | null): Outputs | undefined {
    const head = this.#o.track.head;
    const index = portal === null && head?.kind === 'query' ? head.running.tags.length : 0;
    return this.#o.stored.outputsOf(allowed, index);
  }

  /**
   * The result is not what its statement says: the client gets an error in its place, and nothing more before the next
   * ReadyForQuery, as after any error.
   */
  #withhold(running: Running): void {
    const message = 'the result is withheld: the database describes it otherwise than its statement does';
    const hint = 'Write the statement in another way, with every relation by schema and name.';
    this.#send(errorResponse({ severity: 'ERROR', code: '42501', message, hint }));
    running.error = { code: '42501', message };
    this.#muted = true;
  }

  /** A copy of the description in the current frame; one for all runs of a statement that is described alike. */
  #description(allowed: Allowed): Buffer {
    const { buffer, start, end } = this.#frames;
    const { description } = allowed;
    if (description !== null && description.compare(buffer, start, end) === 0) return description;
    const copy = Buffer.from(buffer.subarray(start, end));
    allowed.description = copy;
    return copy;
  }

  #release(): void {
    this.held = false;
    this.#o.wake();
  }

  #described(own: boolean): void {
    if (!own) this.#forward();
    this.#settle();
  }

  /** CommandComplete, EmptyQueryResponse, PortalSuspended. */
  #statementEnd(tag: string | null): void {
    const { track, gate } = this.#o;
    const head = track.head;
    if (head?.kind === 'ask') return;
    if (head?.kind === 'query') {
      this.#o.stored.done(head, head.running.tags.length);
      if (tag !== null) head.running.tags.push(tag);
      head.plan = head.allowed.needsPlan ? undefined : null;
      this.#aim();
      return this.#forward();
    }
    if (head?.kind !== 'execute') return this.#outOfStep('CommandComplete');
    this.#o.stored.done(head, 0);
    if (tag !== null) head.running.tags.push(tag);
    gate.finish(head.running);
    if (allowedOf(head).changesCatalog) gate.catalogChanged();
    this.#settleAndForward();
  }

  #ready(): void {
    const { buffer, start, end } = this.#frames;
    const { track, gate } = this.#o;
    const status = decodeReadyForQuery(buffer, start + 5, end);
    if (status === null) return this.#malformed('ReadyForQuery');
    const head = track.head;
    const ended = track.status !== Status.idle && status === Status.idle;
    if (head?.kind === 'query') {
      gate.finish(head.running);
      if (head.allowed.changesCatalog) gate.catalogChanged();
    } else if (head?.kind !== 'sync' && head?.kind !== 'ask' && !(head?.kind === 'poison' && head.endsQuery)) {
      return this.#outOfStep('ReadyForQuery');
    }
    if (head.kind === 'ask') {
      track.settle();
      track.ready(status);
      head.done(head.rows.length > 0 ? head.rows : null);
      return this.emitLocal();
    }
    this.#muted = false;
    this.#forward();
    track.settle();
    track.ready(status);
    gate.settle();
    if (ended) this.#o.transactionEnded();
    this.emitLocal();
    this.#aim();
  }

  #error(): void {
    this.#copyMasker = null;
    const { buffer, start, end } = this.#frames;
    const { track, gate } = this.#o;
    const fields = decodeError(buffer, start + 5, end);
    if (fields === null) return this.#malformed('ErrorResponse');
    const error = { code: fields.get('C') ?? 'XX000', message: fields.get('M') ?? '' };
    const head = track.head;
    if (head?.kind === 'ask') return;
    const withheld = this.#withheld(fields, Backend.errorResponse);
    const pass = () => (withheld === null ? this.#forward() : this.#send(withheld.bytes));
    // Nothing asked for it: the server ends the session, or a deferred constraint failed at the end of a pipeline.
    if (head === undefined || head.kind === 'sync') return pass();
    if ('running' in head)
      head.running.error = withheld === null ? error : { code: error.code, message: withheld.message };
    if (head.kind === 'query') {
      track.copyIn = false;
      return pass();
    }
    // Anything but the error that was asked for (the server is shutting down …) is the client's to know.
    if (head.kind === 'poison' && POISONED.has(error.code)) this.#send(head.reply);
    else pass();
    if (head.kind === 'poison' && head.endsQuery) return;
    track.copyIn = false;
    const [failed, ...skipped] = track.fail();
    if (failed !== undefined && 'running' in failed) gate.finish(failed.running);
    for (const owed of skipped) {
      if (!('running' in owed)) continue;
      owed.running.error = { code: error.code, message: 'not run: an earlier message of its pipeline failed' };
      gate.finish(owed.running);
    }
    this.emitLocal();
    this.#aim();
  }

  #notice(): void {
    const { buffer, start, end } = this.#frames;
    const head = this.#o.track.head;
    if (head?.kind === 'ask') return;
    if (!this.#o.gate.masks) return this.#forward();
    const fields = decodeError(buffer, start + 5, end);
    if (fields === null) return this.#malformed('NoticeResponse');
    const withheld = this.#withheld(fields, Backend.noticeResponse);
    if (withheld === null) return this.#forward();
    this.#send(withheld.bytes);
  }

  /** An error or notice of the statement at the head without what it may quote, or null where it may pass as it is. */
  #withheld(fields: ReadonlyMap<string, string>, type: number): { bytes: Buffer; message: string } | null {
    const { gate, track } = this.#o;
    if (!gate.masks) return null;
    if (touchesProtected(track.head) || (gate.protects && saidByCode(fields))) return withheldError(fields, type);
    return cleanedError(fields, (text) => gate.clean(text), type);
  }

  /** The gateway reads texts as UTF-8 with standard strings; a session in which that is no longer so has ended. */
  #parameterStatus(): void {
    const { buffer, start, end } = this.#frames;
    const parameter = decodeParameterStatus(buffer, start + 5, end);
    if (parameter === null) return this.#malformed('ParameterStatus');
    const { name, value } = parameter;
    if (
      (name === 'standard_conforming_strings' && value !== 'on') ||
      (name === 'client_encoding' && value !== 'UTF8')
    ) {
      return this.#violation(`the session's ${name} has become ${value}`);
    }
    this.#forward();
  }

  #settleAndForward(): void {
    this.#forward();
    this.#settle();
  }

  #settle(): void {
    const { track } = this.#o;
    track.settle();
    this.emitLocal();
    this.#aim();
  }

  /** Rows that are to be masked are read whole, others stream by. */
  #aim(): void {
    const head = this.#o.track.head;
    const plan = head?.kind === 'query' ? head.plan : head?.kind === 'execute' ? head.portal.plan : null;
    this.#reads[Backend.dataRow] = plan === null ? READ.stream : READ.whole;
    this.#reads[Backend.copyData] = this.#copyMasker === null ? READ.stream : READ.whole;
  }

  /** Passes the current frame on; a part of the result is also kept for the record. */
  #forward(running?: Running): void {
    const { buffer, start, end } = this.#frames;
    running?.keep(buffer, start, end);
    this.#span(buffer, start, end);
  }

  /** Passes on the rows that have been masked. */
  #passMasked(): void {
    const running = this.#masking;
    if (running === null) return;
    this.#masking = null;
    (this.#copyMasker ?? this.#masker)?.drain((buffer, start, end) => {
      running.bytes += end - start;
      running.keep(buffer, start, end);
      this.#span(buffer, start, end);
    });
  }

  #span(buffer: Buffer, start: number, end: number): void {
    if (!this.#muted) this.#o.toClient.span(buffer, start, end);
  }

  #send(message: Buffer): void {
    if (!this.#muted) this.#o.toClient.push(message);
  }

  #outOfStep(message: string): void {
    const head = this.#o.track.head;
    this.#violation(`${message} came where ${head === undefined ? 'nothing' : `the answer to ${head.kind}`} is due`);
  }

  #malformed(message: string): void {
    this.#violation(`invalid message format in ${message}`);
  }

  #violation(problem: string): void {
    this.problem = problem;
  }
}

/** Puts the description of a portal's rows before them in the record. */
function keepDescription(running: Running, { description, prepared, resultFormats }: Portal): void {
  const described = description ?? (prepared.description && withResultFormats(prepared.description, resultFormats));
  if (described !== undefined) running.keep(described, 0, described.length);
}

function allowedOf(head: { readonly allowed: Allowed } | { readonly portal: Portal }): Allowed {
  return 'allowed' in head ? head.allowed : head.portal.allowed;
}

/** May what the database says of the request be about protected columns? True where that cannot be told. */
function touchesProtected(head: object | undefined): boolean {
  const owed = (head ?? {}) as { allowed?: Allowed; portal?: Portal; prepared?: { allowed: Allowed } };
  const allowed = owed.allowed ?? owed.portal?.allowed ?? owed.prepared?.allowed;
  if (allowed === undefined) return true;
  // A constraint of any statement before may fail at the end.
  return allowed.ruling.protects || allowed.endsTransaction || allowed.kinds.includes('set-constraints');
}

/** The cells of a DataRow in text format. */
function textCells(buffer: Buffer, start: number, end: number): (string | null)[] {
  const cells: (string | null)[] = [];
  let at = start + 7;
  while (at + 4 <= end) {
    const length = buffer.readInt32BE(at);
    at += 4;
    cells.push(length < 0 ? null : buffer.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  return cells;
}
