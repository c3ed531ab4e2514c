// The database's side of a login, byte by byte: a scripted database cut at every offset, and hostile ones (B5).

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TlsMode } from '../../../src/types.ts';
import { makeVerifiers, type ScramServer, scramServerFinal, scramServerFirst } from '../../../src/wire/pg/auth.ts';
import { createDial, type Dial, type DialStep } from '../../../src/wire/pg/dial.ts';
import * as messages from '../../../src/wire/pg/messages.ts';

const SECRET = 'correct-horse';
const END_POINT = createHash('sha256').update('a certificate').digest();
const verifier = await makeVerifiers(SECRET);

const dial = (tls: TlsMode = 'disable') =>
  createDial({ tls, user: 'svc', database: 'db', password: () => SECRET, parameters: [['application_name', 'a']] });

const KEY = messages.backendKeyData(42, Buffer.from([1, 2, 3, 4]));
const STATUSES = Buffer.concat([
  messages.parameterStatus('client_encoding', 'UTF8'),
  messages.parameterStatus('standard_conforming_strings', 'on'),
  messages.parameterStatus('server_version', '18.0'),
]);
const NOTICE = messages.noticeResponse({ severity: 'NOTICE', code: '00000', message: 'welcome' });
const READY = messages.readyForQuery(messages.Status.idle);
const OK = messages.authenticationOk();
const WELCOME = Buffer.concat([OK, NOTICE, STATUSES, KEY, READY]);
const raw = (type: number, ...body: number[]) => {
  const bytes = Buffer.from([type, 0, 0, 0, 0, ...body]);
  bytes.writeInt32BE(bytes.length - 1, 1);
  return bytes;
};

/** Pushes bytes in pieces; the chunk is spoilt after each, as a socket that reads into one buffer would. */
async function push(machine: Dial, bytes: Buffer, ...cuts: number[]): Promise<DialStep[]> {
  const steps: DialStep[] = [];
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    const piece = Buffer.from(bytes.subarray(at, cut));
    steps.push(...(await machine.push(piece)));
    piece.fill(0xff);
    at = cut;
  }
  return steps;
}

const body = (steps: DialStep[]): Buffer => {
  const [step] = steps;
  assert.ok(step?.do === 'send', JSON.stringify(step));
  return step.bytes.subarray(5);
};

async function failure(machine: Dial, ...sent: Buffer[]): Promise<string> {
  const steps = await push(machine, Buffer.concat(sent));
  const last = steps.at(-1);
  assert.ok(last?.do === 'failed', JSON.stringify(steps.map((s) => s.do)));
  assert.deepEqual(await machine.push(WELCOME), [], 'nothing is read after a failure');
  return last.message;
}

/** A database that asks for SCRAM, cut at one offset of one of its messages. */
async function scram(
  machine: Dial,
  { plus = false, cut = (_: number, _length: number): number[] => [], end = WELCOME } = {},
) {
  const answer = (n: number, bytes: Buffer) => push(machine, bytes, ...cut(n, bytes.length));
  const offer = plus ? ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] : ['SCRAM-SHA-256'];
  const first = body(await answer(0, messages.authenticationSasl(offer)));
  const name = first.toString('latin1', 0, first.indexOf(0));
  assert.equal(name, offer[0]);
  const mechanism = plus ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256';
  const begun = scramServerFirst(mechanism, first.subarray(name.length + 5), verifier, plus ? END_POINT : null);
  assert.ok('state' in begun);
  const final = scramServerFinal(
    begun.state,
    body(await answer(1, messages.authenticationSaslContinue(begun.message))),
  );
  assert.ok('message' in final, JSON.stringify(final));
  return answer(2, Buffer.concat([messages.authenticationSaslFinal(final.message), end]));
}

/** The machine in the middle of SCRAM, with what it waits for. */
async function scramBegun(): Promise<{ machine: Dial; state: ScramServer; message: Buffer }> {
  const machine = dial();
  const first = body(await push(machine, messages.authenticationSasl(['SCRAM-SHA-256'])));
  const begun = scramServerFirst('SCRAM-SHA-256', first.subarray('SCRAM-SHA-256'.length + 5), verifier, null);
  assert.ok('state' in begun);
  return { machine, ...begun };
}

function ready(steps: DialStep[]): DialStep & { do: 'ready' } {
  const last = steps.at(-1);
  assert.ok(last?.do === 'ready', JSON.stringify(last));
  return last;
}

test('the startup packet says what the gateway relies on, whatever it was given', () => {
  const machine = createDial({
    tls: 'disable',
    user: 'svc',
    database: 'db',
    password: () => SECRET,
    parameters: [
      ['user', 'postgres'],
      ['database', 'x'],
      ['client_encoding', 'SJIS'],
      ['datestyle', 'ISO'],
    ],
  });
  const words = machine.start().toString('latin1', 8).split('\0');
  const pairs = Object.fromEntries(words.flatMap((w, i) => (i % 2 === 0 && w !== '' ? [[w, words[i + 1]]] : [])));
  assert.deepEqual(pairs, {
    user: 'svc',
    database: 'db',
    client_encoding: 'UTF8',
    datestyle: 'ISO',
    standard_conforming_strings: 'on',
  });
});

test('a login is the same for every split of what the database says', async () => {
  const behind = Buffer.concat([WELCOME, messages.parameterStatus('x', 'y')]);
  const lengths: number[] = [];
  const measure = (n: number, length: number) => {
    lengths[n] = length;
    return [];
  };
  ready(await scram(dial(), { cut: measure }));
  for (const [message, length] of lengths.entries()) {
    for (let offset = 0; offset < length; offset++) {
      const cut = (n: number) => (n === message ? [offset] : []);
      const step = ready(await scram(dial(), { cut, end: behind }));
      assert.equal(step.backendPid, 42);
      assert.deepEqual([...step.backendSecret], [1, 2, 3, 4]);
      assert.equal(step.parameters.get('server_version'), '18.0');
      assert.deepEqual(step.rest, messages.parameterStatus('x', 'y'));
    }
  }
  ready(await scram(dial(), { cut: (_, length) => Array.from({ length }, (_, i) => i) }));
});

test('TLS as each mode has it', async () => {
  const machine = dial('require');
  assert.deepEqual(machine.start(), messages.sslRequest());
  assert.deepEqual(await machine.push(Buffer.from('S')), [{ do: 'start-tls' }]);
  assert.equal(machine.tlsEstablished(END_POINT).readInt32BE(4), 0x30000);
  ready(await scram(machine, { plus: true }));

  const prefers = dial('prefer');
  const [step] = await prefers.push(Buffer.from('N'));
  assert.ok(step?.do === 'send' && step.bytes.readInt32BE(4) === 0x30000);
  ready(await scram(prefers));

  for (const mode of ['require', 'verify-ca', 'verify-full'] as const) {
    assert.match(await failure(dial(mode), Buffer.from('N')), /offers no TLS/);
  }
  assert.match(await failure(dial('prefer'), Buffer.from('HTTP/1.1')), /unencrypted data/);
  assert.match(await failure(dial('prefer'), Buffer.from('H')), /not a PostgreSQL server/);
});

test('plaintext behind the answer to SSLRequest is refused (B2)', async () => {
  assert.match(await failure(dial('require'), Buffer.from('S'), OK), /unencrypted data/);
  assert.match(await failure(dial('prefer'), Buffer.from('N'), OK), /unencrypted data/);
  const machine = dial('require');
  await machine.push(Buffer.from('S'));
  assert.match(await failure(machine, OK), /unencrypted data/);
});

test('trust, md5, and clear text inside TLS alone', async () => {
  ready(await push(dial(), WELCOME));
  const md5 = dial();
  assert.match(
    body(await push(md5, messages.authenticationMd5Password(Buffer.alloc(4)))).toString(),
    /^md5[0-9a-f]{32}\0$/,
  );
  ready(await push(md5, WELCOME));

  assert.match(await failure(dial(), messages.authenticationCleartextPassword()), /clear text outside TLS/);
  const machine = dial('require');
  await machine.push(Buffer.from('S'));
  machine.tlsEstablished(null);
  assert.equal(body(await push(machine, messages.authenticationCleartextPassword())).toString(), `${SECRET}\0`);
  ready(await push(machine, WELCOME));
});

test('ways to log in that are not spoken, or come out of turn', async () => {
  for (const kind of [2, 6, 7, 8, 9, 11, 12, 13, -1]) {
    assert.match(await failure(dial(), raw(0x52, 255, 255, 255, kind & 255)), /not spoken/);
  }
  assert.match(await failure(dial(), messages.authenticationSasl(['PLAIN'])), /SASL mechanisms that are not known/);
  assert.match(await failure(dial(), messages.authenticationSasl([])), /SASL mechanisms/);
  assert.match(await failure(dial(), raw(0x52, 0, 0)), /broke the protocol/);
  assert.match(await failure(dial(), STATUSES), /skipped the authentication/);
  assert.match(await failure(dial(), READY), /skipped the authentication/);
  assert.match(await failure(dial(), OK, OK), /broke the protocol/);
  assert.match(await failure(dial(), OK, messages.authenticationMd5Password(Buffer.alloc(4))), /broke the protocol/);
  const asked = dial();
  await push(asked, messages.authenticationMd5Password(Buffer.alloc(4)));
  assert.match(await failure(asked, messages.authenticationMd5Password(Buffer.alloc(4))), /out of turn/);
});

test('SCRAM is ended by the database’s proof alone (B5)', async () => {
  const early = await scramBegun();
  assert.match(await failure(early.machine, WELCOME), /without proving itself/);

  const { machine, message } = await scramBegun();
  await push(machine, messages.authenticationSaslContinue(message));
  assert.match(await failure(machine, WELCOME), /without proving itself/);

  const wrong = await scramBegun();
  await push(wrong.machine, messages.authenticationSaslContinue(wrong.message));
  const proof = Buffer.from(`v=${Buffer.alloc(32).toString('base64')}`);
  assert.match(await failure(wrong.machine, messages.authenticationSaslFinal(proof)), /does not know the secret/);
});

test('a hostile SCRAM: endless nonce, huge iteration count (B5)', async () => {
  const nonce = await scramBegun();
  const long = Buffer.from(nonce.message.toString().replace(',s=', `${'x'.repeat(2000)},s=`));
  assert.match(await failure(nonce.machine, messages.authenticationSaslContinue(long)), /SCRAM message of \d+ bytes/);
  const count = await scramBegun();
  const huge = Buffer.from(count.message.toString().replace('i=4096', 'i=2000000000'));
  assert.match(await failure(count.machine, messages.authenticationSaslContinue(huge)), /2000000000 SCRAM iterations/);
});

test('lengths that cannot be, and a login that never ends (B4, B5)', async () => {
  for (const length of [0, 3, -1, -2147483648, 2147483647, 1 << 20]) {
    const bytes = Buffer.from([0x45, 0, 0, 0, 0]);
    bytes.writeInt32BE(length, 1);
    assert.match(await failure(dial(), bytes), /broke the protocol/, String(length));
  }
  assert.match(await failure(dial(), raw(0x44)), /broke the protocol/);
  const endless = dial();
  let steps: DialStep[] = [];
  for (let sent = 0; sent < 2 * 1024 * 1024 && steps.length === 0; sent += NOTICE.length * 1000) {
    steps = await endless.push(Buffer.concat(Array.from({ length: 1000 }, () => NOTICE)));
  }
  assert.ok(steps[0]?.do === 'failed');
  assert.match(steps[0].message, /more than 1048576 bytes/);
});

test('what the gateway relies on has to be true, and a cancel key there', async () => {
  const latin = messages.parameterStatus('client_encoding', 'LATIN1');
  assert.match(await failure(dial(), OK, STATUSES, latin, KEY, READY), /client_encoding/);
  const off = messages.parameterStatus('standard_conforming_strings', 'off');
  assert.match(await failure(dial(), OK, STATUSES, off, KEY, READY), /standard_conforming_strings/);
  assert.match(await failure(dial(), OK, KEY, READY), /client_encoding/);
  assert.match(await failure(dial(), OK, STATUSES, READY), /no cancel key/);
  assert.match(await failure(dial(), OK, STATUSES, raw(0x4b, 0, 0, 0, 1), READY), /malformed cancel key/);
  const transaction = messages.readyForQuery(messages.Status.transaction);
  assert.match(await failure(dial(), OK, STATUSES, KEY, transaction), /not idle/);
});

test('an error is cleaned of the credential and of control characters, with or without a SQLSTATE (B5)', async () => {
  const machine = dial();
  await push(machine, messages.authenticationMd5Password(Buffer.alloc(4)));
  const message = `no\u001b[31m, ${SECRET}\n${'x'.repeat(1000)}`;
  const [step] = await push(machine, messages.errorResponse({ severity: 'FATAL', code: '28P01', message }));
  assert.ok(step?.do === 'failed');
  assert.equal(step.sqlstate, '28P01');
  assert.match(step.message, /^the database refuses the gateway: no \[31m, … x{400,}$/);
  assert.ok(step.message.length < 600);

  for (const fields of ['', 'Mwords\0', 'C\0\0', 'Cxx\0\0', 'Cnot five\0Mwords\0\0']) {
    const [bare] = await push(dial(), raw(0x45, ...Buffer.from(fields)));
    assert.ok(bare?.do === 'failed');
    assert.equal(bare.sqlstate, null);
  }
});

test('a cancel is sent in place of a login, inside TLS where the mode has it', async () => {
  const cancel = { pid: 7, secret: Buffer.from([9, 9, 9, 9]) };
  const request = messages.cancelRequest(7, cancel.secret);
  const options = { user: 'svc', database: 'db', password: () => SECRET, parameters: [], cancel };
  assert.deepEqual(createDial({ ...options, tls: 'disable' }).start(), request);
  const machine = createDial({ ...options, tls: 'require' });
  assert.deepEqual(machine.start(), messages.sslRequest());
  await machine.push(Buffer.from('S'));
  assert.deepEqual(machine.tlsEstablished(null), request);
});

test('random bytes, in any pieces, never throw and never log in', async () => {
  const openings = [Buffer.alloc(0), OK, messages.authenticationSasl(['SCRAM-SHA-256'])];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...openings),
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
      async (opening, pieces) => {
        const machine = dial();
        const steps = await machine.push(opening);
        for (const piece of pieces) steps.push(...(await machine.push(Buffer.from(piece))));
        assert.ok(steps.every((step) => step.do === 'send' || step.do === 'failed'));
      },
    ),
    { numRuns: 1000 },
  );
});
