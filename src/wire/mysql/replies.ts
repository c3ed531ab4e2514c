// What a database sends after login: each payload is matched with the command that it answers, and passed on, masked or withheld.
//
// A machine without sockets: chunks in, spans into the outbox to the client. The protocol's payloads do not say what they are: that
// follows from what is owed and what came before. Columns are held back until all of them are known, where rows need a plan: so a
// result that is withheld leaves nothing of itself. Sequence ids stay those of the database; where a masked row takes fewer packets
// than it came in, those behind it move up, and a reply that is shorter than the database's ends with an id that follows.
import type { Column } from '../../types.ts';
import type { Allowed, Gate, Outputs, Plan, Running } from '../gate.ts';
import type { Outbox } from '../splice.ts';
import { localInfile } from './copy.ts';
import { decodeColumn, decodeEof, decodeErr, decodeOk, decodePrepareOk, readLenenc } from './decode.ts';
import { FRAME, FrameReader, HEADER, lengthAt, MAX_PACKET } from './frame.ts';
import { err, Reply, Status } from './messages.ts';
import { type RowForm, RowMasker, rowForm } from './rows.ts';
import type { Stored } from './stored.ts';
import type { Owed, Prepared, Results, Track } from './track.ts';
import { WITHHELD, withheldMessage } from './withhold.ts';

/** Longest payload from a database that is held in memory, bytes. */
const LONGEST = 64 * 1024 * 1024;
/** Columns of a result (MySQL, "Limits on Table Column Count"). */
const MOST_COLUMNS = 4096;
/** Tags kept of one reply: a database may answer with any number of results. */
const MOST_TAGS = 10_000;
/** A row of more bytes is masked by itself: its masks may make it longer than a packet. */
const LONG_ROW = MAX_PACKET >> 1;

export interface RepliesOptions {
  readonly gate: Gate;
  readonly track: Track;
  readonly stored: Stored;
  readonly toClient: Outbox;
  /** Both sides have agreed that OK takes EOF's place. */
  readonly deprecateEof: boolean;
  /** Called when what held the database's replies is over. */
  readonly wake: () => void;
}

/** Where in its reply the head of `track` is. */
type At =
  | { readonly in: 'first' }
  /** Column definitions: `left` are to come, and EOF behind them where there is one. */
  | { readonly in: 'columns'; left: number }
  | { readonly in: 'columns-end' }
  | { readonly in: 'rows' }
  /** Definitions behind COM_STMT_PREPARE_OK: `left` payloads, EOFs counted. */
  | { readonly in: 'definitions'; left: number }
  /** The rest of a result that is withheld, and of those behind it. */
  | { readonly in: 'withheld'; step: 'columns' | 'columns-end' | 'rows' | 'first'; left: number };

const BINARY = Buffer.from([1]);
/** Kinds of statements that use the tables that they name. */
const CLEARS: ReadonlySet<string> = new Set(['select', 'insert', 'replace', 'update', 'delete']);

const FIRST: At = { in: 'first' };
const ROWS: At = { in: 'rows' };
const COLUMNS_END: At = { in: 'columns-end' };

export class Replies {
  /** The database broke the protocol. */
  problem: string | null = null;
  held = false;

  readonly #o: RepliesOptions;
  readonly #frames = new FrameReader(LONGEST);
  readonly #masker = new RowMasker();
  #at: At = FIRST;
  /** The definitions of a result, headers included, as they came; and what they say, where that is asked for. */
  #definitions: Buffer[] = [];
  #columns: Column[] = [];
  /** Bytes of `definitions`. */
  #described = 0;
  /** Packets by which the reply has become shorter; less than 0: longer. */
  #shift = 0;
  /** Of what could be sent next. */
  #sequence = 1;
  /** How the rows that come now are masked; null not at all. */
  #form: RowForm | null = null;
  /** A statement that touched protected columns may have left warnings behind. */
  #warned = false;
  /** Whose rows the masker holds. */
  #masking: Running | null = null;

  constructor(options: RepliesOptions) {
    this.#o = options;
  }

  /** A part of a payload has been passed on, and its rest has not come. */
  get insideMessage(): boolean {
    return this.#frames.insideMessage;
  }

  /** The sequence id of a message of the gateway's own that ends the session now. */
  get sequence(): number {
    return this.#definitions[0]?.[3] ?? this.#sequence;
  }

  push(chunk: Buffer): void {
    this.#frames.push(chunk);
    this.run();
  }

  run(): void {
    const frames = this.#frames;
    while (!this.held && this.problem === null) {
      if (this.#at === ROWS && this.#form === null) this.#rows();
      const frame = frames.next();
      if (frame === FRAME.incomplete) break;
      if (frame === FRAME.malformed) {
        this.problem = frames.problem;
        break;
      }
      if (frame === FRAME.part) this.#rowPart();
      else this.#payload();
    }
    this.#passMasked();
  }

  /** Sends the gateway's own replies that have come to the head of the order. */
  emitLocal(): void {
    const { track, toClient, gate } = this.#o;
    for (let head = track.head; head?.kind === 'local' || head?.kind === 'own'; head = track.head) {
      this.#passMasked();
      toClient.push(head.kind === 'own' ? head.reply() : head.reply);
      if (head.kind === 'own') {
        gate.finish(head.running);
        gate.settle();
      }
      track.settle();
    }
  }

  #payload(): void {
    if (this.#shift !== 0) this.#renumber();
    const { buffer, start, packets, sequence } = this.#frames;
    this.#sequence = (sequence + packets) & 0xff;
    const head = this.#o.track.head;
    const first = buffer[start + HEADER];
    if (head === undefined) return this.#unasked(first);
    if (first === undefined) return this.#violation('an empty message');
    switch (head.kind) {
      case 'results':
        return this.#results(head, first);
      case 'prepare':
        return this.#prepared(head, first);
      case 'fetch':
        return this.#fetched(head, first);
      case 'fields':
        return this.#fields(head.running, first);
      case 'plain':
        this.#forward();
        return this.#settle();
      case 'reset':
        return this.#wasReset(first);
      case 'ask':
        return this.#asked(head, first);
      case 'local':
      case 'own':
        return this.#violation('a reply that nobody waits for');
    }
  }

  /** A server that ends a session says why without being asked (ER_CLIENT_INTERACTION_TIMEOUT and its like). */
  #unasked(first: number | undefined): void {
    if (first !== Reply.err) return this.#violation('a message that nobody asked for');
    this.#forward();
  }

  // --- Results -------------------------------------------------------------------------------------------------------------

  #results(head: Results, first: number): void {
    const at = this.#at;
    switch (at.in) {
      case 'first':
        return this.#begins(head, first);
      case 'columns':
        return first === Reply.err ? this.#brokenOff(head) : this.#column(head, at);
      case 'columns-end':
        return this.#columnsEnd(head, first);
      case 'rows':
        return this.#row(head, first);
      case 'withheld':
        return this.#skip(head, at, first);
      case 'definitions':
        return this.#violation('definitions where a result is expected');
    }
  }

  /** OK, an error, or the number of columns. */
  #begins(head: Results, first: number): void {
    if (first === Reply.err) {
      this.#failed(head.running, head.allowed);
      return this.#finish(head);
    }
    if (first === Reply.ok) return this.#done(head);
    if (first === Reply.localInfile) return this.#violation(localInfile(this.#frames.payload()));
    const columns = this.#count();
    if (columns === null) return;
    this.#definitions = [];
    this.#columns = [];
    this.#described = 0;
    this.#hold(head);
    this.#at = { in: 'columns', left: columns };
  }

  #count(): number | null {
    const { buffer, start, end } = this.#frames;
    const columns = readLenenc(buffer, start + HEADER, end);
    if (columns > 0 && columns <= MOST_COLUMNS) return columns;
    this.#violation('a result of no columns, or of too many');
    return null;
  }

  /** Of the columns: it goes out when it is known how the rows are masked. */
  #hold(head: Results): void {
    if (!this.#needsPlan(head)) return this.#forwardKept(head.running);
    const { buffer, start, end } = this.#frames;
    this.#described += end - start;
    if (this.#described > LONGEST) return this.#violation('columns of too many bytes');
    this.#definitions.push(buffer.subarray(start, end));
  }

  #needsPlan(head: Results): boolean {
    return head.allowed.needsPlan || this.#quotes(head);
  }

  /** The rows are warnings, and their messages may quote protected values. */
  #quotes({ allowed, index }: Results): boolean {
    const shows = allowed.statements[index]?.kinds.includes('show-warnings') === true;
    return shows && (this.#warned || allowed.ruling.protects);
  }

  /**
   * Warnings outlive their statement: up to the next that reads or changes a table, and has worked (MySQL "SHOW WARNINGS Statement").
   */
  #warns({ ruling, statements }: Allowed, worked: boolean): void {
    if (ruling.protects) this.#warned = true;
    else if (worked && statements.length === 1 && CLEARS.has(statements[0]?.kinds[0] ?? '')) {
      this.#warned &&= statements[0]?.relations.length === 0;
    }
  }

  #column(head: Results, at: Extract<At, { in: 'columns' }>): void {
    this.#hold(head);
    if (this.#needsPlan(head)) {
      const { buffer, start, end } = this.#frames;
      const column = decodeColumn(buffer, start + HEADER, end, head.binary ? 1 : 0);
      if (column === null) return this.#violation('a malformed column definition');
      this.#columns.push(column);
    }
    if (--at.left > 0) return;
    if (this.#o.deprecateEof) this.#columnsKnown(head, 0);
    else this.#at = COLUMNS_END;
  }

  /** EOF behind the columns; where a cursor was opened, nothing follows it. */
  #columnsEnd(head: Results, first: number): void {
    if (first === Reply.err) return this.#brokenOff(head);
    const { buffer, start, end } = this.#frames;
    const status = first === Reply.eof ? decodeEof(buffer, start + HEADER, end) : null;
    if (status === null) return this.#violation('no EOF behind the columns of a result');
    this.#hold(head);
    this.#columnsKnown(head, status);
  }

  /** An error among the columns, or behind them, as where a cursor cannot be opened. Columns that are held back stay behind. */
  #brokenOff(head: Results): void {
    const sequence = this.#definitions[0]?.[3];
    this.#definitions = [];
    this.#failed(head.running, head.allowed, sequence);
    this.#finish(head);
  }

  /** All columns are known: their plan is made, and they go out, or nothing of the result does. */
  #columnsKnown(head: Results, status: number): void {
    if (!this.#needsPlan(head)) return this.#rowsFollow(head, null, status);
    const plan = this.#plan(head);
    if (!(plan instanceof Promise)) return this.#planned(head, plan, status);
    this.held = true;
    const settle = (made: Plan) => {
      this.held = false;
      this.#planned(head, made, status);
      this.#o.wake();
    };
    plan.then(settle, () => settle('contradiction'));
  }

  #plan(head: Results): Plan | Promise<Plan> {
    if (this.#quotes(head)) return this.#columns.map(({ name }) => (name === 'Message' ? () => WITHHELD : undefined));
    const { gate, stored } = this.#o;
    const { allowed, index } = head;
    const outputs = this.#outputs(head, stored.outputsOf(allowed, index));
    // The same columns have other cells in the binary protocol.
    const description = Buffer.concat(head.binary ? [BINARY, ...this.#definitions] : this.#definitions);
    const known = allowed.planned;
    if (known !== null && known.outputs === outputs && known.description.equals(description)) return known.plan;
    const keep = (plan: Plan): Plan => {
      allowed.planned = { description, outputs, plan };
      return plan;
    };
    const plan = gate.plan(this.#columns, outputs);
    return plan instanceof Promise ? plan.then(keep) : keep(plan);
  }

  /** Results behind those of the text's statements are of a CALL, whose body nobody has seen. */
  #outputs({ allowed, index }: Results, outputs: Outputs | undefined): Outputs | undefined {
    return index < Math.max(1, allowed.statements.length) ? outputs : this.#o.gate.protects ? 'unproven' : undefined;
  }

  #planned(head: Results, plan: Plan, status: number): void {
    const definitions = this.#definitions;
    this.#definitions = [];
    if (plan === 'contradiction') return this.#withhold(head, definitions, status);
    for (const part of definitions) {
      head.running.keep(part, 0, part.length);
      head.running.bytes += part.length;
      this.#o.toClient.push(part);
    }
    this.#rowsFollow(head, plan === null ? null : rowForm(plan, this.#columns, head.binary), status);
  }

  #rowsFollow(head: Results, form: RowForm | null, status: number): void {
    this.#form = form;
    if ((status & Status.cursorExists) !== 0) return this.#resultEnds(head, status);
    this.#frames.stream = form === null && this.#shift === 0;
    this.#at = ROWS;
  }

  /** A row, or what ends them. */
  #row(head: Results, first: number): void {
    if (first === Reply.err) {
      this.#failed(head.running, head.allowed);
      return this.#finish(head);
    }
    if (!this.#endsRows(first)) return this.#passRow(head.running);
    const status = this.#endStatus();
    if (status === null) return this.#violation('a malformed end of rows');
    this.#passMasked();
    this.#forwardKept(head.running);
    this.#resultEnds(head, status);
  }

  /** A row whose first cell has 16 MiB begins alike, but then it is not of one packet. */
  #endsRows(first: number): boolean {
    const { start, end, packets } = this.#frames;
    return first === Reply.eof && packets === 1 && end - start - HEADER < (this.#o.deprecateEof ? MAX_PACKET : 9);
  }

  /** Rows that nothing is masked in, once the record takes no more of them: as many as there are, at once. */
  #rows(): void {
    const frames = this.#frames;
    const head = this.#o.track.head;
    if ((head?.kind !== 'results' && head?.kind !== 'fetch') || !head.running.full || this.#shift !== 0) return;
    const count = frames.rows();
    if (count === 0) return;
    head.running.rows += count;
    head.running.bytes += frames.end - frames.start;
    this.#sequence = (frames.lastSequence + 1) & 0xff;
    this.#o.toClient.span(frames.buffer, frames.start, frames.end);
  }

  #passRow(running: Running): void {
    const { buffer, start, end, packets } = this.#frames;
    running.rows++;
    const form = this.#form;
    if (form === null) {
      running.bytes += end - start;
      running.keep(buffer, start, end);
      return this.#forward();
    }
    if (packets > 1 || end - start > LONG_ROW) {
      const made = this.#masker.long(buffer, start, end, form);
      if (made === null) return this.#malformedRow();
      this.#passMasked();
      this.#shift += packets - made.packets;
      this.#sequence = (this.#frames.sequence + made.packets) & 0xff;
      running.masked += made.masked;
      running.bytes += made.bytes.length;
      running.truncate();
      return this.#o.toClient.push(made.bytes);
    }
    const cells = this.#masker.row(buffer, start, end, form);
    if (cells < 0) return this.#malformedRow();
    running.masked += cells;
    this.#masking = running;
    // As long as the record takes what it gets, it gets it row by row.
    if (!running.full) this.#passMasked();
  }

  #malformedRow(): void {
    this.#sequence = this.#frames.sequence;
    this.#violation('a row does not fit its columns');
  }

  /** Moves the sequence ids of the current packets up behind a row that has become shorter. */
  #renumber(): void {
    const { buffer, start, end } = this.#frames;
    for (let at = start; at < end; at += HEADER + lengthAt(buffer, at)) {
      buffer[at + 3] = (buffer[at + 3] as number) - this.#shift;
    }
  }

  /** A piece of a large row that is passed on as it is. */
  #rowPart(): void {
    const { buffer, start, end, first } = this.#frames;
    const { track, toClient } = this.#o;
    const head = track.head;
    if ((head?.kind !== 'results' && head?.kind !== 'fetch') || this.#form !== null || this.#at.in !== 'rows') {
      return this.#violation('a message of this size where none can be');
    }
    if (first) head.running.rows++;
    head.running.bytes += end - start;
    head.running.truncate();
    toClient.span(buffer, start, end);
  }

  #endStatus(): number | null {
    const { buffer, start, end } = this.#frames;
    if (!this.#o.deprecateEof) return decodeEof(buffer, start + HEADER, end);
    return decodeOk(buffer, start + HEADER, end)?.status ?? null;
  }

  /** OK in a result's place. */
  #done(head: Results): void {
    const { buffer, start, end } = this.#frames;
    const decoded = decodeOk(buffer, start + HEADER, end);
    if (decoded === null) return this.#violation('a malformed OK');
    if (head.running.tags.length < MOST_TAGS) head.running.tags.push(`OK ${decoded.affected}`);
    this.#forwardKept(head.running);
    this.#resultEnds(head, decoded.status);
  }

  /** A result has ended well, and its last payload is on its way. */
  #resultEnds(head: Results, status: number): void {
    const { track, stored } = this.#o;
    track.status = status;
    this.#succeeded(head);
    stored.done(head, head.index);
    if (head.prepared !== null) {
      const opened = (status & Status.cursorExists) !== 0 && this.#at.in !== 'withheld';
      head.prepared.cursor = opened ? { form: this.#form, allowed: head.allowed } : undefined;
    }
    this.#frames.stream = false;
    this.#form = null;
    if ((status & Status.moreResults) === 0) return this.#finish(head);
    head.index++;
    this.#at = this.#at.in === 'withheld' ? { in: 'withheld', step: 'first', left: 0 } : FIRST;
  }

  /** The reply has ended. */
  #finish(head: Results): void {
    const { gate } = this.#o;
    this.#warns(head.allowed, head.running.error === null);
    this.#frames.stream = false;
    this.#form = null;
    gate.finish(head.running);
    if (head.allowed.changesCatalog) gate.catalogChanged();
    this.#settle();
  }

  /** What a statement that has worked changes for the next. */
  #succeeded({ allowed, index, database }: Results): void {
    const { gate } = this.#o;
    if (database !== null) return gate.setSearchPath([database]);
    for (const { name, value } of allowed.statements[index]?.settings ?? []) {
      if (name === 'search_path') gate.setSearchPath(value === null ? null : [value]);
    }
  }

  #forwardKept(running: Running): void {
    const { buffer, start, end } = this.#frames;
    running.bytes += end - start;
    running.keep(buffer, start, end);
    this.#forward();
  }

  // --- What is withheld ------------------------------------------------------------------------------------------------------

  /** The database describes another result than its statement has: an error stands in its place, and nothing of it goes out. */
  #withhold(head: Results, definitions: readonly Buffer[], status: number): void {
    const message = 'the result is withheld: it is not what its statement says';
    head.running.error = { code: '1105', message };
    const sequence = definitions[0]?.[3] ?? this.#sequence;
    this.#o.toClient.push(err(sequence, { code: 1105, sqlstate: 'HY000', message }));
    this.#at = { in: 'withheld', step: 'rows', left: 0 };
    this.#form = null;
    if ((status & Status.cursorExists) !== 0) this.#resultEnds(head, status);
  }

  /** Follows a reply of which nothing goes out any more. */
  #skip(head: Results, at: Extract<At, { in: 'withheld' }>, first: number): void {
    if (first === Reply.err) return this.#finish(head);
    switch (at.step) {
      case 'first': {
        if (first === Reply.ok) {
          const { buffer, start, end } = this.#frames;
          const decoded = decodeOk(buffer, start + HEADER, end);
          return decoded === null ? this.#violation('a malformed OK') : this.#resultEnds(head, decoded.status);
        }
        const columns = this.#count();
        if (columns === null) return;
        at.left = columns;
        at.step = 'columns';
        return;
      }
      case 'columns':
        if (--at.left === 0) at.step = this.#o.deprecateEof ? 'rows' : 'columns-end';
        return;
      case 'columns-end':
        at.step = 'rows';
        return;
      case 'rows': {
        if (!this.#endsRows(first)) return;
        const status = this.#endStatus();
        return status === null ? this.#violation('a malformed end of rows') : this.#resultEnds(head, status);
      }
    }
  }

  /** An error, which ends the reply. */
  #failed(running: Running, allowed: Allowed, sequence = this.#frames.sequence): void {
    const fields = decodeErr(this.#frames.payload());
    if (fields === null) return this.#violation('a malformed error');
    this.#passMasked();
    const { gate, toClient } = this.#o;
    const { code, sqlstate } = fields;
    const message = allowed.ruling.protects ? withheldMessage(code, fields.message) : gate.clean(fields.message);
    running.error = { code: String(code), message };
    if (message === fields.message && sequence === this.#frames.sequence) this.#forward();
    else toClient.push(err(sequence, { code, sqlstate, message }));
  }

  // --- Prepared statements ---------------------------------------------------------------------------------------------------

  #prepared(head: Extract<Owed, { kind: 'prepare' }>, first: number): void {
    const at = this.#at;
    if (first === Reply.err) {
      this.#failed(head.running, head.allowed);
      return this.#prepareOver(head);
    }
    if (at.in === 'definitions') {
      this.#forward();
      if (--at.left === 0) this.#prepareOver(head);
      return;
    }
    const answer = first === Reply.ok ? decodePrepareOk(this.#frames.payload()) : null;
    if (answer === null) return this.#violation('a malformed reply to COM_STMT_PREPARE');
    const { id, columns, parameters } = answer;
    const prepared: Prepared = {
      allowed: head.allowed,
      text: head.text,
      parameters,
      types: null,
      long: new Map(),
      longBytes: 0,
      longIsCut: false,
      cursor: undefined,
    };
    this.#o.track.prepare(id, prepared);
    this.#forward();
    const ends = this.#o.deprecateEof ? 0 : Number(columns > 0) + Number(parameters > 0);
    const left = columns + parameters + ends;
    if (left === 0) return this.#prepareOver(head);
    this.#at = { in: 'definitions', left };
  }

  #prepareOver(head: Extract<Owed, { kind: 'prepare' }>): void {
    this.#warns(head.allowed, false);
    this.#o.gate.finish(head.running);
    this.#settle();
  }

  #fetched(head: Extract<Owed, { kind: 'fetch' }>, first: number): void {
    const { running, cursor, prepared } = head;
    this.#warns(cursor.allowed, false);
    if (this.#at.in === 'first') {
      this.#form = cursor.form;
      this.#frames.stream = false;
      this.#at = ROWS;
    }
    if (first === Reply.err) {
      this.#failed(running, cursor.allowed);
    } else {
      if (!this.#endsRows(first)) return this.#passRow(running);
      const status = this.#endStatus();
      if (status === null) return this.#violation('a malformed end of rows');
      this.#o.track.status = status;
      if ((status & Status.lastRowSent) !== 0) prepared.cursor = undefined;
      this.#passMasked();
      this.#forwardKept(running);
    }
    this.#form = null;
    this.#o.gate.finish(running);
    this.#settle();
  }

  // --- Others ------------------------------------------------------------------------------------------------------------------

  /** Column definitions up to EOF. */
  #fields(running: Running, first: number): void {
    const ends = first === Reply.err || this.#endsRows(first);
    this.#forward();
    if (!ends) return;
    this.#o.gate.finish(running);
    this.#settle();
  }

  #wasReset(first: number): void {
    if (first === Reply.ok) this.#o.track.forgetPrepared();
    this.#forward();
    this.#settle();
  }

  #asked(head: Extract<Owed, { kind: 'ask' }>, first: number): void {
    // The gateway asks nothing that has rows here.
    const { done } = head;
    this.#settle();
    done(first === Reply.ok || first === Reply.eof ? [] : null);
  }

  #settle(): void {
    this.#at = FIRST;
    this.#shift = 0;
    this.#sequence = 1;
    this.#o.track.settle();
    this.emitLocal();
  }

  #forward(): void {
    const { buffer, start, end } = this.#frames;
    this.#passMasked();
    this.#o.toClient.span(buffer, start, end);
  }

  /** Passes on what the masker holds, before anything else goes out. */
  #passMasked(): void {
    if (this.#masker.empty) return;
    const running = this.#masking;
    this.#masker.drain((buffer, start, end) => {
      this.#o.toClient.span(buffer, start, end);
      if (running === null) return;
      running.bytes += end - start;
      running.keep(buffer, start, end);
    });
  }

  #violation(problem: string): void {
    this.problem ??= problem;
  }
}
