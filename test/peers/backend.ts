// A scripted PostgreSQL backend without sockets: the protocol's state machine over a toy language, after login.
//
// It does what postgres.c does with messages: skips to Sync after an error, keeps an implicit transaction until Sync, buffers
// what it says until it has to flush. With `judge` it is also the oracle of the gateway's tests: it refuses and masks by itself
// what the gateway refuses and masks in front of it.
//
// A text is statements split at `;`, each of them words: `rows <n>` with `secret` a column to be masked, `wide` for long cells;
// `insert <x>`, `begin`, `commit`, `rollback`, `fail`, `copyin`, `copyout`, `notice`, `setpath`, `prepare` and `declare <name> <text>`, `deallocate` and `close <name>`. `deny` anywhere in a text, or as
// a parameter, is what a gateway refuses.
import { Writer } from '../../src/wire/bytes.ts';
import { Backend as B, errorResponse, noticeResponse, parameterStatus } from '../../src/wire/pg/messages.ts';
import { SEARCH_PATH } from '../../src/wire/pg/requests.ts';

export const SECRET_TABLE = 77;
export const MASKED = 'XX';
/** As in pqcomm.c. */
const SEND_BUFFER = 8192;

interface Portal {
  readonly text: string;
  next: number;
}

interface Failure {
  readonly code: string;
  /** A gateway's own refusal: it leaves an explicit transaction alone where nothing of the pipeline has run yet. */
  readonly soft: boolean;
}

class Failed extends Error {
  readonly failure: Failure;
  constructor(code: string, soft = false) {
    super(code);
    this.failure = { code, soft };
  }
}

export interface ScriptedBackend {
  /** Takes what the client sent. */
  push(bytes: Buffer): void;
  /** What has been flushed since the last call. */
  take(): Buffer;
  /** Every text and parameter that came, in order. */
  readonly heard: string[];
  /** The client has sent what no client may during a COPY: whether that is seen depends on when the COPY failed. */
  readonly strayed: boolean;
  /** What committed transactions have inserted. */
  readonly committed: string[];
  /** The lengths of CopyData that came inside a COPY. */
  readonly copied: number[];
}

export function scriptedBackend({ judge = false } = {}): ScriptedBackend {
  const heard: string[] = [];
  const committed: string[] = [];
  const copied: number[] = [];
  const statements = new Map<string, string>();
  const portals = new Map<string, Portal>();
  let input: Buffer = Buffer.alloc(0);
  const out = new Writer();
  const flushed: Buffer[] = [];
  let pending: string[] = [];
  let status = 'I';
  let skipping = false;
  let executed = 0;
  /** What is left of a text whose COPY FROM STDIN waits for data. */
  let copying: { readonly rest: string[]; readonly simple: boolean } | null = null;
  let copiedSome = false;
  /** A COPY has failed on its data: the client may not know yet. */
  let unknowing = false;
  let strayed = false;

  const flush = () => {
    if (out.length > 0) flushed.push(Buffer.from(out.take()));
  };
  const say = (bytes: Buffer) => {
    out.bytes(bytes);
    if (out.length > SEND_BUFFER) flush();
  };
  const message = (type: number, body: (w: Writer) => void = () => {}) => {
    const mark = out.begin(type);
    body(out);
    out.finish(mark);
    if (out.length > SEND_BUFFER) flush();
  };

  function fail({ code, soft }: Failure): void {
    say(errorResponse({ severity: 'ERROR', code, message: code }));
    flush();
    if (soft && executed === 0) return;
    pending = [];
    if (status === 'T') status = 'E';
  }

  function ready(): void {
    if (status === 'I') {
      committed.push(...pending.splice(0));
      portals.clear();
    }
    executed = 0;
    message(B.readyForQuery, (w) => w.u8(status.charCodeAt(0)));
    flush();
  }

  function allowed(text: string): void {
    if (judge && text.includes('deny')) throw new Failed('42501', true);
  }

  function awake(text: string): void {
    if (status === 'E' && !/^(rollback|commit)/.test(text)) throw new Failed('25P02');
  }

  function describe(text: string): void {
    const words = text.split(' ');
    if (words[0] !== 'rows') return message(B.noData);
    const columns = ['n', 'v', ...(words.includes('secret') ? ['secret'] : [])];
    message(B.rowDescription, (w) => {
      w.i16(columns.length);
      for (const name of columns) {
        const late = words.includes('late') ? 'late' : name;
        w.cstring(late)
          .i32(name === 'secret' ? SECRET_TABLE : 0)
          .i16(name === 'secret' ? 1 : 0);
        w.i32(25).i16(-1).i32(-1).i16(0);
      }
    });
  }

  function row(n: number, words: readonly string[]): void {
    const values = [`${n}`, words.includes('wide') ? 'w'.repeat(40_000) : 'v'];
    if (words.includes('secret')) values.push(judge ? MASKED : `secret ${n}`);
    message(B.dataRow, (w) => {
      w.i16(values.length);
      for (const value of values) w.i32(value.length).bytes(Buffer.from(value));
    });
  }

  const complete = (tag: string) => message(B.commandComplete, (w) => w.cstring(tag));

  /** Runs one statement; answers whether it has come to its end. */
  function run(text: string, portal: Portal, max: number, simple: boolean): boolean {
    awake(text);
    const words = text.split(' ');
    switch (words[0]) {
      case '':
        message(B.emptyQueryResponse);
        return true;
      case 'rows': {
        if (simple) describe(text);
        const end = Number(words[1]);
        let sent = 0;
        for (; portal.next < end && (max === 0 || sent < max); portal.next++, sent++) {
          if (words.includes('notice') && portal.next === 1) notice();
          if (words.includes('notify') && portal.next === 1) notify();
          if (words.includes('set') && portal.next === 1) say(parameterStatus('TimeZone', 'UTC'));
          if (words.includes('break') && portal.next === 2) throw new Failed('22012');
          row(portal.next, words);
        }
        if (max !== 0 && sent === max) message(B.portalSuspended);
        else complete(`SELECT ${sent}`);
        return true;
      }
      case 'insert':
        pending.push(words[1] ?? '');
        complete('INSERT 0 1');
        return true;
      case 'begin':
        if (status === 'I') status = 'T';
        complete('BEGIN');
        return true;
      case 'commit':
        if (status === 'T') committed.push(...pending.splice(0));
        complete(status === 'E' ? 'ROLLBACK' : 'COMMIT');
        status = 'I';
        return true;
      case 'rollback':
        pending = [];
        status = 'I';
        complete('ROLLBACK');
        return true;
      case 'copyin':
        copiedSome = false;
        message(B.copyInResponse, (w) => w.u8(0).i16(1).i16(0));
        flush();
        return false;
      case 'copyout':
        message(B.copyOutResponse, (w) => w.u8(0).i16(1).i16(0));
        for (let i = 0; i < 3; i++) message(B.copyData, (w) => w.bytes(Buffer.alloc(i * 20_000, 'c')));
        message(B.copyDone);
        complete('COPY 3');
        return true;
      case 'notice':
        notice();
        complete('DO');
        return true;
      case 'setpath':
        complete('SET');
        return true;
      case 'prepare':
        statements.set(words[1] ?? '', words.slice(2).join(' '));
        complete('PREPARE');
        return true;
      case 'deallocate':
        statements.delete(words[1] ?? '');
        complete('DEALLOCATE');
        return true;
      case 'declare': {
        const query = words.slice(2).join(' ');
        portals.set(words[1] ?? '', { text: query, next: 0 });
        complete('DECLARE CURSOR');
        return true;
      }
      case 'close':
        portals.delete(words[1] ?? '');
        complete('CLOSE CURSOR');
        return true;
      default:
        throw new Failed('22012');
    }
  }

  const notice = () => say(noticeResponse({ severity: 'NOTICE', code: '00000', message: 'note' }));
  const notify = () => message(B.notificationResponse, (w) => w.i32(7).cstring('news').cstring('payload'));

  function simple(texts: string[]): void {
    while (texts.length > 0) {
      const text = texts.shift() ?? '';
      if (!run(text, { text, next: 0 }, 0, true)) {
        copying = { rest: texts, simple: true };
        return;
      }
    }
    ready();
  }

  function query(text: string): void {
    if (text === SEARCH_PATH) {
      message(B.rowDescription, (w) => w.i16(1).cstring('p').i32(0).i16(0).i32(25).i16(-1).i32(-1).i16(0));
      message(B.dataRow, (w) => w.i16(1).i32(10).bytes(Buffer.from('["public"]')));
      complete('SELECT 1');
      return ready();
    }
    heard.push(text);
    if (text === 'refused by the gateway') throw new Failed('42601');
    allowed(text);
    simple(text.split(';'));
  }

  function copyMessage(
    type: string,
    body: Buffer,
    { rest, simple: isSimple }: { rest: string[]; simple: boolean },
  ): void {
    switch (type) {
      case 'd':
        copied.push(body.length);
        copiedSome = true;
        if (!body.includes('broken')) return;
        unknowing = true;
        throw new Failed('22P04');
      case 'c':
        copying = null;
        complete('COPY 1');
        if (isSimple) simple(rest);
        return;
      case 'f':
        throw new Failed('57014');
      case 'S':
        // The server ignores it. The gateway, which cannot know whether the COPY still goes on, ends the COPY.
        if (judge && copiedSome) throw new Failed('57014');
        return;
      case 'H':
        return;
      default:
        strayed = true;
        throw new Failed('57014');
    }
  }

  function extended(type: string, body: Buffer): void {
    let at = type === 'D' || type === 'C' ? 1 : 0;
    const name = () => {
      const end = body.indexOf(0, at);
      const found = body.toString('latin1', at, end);
      at = end + 1;
      return found;
    };
    switch (type) {
      case 'P': {
        const statement = name();
        const text = name();
        heard.push(text);
        allowed(text);
        awake(text);
        if (text.startsWith('unparseable')) throw new Failed('42601');
        if (statement !== '' && statements.has(statement)) throw new Failed('42P05');
        statements.set(statement, text);
        return message(B.parseComplete);
      }
      case 'B': {
        const portal = name();
        const text = statements.get(name());
        if (text === undefined) throw new Failed('26000', judge);
        const parameters = body.toString('latin1', at);
        heard.push(parameters);
        allowed(parameters);
        awake(text);
        if (portal !== '' && portals.has(portal)) throw new Failed('42P03');
        portals.set(portal, { text, next: 0 });
        return message(B.bindComplete);
      }
      case 'D': {
        const target = name();
        const text = body[0] === 0x53 ? statements.get(target) : portals.get(target)?.text;
        if (text === undefined) throw new Failed(body[0] === 0x53 ? '26000' : '34000');
        awake(text);
        if (body[0] === 0x53) message(B.parameterDescription, (w) => w.i16(0));
        return describe(text);
      }
      case 'E': {
        const portal = portals.get(name());
        if (portal === undefined) throw new Failed('34000', judge);
        executed++;
        if (!run(portal.text, portal, Math.max(0, body.readInt32BE(at)), false)) copying = { rest: [], simple: false };
        return;
      }
      case 'C':
        (body[0] === 0x53 ? statements : portals).delete(name());
        return message(B.closeComplete);
    }
  }

  function handle(type: string, body: Buffer): void {
    const before = copying;
    try {
      if (unknowing && !'dSH'.includes(type)) {
        unknowing = false;
        if (!'cf'.includes(type)) strayed = true;
      }
      if (type === 'S') unknowing = false;
      if (copying !== null) return copyMessage(type, body, copying);
      if (skipping && type !== 'S') return;
      if (type === 'S') {
        skipping = false;
        return ready();
      }
      if (type === 'H') return flush();
      if (type === 'Q') return query(body.toString('utf8', 0, body.length - 1));
      if (type === 'F') throw new Failed('42501', true);
      extended(type, body);
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      copying = null;
      fail(error.failure);
      if (before === null ? type === 'Q' || type === 'F' : before.simple) ready();
      else skipping = true;
      if (before !== null && type === 'S') handle(type, body);
    }
  }

  return {
    heard,
    get strayed() {
      return strayed;
    },
    committed,
    copied,
    push(bytes) {
      input = Buffer.concat([input, bytes]);
      while (input.length >= 5) {
        const end = 1 + input.readInt32BE(1);
        if (input.length < end) return;
        const body = input.subarray(5, end);
        const type = String.fromCharCode(input[0] ?? 0);
        input = input.subarray(end);
        handle(type, body);
      }
    },
    take: () => Buffer.concat(flushed.splice(0)),
  };
}
