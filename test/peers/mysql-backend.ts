// A database of MySQL's protocol for the toy language of test/peers/gate.ts, without sockets: bytes in, bytes out, one reply after the
// other. `judge` makes it the oracle: it refuses and masks by itself, as a client should see it through the gateway.
import { Fields } from '../../src/wire/mysql/decode.ts';
import { FRAME, FrameReader, packets } from '../../src/wire/mysql/frame.ts';
import { Command, err, lenenc, ok, Status, u16, u32 } from '../../src/wire/mysql/messages.ts';
import { MASKED } from './backend.ts';

const VAR_STRING = 253;
const LONG = 3;

interface Statement {
  readonly text: string;
  readonly parameters: number;
  long: string;
  /** Rows of a cursor that were not fetched. */
  rest: (readonly (number | string)[])[] | null;
}

export interface MysqlBackend {
  push(bytes: Buffer): void;
  /** What has been said since the last time. */
  take(): Buffer;
  /** Texts that have run. */
  readonly ran: string[];
}

export function mysqlBackend({
  deprecateEof,
  judge = false,
}: {
  deprecateEof: boolean;
  judge?: boolean;
}): MysqlBackend {
  const reader = new FrameReader(1 << 24);
  const out: Buffer[] = [];
  const ran: string[] = [];
  const statements = new Map<number, Statement>();
  let ids = 0;
  let transaction = 0;
  let sequence = 1;
  const status = () => Status.autocommit | transaction;
  const say = (payload: Buffer) => {
    out.push(packets(sequence, payload));
    sequence = (sequence + 1) & 0xff;
  };
  const raw = (packet: Buffer) => say(packet.subarray(4));
  const end = (flags: number, behindColumns = false) => {
    if (!deprecateEof) say(Buffer.concat([Buffer.from([0xfe, 0, 0]), u16(flags)]));
    else if (!behindColumns) say(Buffer.concat([Buffer.from([0xfe, 0, 0]), u16(flags), u16(0)]));
  };
  const refuse = () => raw(err(0, { code: 1142, sqlstate: '42000', message: 'refused' }));

  const columns = (text: string): string[] => [
    'n',
    'v',
    ...(text.includes('secret') ? ['secret'] : []),
    ...(text.includes('late') && !text.includes('later') ? ['late'] : []),
  ];
  const definition = (name: string): Buffer => {
    const strings = ['def', '', '', '', name, name].map((one) => Buffer.concat([lenenc(one.length), Buffer.from(one)]));
    const type = name === 'n' ? LONG : VAR_STRING;
    return Buffer.concat([
      ...strings,
      Buffer.from([0x0c]),
      u16(45),
      u32(400),
      Buffer.from([type]),
      u16(0),
      Buffer.alloc(3),
    ]);
  };
  const rowsOf = (text: string): (number | string)[][] => {
    const count = Number(/rows (\d+)/.exec(text)?.[1] ?? 0);
    const wide = text.includes('wide') ? 'w'.repeat(40_000) : 'v';
    return Array.from({ length: count }, (_, n) =>
      columns(text).map((name) => (name === 'n' ? n : name === 'secret' ? (judge ? MASKED : `secret ${n}`) : wide)),
    );
  };
  const text = (row: readonly (number | string)[]) =>
    Buffer.concat(row.map((value) => Buffer.concat([lenenc(`${value}`.length), Buffer.from(`${value}`)])));
  const binary = (row: readonly (number | string)[]) =>
    Buffer.concat([
      Buffer.alloc(1 + ((row.length + 9) >> 3)),
      ...row.map((value) =>
        typeof value === 'number' ? u32(value) : Buffer.concat([lenenc(value.length), Buffer.from(value)]),
      ),
    ]);

  /** One statement; false where it has failed. */
  function run(one: string, more: boolean, form: (row: readonly (number | string)[]) => Buffer): boolean {
    const flags = () => status() | (more ? Status.moreResults : 0);
    ran.push(one);
    if (one.startsWith('begin')) transaction = Status.inTransaction;
    if (one.startsWith('commit') || one.startsWith('rollback')) transaction = 0;
    if (one.startsWith('fail') || one === '') {
      raw(err(0, { code: 1054, sqlstate: '42S22', message: 'it fails' }));
      return false;
    }
    if (!one.startsWith('rows')) {
      raw(ok(0, flags()));
      return true;
    }
    say(lenenc(columns(one).length));
    for (const name of columns(one)) say(definition(name));
    end(flags(), true);
    for (const row of rowsOf(one)) say(form(row));
    if (one.includes('break')) {
      raw(err(0, { code: 1317, sqlstate: '70100', message: 'broken off' }));
      return false;
    }
    end(flags());
    return true;
  }

  function query(all: string): void {
    if (judge && all.includes('deny')) return refuse();
    const list = all.split(';');
    for (const [i, one] of list.entries()) if (!run(one, i < list.length - 1, text)) return;
  }

  function prepare(all: string): void {
    if (judge && all.includes('deny')) return refuse();
    if (all.startsWith('fail') || all === '' || all.includes(';'))
      return raw(err(0, { code: 1054, sqlstate: '42S22', message: 'it fails' }));
    const id = ++ids;
    const parameters = (all.match(/\?/g) ?? []).length;
    statements.set(id, { text: all, parameters, long: '', rest: null });
    const shown = all.startsWith('rows') ? columns(all) : [];
    say(Buffer.concat([Buffer.from([0]), u32(id), u16(shown.length), u16(parameters), Buffer.from([0]), u16(0)]));
    for (let i = 0; i < parameters; i++) say(definition('p'));
    if (parameters > 0) end(status(), true);
    for (const name of shown) say(definition(name));
    if (shown.length > 0) end(status(), true);
  }

  function execute(payload: Buffer): void {
    const found = statements.get(payload.readUInt32LE(1));
    if (found === undefined) return raw(err(0, { code: 1243, sqlstate: 'HY000', message: 'unknown' }));
    const fields = new Fields(payload, 10);
    let value = '';
    if (found.parameters > 0) {
      const nulls = fields.bytes((found.parameters + 7) >> 3);
      if (fields.uint(1) === 1) fields.bytes(2 * found.parameters);
      for (let i = 0; i < found.parameters; i++)
        if (((nulls[0] ?? 0) & (1 << i)) === 0 && found.long === '') value += fields.lenencText();
      value += found.long;
      if (!fields.ok || fields.left > 0) return raw(err(0, { code: 1210, sqlstate: 'HY000', message: 'malformed' }));
    }
    if (judge && value.includes('deny')) return refuse();
    // A cursor that is open is closed.
    found.rest = null;
    found.long = '';
    if (payload[5] === 1 && found.text.startsWith('rows')) {
      ran.push(found.text);
      say(lenenc(columns(found.text).length));
      for (const name of columns(found.text)) say(definition(name));
      found.rest = rowsOf(found.text);
      end(status() | Status.cursorExists);
      return;
    }
    run(found.text, false, binary);
  }

  function fetch(payload: Buffer): void {
    const found = statements.get(payload.readUInt32LE(1));
    const count = payload.readUInt32LE(5);
    if (found?.rest == null) return raw(err(0, { code: 1243, sqlstate: 'HY000', message: 'unknown' }));
    for (const row of found.rest.splice(0, count)) say(binary(row));
    const last = found.rest.length === 0;
    if (last) found.rest = null;
    end(status() | (last ? Status.lastRowSent : Status.cursorExists));
  }

  function take(payload: Buffer): void {
    sequence = 1;
    const body = payload.subarray(1);
    switch (payload[0]) {
      case Command.query:
        return query(body.toString());
      case Command.ping:
        return raw(ok(0, status()));
      case Command.stmtPrepare:
        return prepare(body.toString());
      case Command.stmtExecute:
        return execute(payload);
      case Command.stmtFetch:
        return fetch(payload);
      case Command.stmtSendLongData: {
        const found = statements.get(payload.readUInt32LE(1));
        if (found !== undefined && payload.readUInt16LE(5) < found.parameters)
          found.long += payload.toString('utf8', 7);
        return;
      }
      case Command.stmtClose:
        statements.delete(payload.readUInt32LE(1));
        return;
      case Command.stmtReset: {
        const found = statements.get(payload.readUInt32LE(1));
        if (found === undefined) return raw(err(0, { code: 1243, sqlstate: 'HY000', message: 'unknown' }));
        found.long = '';
        found.rest = null;
        return raw(ok(0, status()));
      }
      default:
        return raw(err(0, { code: 1047, sqlstate: '08S01', message: 'not known' }));
    }
  }

  return {
    ran,
    push(bytes) {
      reader.push(bytes);
      while (reader.next() === FRAME.whole) take(Buffer.from(reader.payload()));
    },
    take() {
      return Buffer.concat(out.splice(0));
    },
  };
}
