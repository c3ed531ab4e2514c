// The client's side of a login, byte by byte: every split, every way to open, and hostile clients.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Acceptance, type AcceptOptions, type AcceptStep, createAcceptance } from '../../../src/wire/pg/accept.ts';
import { makeVerifiers, scramClientFinal, scramClientFirst, scramServerProven } from '../../../src/wire/pg/auth.ts';
import { cstring, decodeError } from '../../../src/wire/pg/decode.ts';
import * as messages from '../../../src/wire/pg/messages.ts';
import { unthrottled } from '../unthrottled.ts';

const LOGIN = 'gr_abcdefghijklmnop';
const verifier = await makeVerifiers('pencil');
const lookup = (login: string) => (login === LOGIN ? verifier : undefined);
const END_POINT = createHash('sha256').update('a certificate').digest();
const GSSENC = Buffer.from([0, 0, 0, 8, 4, 0xd2, 0x16, 0x30]);

const accept = (tls: AcceptOptions['tls'] = 'offered', tokens = false): Acceptance =>
  unthrottled<AcceptStep, Acceptance>(createAcceptance({ tls, lookup, tokens }));
const startup = (parameters: Record<string, string> = {}, version = 0x30000) =>
  messages.startupMessage(version, Object.entries({ user: LOGIN, ...parameters }));

/** What a push sent, as one buffer. */
const sent = (steps: AcceptStep[]) =>
  Buffer.concat(steps.map((step) => (step.do === 'send' ? step.bytes : Buffer.alloc(0))));
const kinds = (steps: AcceptStep[]) => steps.map((step) => step.do).join(' ');

/** The error of a lone `close`, by field. */
function refusal(steps: AcceptStep[]): Map<string, string> {
  const last = steps.at(-1);
  assert.equal(last?.do, 'close');
  if (last?.do !== 'close') throw new Error('unreachable');
  assert.equal(last.bytes[0], messages.Backend.errorResponse, last.reason);
  const fields = decodeError(last.bytes, 5, last.bytes.length);
  assert.equal(fields?.get('S'), 'FATAL');
  return fields ?? new Map();
}

/** Pushes byte strings cut at `cuts`, and gathers the steps. */
function push(machine: Acceptance, bytes: Buffer, ...cuts: number[]): AcceptStep[] {
  const steps: AcceptStep[] = [];
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    const piece = Buffer.from(bytes.subarray(at, cut));
    steps.push(...machine.push(piece));
    piece.fill(0xff); // The machine may not count on a chunk after it has read it.
    at = cut;
  }
  return steps;
}

/** Body of the last Authentication message in some bytes. */
function authentication(bytes: Buffer): { kind: number; data: Buffer } {
  let at = 0;
  let last: { kind: number; data: Buffer } = { kind: -1, data: Buffer.alloc(0) };
  while (at < bytes.length) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    if (bytes[at] === messages.Backend.authentication) {
      last = { kind: bytes.readInt32BE(at + 5), data: bytes.subarray(at + 9, end) };
    }
    at = end;
  }
  return last;
}

interface Login {
  readonly parameters?: Record<string, string>;
  readonly version?: number;
  readonly secret?: string;
  readonly endPoint?: Buffer | null;
  /** Cuts one of the three client messages at an offset. */
  readonly cut?: (message: number, length: number) => number[];
  readonly behind?: Buffer;
}

/** A client that logs in; the steps of all that it sent, and whether the gateway proved itself. */
async function logIn(machine: Acceptance, login: Login = {}): Promise<{ steps: AcceptStep[]; proven: boolean }> {
  const cut = login.cut ?? (() => []);
  const steps: AcceptStep[] = [];
  const say = (message: number, bytes: Buffer) => {
    const answer = push(machine, bytes, ...cut(message, bytes.length));
    steps.push(...answer);
    return sent(answer);
  };
  const offer = authentication(say(0, startup(login.parameters, login.version)));
  if (offer.kind !== messages.Auth.sasl) return { steps, proven: false };
  const offered = offer.data.toString('latin1').split('\0');
  const first = scramClientFirst(offered, login.endPoint ?? null);
  const next = authentication(say(1, messages.saslInitialResponse(first.state.mechanism, first.message)));
  if (next.kind !== messages.Auth.saslContinue) return { steps, proven: false };
  const final = await scramClientFinal(first.state, next.data, login.secret ?? 'pencil');
  const bytes = Buffer.concat([messages.saslResponse(final.message), login.behind ?? Buffer.alloc(0)]);
  const last = authentication(say(2, bytes));
  return { steps, proven: scramServerProven(final.signature, last.data) };
}

test('a login is the same for every split of every message, and keeps the bytes behind it', async () => {
  const behind = messages.query('select 1');
  const lengths = [0, 0, 0];
  await logIn(accept(), {
    behind,
    cut: (message, length) => {
      lengths[message] = length;
      return [];
    },
  });
  const logInLength = (lengths[2] ?? 0) - behind.length;
  for (let message = 0; message < 3; message++) {
    for (let offset = 0; offset <= (message === 2 ? logInLength : (lengths[message] ?? 0)); offset++) {
      const cut = (m: number) => (m === message ? [offset] : []);
      const { steps, proven } = await logIn(accept(), { behind, cut });
      assert.equal(proven, true, `${message} ${offset}`);
      assert.equal(kinds(steps), 'send send send authenticated', `${message} ${offset}`);
      const last = steps.at(-1);
      assert.ok(last?.do === 'authenticated');
      assert.equal(last.login, LOGIN);
      // A cut right behind the login leaves the rest to the socket's next owner.
      assert.deepEqual(last.rest, message === 2 && offset === logInLength ? Buffer.alloc(0) : behind);
    }
  }
  const bytewise = await logIn(accept(), { cut: (_, length) => Array.from({ length }, (_, i) => i) });
  assert.equal(kinds(bytewise.steps), 'send send send authenticated');
});

test('the gateway leaves AuthenticationOk to its owner', async () => {
  const { steps } = await logIn(accept());
  assert.equal(authentication(sent(steps)).kind, messages.Auth.saslFinal);
});

test('a wrong secret and an unknown login are told the same', async () => {
  const wrong = await logIn(accept(), { secret: 'Pencil' });
  const unknown = await logIn(accept(), { parameters: { user: 'gr_nobody' } });
  assert.equal(kinds(wrong.steps), kinds(unknown.steps));
  const [a, b] = [refusal(wrong.steps), refusal(unknown.steps)];
  assert.equal(a.get('C'), '28P01');
  assert.equal(a.get('M'), `password authentication failed for user "${LOGIN}"`);
  assert.equal(b.get('M')?.replace('gr_nobody', LOGIN), a.get('M'));
  assert.equal(b.get('H'), a.get('H'));
  const close = unknown.steps.at(-1);
  assert.ok(close?.do === 'close' && close.login === 'gr_nobody');
});

test('TLS by request, then a login bound to the channel', async () => {
  const machine = accept('required');
  const steps = machine.push(messages.sslRequest());
  assert.equal(kinds(steps), 'send start-tls');
  assert.equal(sent(steps).toString(), 'S');
  assert.deepEqual(machine.tlsEstablished(null, END_POINT), []);
  const { steps: then, proven } = await logIn(machine, { endPoint: END_POINT });
  assert.equal(proven, true);
  assert.equal(kinds(then), 'send send send authenticated');
  assert.match(sent(then).toString('latin1'), /SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0/);
});

test('channel binding through something that ends TLS in between fails', async () => {
  const machine = accept();
  machine.push(messages.sslRequest());
  machine.tlsEstablished(null, END_POINT);
  const { steps } = await logIn(machine, { endPoint: createHash('sha256').update('another').digest() });
  assert.equal(refusal(steps).get('M'), 'SCRAM channel binding check failed');
});

test('SSLRequest in pieces; plaintext behind it in the same segment is refused (B2)', () => {
  for (let offset = 0; offset <= 8; offset++) {
    assert.equal(kinds(push(accept(), messages.sslRequest(), offset)), 'send start-tls');
  }
  for (const behind of [startup(), Buffer.from([0])]) {
    const fields = refusal(accept().push(Buffer.concat([messages.sslRequest(), behind])));
    assert.match(fields.get('M') ?? '', /unencrypted data after SSL/);
    assert.match(
      refusal(accept().push(Buffer.concat([GSSENC, behind]))).get('M') ?? '',
      /unencrypted data after GSSAPI/,
    );
  }
  const waiting = accept();
  waiting.push(messages.sslRequest());
  assert.equal(kinds(waiting.push(startup())), 'close');
});

test('direct TLS needs ALPN, hands the bytes on, and is refused inside TLS (B2)', async () => {
  const hello = Buffer.from([0x16, 3, 1, 0, 200, 1, 0]);
  const machine = accept('required');
  assert.deepEqual(machine.push(hello), [{ do: 'start-tls', head: hello }]);
  assert.deepEqual(machine.tlsEstablished('postgresql', END_POINT), []);
  assert.equal((await logIn(machine, { endPoint: END_POINT })).proven, true);

  const without = accept();
  without.push(hello);
  assert.equal(kinds(without.tlsEstablished(null, END_POINT)), 'close');

  for (const inside of [hello, Buffer.concat([hello, Buffer.alloc(10_100)])]) {
    const nested = accept();
    nested.push(messages.sslRequest());
    nested.tlsEstablished(null, END_POINT);
    assert.equal(kinds(nested.push(inside)), 'close');
  }
  assert.equal(kinds(accept('refused').push(hello)), 'close');
  const late = accept();
  late.push(GSSENC);
  assert.equal(kinds(late.push(hello)), 'close');
});

test('GSSENCRequest is answered N, once, and SSLRequest may follow; inside TLS neither may (B2)', () => {
  const machine = accept();
  assert.equal(sent(machine.push(GSSENC)).toString(), 'N');
  assert.equal(sent(machine.push(messages.sslRequest())).toString(), 'S');
  machine.tlsEstablished(null, END_POINT);
  assert.match(refusal(machine.push(GSSENC)).get('M') ?? '', /unsupported frontend protocol 1234\.5680/);

  const twice = accept();
  twice.push(GSSENC);
  assert.match(refusal(twice.push(GSSENC)).get('M') ?? '', /1234\.5680/);
  const nested = accept();
  nested.push(messages.sslRequest());
  nested.tlsEstablished(null, END_POINT);
  assert.match(refusal(nested.push(messages.sslRequest())).get('M') ?? '', /1234\.5679/);
});

test('inside TLS there is nothing more to encrypt, by whatever way it was begun (B2)', () => {
  for (const opening of [messages.sslRequest(), Buffer.from([0x16, 3, 1])]) {
    for (const request of [messages.sslRequest(), GSSENC]) {
      const machine = accept();
      machine.push(opening);
      machine.tlsEstablished('postgresql', END_POINT);
      assert.match(refusal(machine.push(request)).get('M') ?? '', /unsupported frontend protocol 1234/);
    }
  }
});

test('each unknown login has a salt of its own, the same each time', async () => {
  const salt = async (user: string) => {
    const { steps } = await logIn(accept(), { parameters: { user } });
    return /,s=([^,]+),i=4096/.exec(sent(steps).toString('latin1'))?.[1];
  };
  assert.notEqual(await salt('gr_one'), undefined);
  assert.equal(await salt('gr_one'), await salt('gr_one'));
  assert.notEqual(await salt('gr_one'), await salt('gr_two'));
});

test('no TLS where it is refused, no login without it where it is required', async () => {
  const off = accept('refused');
  assert.equal(sent(off.push(messages.sslRequest())).toString(), 'N');
  assert.equal((await logIn(off)).proven, true);
  assert.match(refusal(accept('required').push(startup())).get('M') ?? '', /over TLS only/);
});

test('protocol versions and options are negotiated as the server does (B3)', async () => {
  const negotiated = (version: number, parameters: Record<string, string> = {}) => {
    const bytes = sent(accept().push(startup(parameters, version)));
    if (bytes[0] !== messages.Backend.negotiateProtocolVersion) return null;
    const count = bytes.readInt32BE(9);
    return [bytes.readInt32BE(5), count, count === 0 ? '' : cstring(bytes, 13, bytes.length)];
  };
  assert.equal(negotiated(0x30000), null);
  assert.equal(negotiated(0x30001), null);
  assert.equal(negotiated(0x30002), null);
  assert.deepEqual(negotiated(0x30003), [0x30002, 0, '']);
  assert.deepEqual(negotiated(0x3270f), [0x30002, 0, '']);
  assert.deepEqual(negotiated(0x30000, { '_pq_.x': '1' }), [0x30000, 1, '_pq_.x']);
  assert.deepEqual(negotiated(0x30009, { '_pq_.x': '1' }), [0x30002, 1, '_pq_.x']);

  for (const [version, minor] of [
    [0x30000, 0],
    [0x30001, 1],
    [0x30002, 2],
    [0x30009, 2],
  ] as const) {
    const last = (await logIn(accept(), { version })).steps.at(-1);
    assert.ok(last?.do === 'authenticated');
    assert.equal(last.protocolMinor, minor);
  }
  const [old] = accept().push(startup({}, 0x20000));
  assert.ok(old?.do === 'close');
  assert.match(old.bytes.toString(), /^Eunsupported frontend protocol 2\.0: .*\n\0$/);
  assert.equal(refusal(accept().push(startup({}, 0x40000))).get('C'), '0A000');
});

test('cancel requests with short and long keys (B3)', () => {
  for (const length of [4, 32, 256]) {
    const secret = Buffer.alloc(length, 7);
    const request = messages.cancelRequest(-5, secret);
    for (const cut of [0, 3, 8, 12, request.length - 1]) {
      assert.deepEqual(push(accept('required'), request, cut), [{ do: 'cancel', pid: -5, secret }]);
    }
  }
  for (const length of [0, 3, 257]) {
    assert.equal(kinds(accept().push(messages.cancelRequest(1, Buffer.alloc(length)))), 'close');
  }
  const machine = accept();
  machine.push(messages.cancelRequest(1, Buffer.alloc(4)));
  assert.deepEqual(machine.push(startup()), []);
});

test('lengths that cannot be are refused before anything is waited for (B4)', () => {
  const opening = (length: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(length);
    return kinds(accept().push(bytes));
  };
  for (const length of [0, 3, 4, 7, -1, -2147483648, 2147483647, 1 << 30, 10_001])
    assert.equal(opening(length), 'close');
  assert.equal(opening(10_000), '');
  const inLogin = (head: number[]) => {
    const machine = accept();
    machine.push(startup());
    return kinds(machine.push(Buffer.from(head)));
  };
  assert.equal(inLogin([0x70, 0, 0, 0, 3]), 'close');
  assert.equal(inLogin([0x70, 0x40, 0, 0, 0]), 'close');
  assert.equal(inLogin([0x70, 0xff, 0xff, 0xff, 0xff]), 'close');
  assert.equal(inLogin([0x51]), 'close');
  assert.equal(inLogin([0x58]), 'close');
  assert.equal(inLogin([0x70, 0, 0, 4]), '');
});

test('a mechanism that was not offered, and bodies that are not SASL', () => {
  const answer = (bytes: Buffer) => {
    const machine = accept();
    machine.push(startup());
    return refusal(machine.push(bytes)).get('M');
  };
  const data = Buffer.from('n,,n=,r=abc');
  assert.match(answer(messages.saslInitialResponse('SCRAM-SHA-256-PLUS', data)) ?? '', /invalid SASL/);
  assert.match(answer(messages.saslInitialResponse('PLAIN', data)) ?? '', /invalid SASL/);
  assert.match(answer(messages.passwordMessage('pencil')) ?? '', /malformed SASLInitialResponse/);
  assert.match(answer(messages.saslInitialResponse('SCRAM-SHA-256', Buffer.from('n,,'))) ?? '', /malformed SCRAM/);
});

test('settings reach the database by allow-list, from parameters and from options', async () => {
  const settings = async (parameters: Record<string, string>) => {
    const last = (await logIn(accept(), { parameters })).steps.at(-1);
    assert.ok(last?.do === 'authenticated', JSON.stringify(parameters));
    return Object.fromEntries(last.settings);
  };
  assert.deepEqual(await settings({}), { client_encoding: 'UTF8' });
  for (const spelled of ['utf8', 'UTF-8', "'utf-8'", 'UNICODE', 'sql_ascii']) {
    assert.deepEqual(await settings({ client_encoding: spelled }), { client_encoding: 'UTF8' });
  }
  assert.deepEqual(await settings({ DateStyle: 'ISO', TimeZone: 'UTC', extra_float_digits: '2', replication: 'off' }), {
    datestyle: 'ISO',
    timezone: 'UTC',
    extra_float_digits: '2',
    client_encoding: 'UTF8',
  });
  const options = '-c statement_timeout=5s  -csearch_path=a\\ b\\\\ --lock-timeout=1';
  assert.deepEqual(await settings({ options, lock_timeout: '7' }), {
    lock_timeout: '7',
    statement_timeout: '5s',
    search_path: 'a b\\',
    client_encoding: 'UTF8',
  });
});

test('what is not on the list is refused with a name', () => {
  const refused = (parameters: Record<string, string>) => {
    const fields = refusal(accept().push(startup(parameters)));
    return `${fields.get('C')} ${fields.get('M')}`;
  };
  assert.match(refused({ client_encoding: 'SJIS' }), /^22023 .*SJIS/);
  assert.match(refused({ standard_conforming_strings: 'off' }), /^42501 .*standard_conforming_strings/);
  assert.match(refused({ options: '-c Session_Replication_Role=replica' }), /^42501 .*session_replication_role/);
  assert.match(refused({ options: '-c client_encoding=GBK' }), /^22023/);
  for (const options of ['-d 5', '-c', '-c x', '--=1', 'x=1', '-c search_path=a\\']) {
    assert.match(refused({ options }), /^42601 .*options/, options);
  }
  for (const value of ['true', 'database', 'on', '1', 'x', '']) assert.match(refused({ replication: value }), /^0A000/);
  assert.match(refused({ user: '' }), /^28000 no PostgreSQL user name/);
  assert.match(refused({ user: 'oidc' }), /^28000 .*issuer/);
  assert.match(refused({ user: 'oidc:task' }), /^28000 .*issuer/);
});

test('a database that is left out, and one that libpq fills in', async () => {
  const database = async (parameters: Record<string, string>) => {
    const last = (await logIn(accept(), { parameters })).steps.at(-1);
    assert.ok(last?.do === 'authenticated');
    return last.database;
  };
  assert.equal(await database({}), null);
  assert.equal(await database({ database: LOGIN }), null);
  assert.equal(await database({ database: 'analytics' }), 'analytics');
});

test('startup packets that are laid out otherwise', () => {
  const packet = (body: string) => {
    const bytes = Buffer.concat([Buffer.alloc(8), Buffer.from(body, 'latin1')]);
    bytes.writeInt32BE(bytes.length, 0);
    bytes.writeInt32BE(0x30000, 4);
    return refusal(accept().push(bytes)).get('C');
  };
  for (const body of ['', 'user', 'user\0', 'user\0x', 'user\0x\0', 'user\0x\0\0\0', 'user\0x\0\0y']) {
    assert.equal(packet(body), '08P01', JSON.stringify(body));
  }
});

test('random bytes, in any pieces, end or wait but never throw, hold little, and let nobody in', () => {
  const openings = [Buffer.alloc(0), startup(), GSSENC, messages.sslRequest()];
  fc.assert(
    fc.property(
      fc.constantFrom(...openings),
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
      (opening, pieces) => {
        const machine = accept();
        const steps = opening.length > 0 ? machine.push(opening) : [];
        for (const piece of pieces) steps.push(...machine.push(Buffer.from(piece)));
        assert.ok(!kinds(steps).includes('authenticated'));
        assert.ok(steps.filter((step) => step.do === 'close' || step.do === 'cancel').length <= 1);
      },
    ),
    { numRuns: 2000 },
  );
});
