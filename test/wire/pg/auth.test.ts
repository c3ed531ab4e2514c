// SCRAM in both roles against the RFC's example and against each other, and what a hostile peer may try.

import assert from 'node:assert/strict';
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Mechanism,
  makeVerifiers,
  md5Response,
  mockVerifiers,
  readVerifiers,
  SCRAM,
  SCRAM_PLUS,
  type ScramVerifier,
  scramClientFinal,
  scramClientFirst,
  scramServerFinal,
  scramServerFirst,
  scramServerProven,
} from '../../../src/wire/pg/auth.ts';

const END_POINT = createHash('sha256').update('a certificate').digest();
const text = (bytes: Buffer) => bytes.toString('latin1');
const bytes = (line: string) => Buffer.from(line, 'latin1');

function verifierOf(password: string, salt: Buffer, iterations: number): ScramVerifier {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const key = (label: string) => createHmac('sha256', salted).update(label).digest();
  return {
    salt: salt.toString('base64'),
    iterations,
    storedKey: createHash('sha256').update(key('Client Key')).digest('base64'),
    serverKey: key('Server Key').toString('base64'),
  };
}

/** A whole exchange; the channel's hash may differ on the two sides, as with a proxy between them that ends TLS. */
async function exchange(
  verifier: ScramVerifier,
  password: string,
  {
    offered = [SCRAM],
    client = null,
    server = null,
  }: { offered?: string[]; client?: Buffer | null; server?: Buffer | null },
): Promise<{ problem?: string; proven?: boolean; mechanism: Mechanism }> {
  const first = scramClientFirst(offered, client);
  const { mechanism } = first.state;
  const answer = scramServerFirst(mechanism, first.message, verifier, server);
  if ('problem' in answer) return { ...answer, mechanism };
  const { message, signature } = await scramClientFinal(first.state, answer.message, password);
  const final = scramServerFinal(answer.state, message);
  if ('problem' in final) return { ...final, mechanism };
  return { proven: scramServerProven(signature, final.message), mechanism };
}

const verifier = await makeVerifiers('pencil');

test('the example of RFC 7677', () => {
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
  const stored = verifierOf('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), 4096);
  const state = {
    verifier: stored,
    channel: bytes('n,,'),
    nonce,
    signed: `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=${stored.salt},i=4096`,
  };
  const final = scramServerFinal(state, bytes(`c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`));
  assert.ok('message' in final);
  assert.equal(text(final.message), 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
});

test('both roles agree on the right secret, with and without a channel', async () => {
  assert.deepEqual(await exchange(verifier, 'pencil', {}), { proven: true, mechanism: SCRAM });
  const bound = { offered: [SCRAM_PLUS, SCRAM], client: END_POINT, server: END_POINT };
  assert.deepEqual(await exchange(verifier, 'pencil', bound), { proven: true, mechanism: SCRAM_PLUS });
  // Inside TLS with a database that offers no channel binding, and with a client that cannot bind.
  assert.deepEqual(await exchange(verifier, 'pencil', { client: END_POINT }), { proven: true, mechanism: SCRAM });
  const unable = { offered: [SCRAM_PLUS, SCRAM], server: END_POINT };
  assert.deepEqual(await exchange(verifier, 'pencil', unable), { proven: true, mechanism: SCRAM });
});

test('another secret, another channel and an offer that was taken out are each found', async () => {
  assert.equal((await exchange(verifier, 'Pencil', {})).problem, 'secret');
  const other = createHash('sha256').update('another certificate').digest();
  const between = { offered: [SCRAM_PLUS, SCRAM], client: other, server: END_POINT };
  assert.equal((await exchange(verifier, 'pencil', between)).problem, 'binding');
  assert.equal((await exchange(verifier, 'pencil', { client: END_POINT, server: END_POINT })).problem, 'binding');
});

test('a secret is prepared as PostgreSQL does: compatibility forms meet, forbidden ones stay as they are', async () => {
  for (const [stored, given] of [
    ['\u2168', 'IX'],
    ['a\u00adb', 'ab'],
    ['a\u00a0b', 'a b'],
    ['tab\t', 'tab\t'],
    ['\u0627\u0031', '\u0627\u0031'],
    ['', ''],
  ] as const) {
    const { proven } = await exchange(await makeVerifiers(stored), given, {});
    assert.equal(proven, true, JSON.stringify(stored));
  }
});

test('verifiers go through JSON, hold no secret, and anything else is none', async () => {
  assert.deepEqual(readVerifiers(JSON.parse(JSON.stringify(verifier))), verifier);
  assert.ok(!JSON.stringify(verifier).includes('pencil'));
  assert.notEqual((await makeVerifiers('pencil')).salt, verifier.salt);
  for (const bad of [null, 'x', {}, { ...verifier, storedKey: 'AAAA' }, { ...verifier, iterations: 0.5 }]) {
    assert.equal(readVerifiers(bad), undefined);
  }
});

test('a login that does not exist looks like one that does', async () => {
  const mock = mockVerifiers('nobody');
  assert.equal(mockVerifiers('nobody').salt, mock.salt);
  assert.notEqual(mockVerifiers('somebody').salt, mock.salt);
  const shape = (v: ScramVerifier) => [v.salt.length, v.iterations, v.storedKey.length, v.serverKey.length];
  assert.deepEqual(shape(mock), shape(verifier));
  assert.equal((await exchange(mock, 'pencil', {})).problem, 'secret');
});

test('client messages that are not SCRAM as PostgreSQL speaks it', () => {
  const first = (line: string) => {
    const answer = scramServerFirst(SCRAM, bytes(line), verifier, null);
    return 'problem' in answer ? answer.problem : 'ok';
  };
  assert.equal(first('n,,n=,r=abc'), 'ok');
  assert.equal(first('y,,n=user,r=abc'), 'ok');
  assert.equal(first('n,,n=,r=abc,x=1'), 'ok');
  for (const line of [
    '',
    'n',
    'n,,',
    'n,,n=,r=',
    'n,a=bob,n=,r=abc',
    'n,,m=1,n=,r=abc',
    'n,,n=,r=a b',
    'z,,n=,r=abc',
  ]) {
    assert.equal(first(line), 'malformed', line);
  }
  assert.equal(first('p=tls-server-end-point,,n=,r=abc'), 'binding');
  const unique = scramServerFirst(SCRAM_PLUS, bytes('p=tls-unique,,n=,r=abc'), verifier, END_POINT);
  assert.deepEqual(unique, { problem: 'binding' });
  const without = scramServerFirst(SCRAM_PLUS, bytes('n,,n=,r=abc'), verifier, END_POINT);
  assert.deepEqual(without, { problem: 'binding' });

  const begun = scramServerFirst(SCRAM, bytes('n,,n=,r=abc'), verifier, null);
  assert.ok('state' in begun);
  const { nonce } = begun.state;
  const proof = Buffer.alloc(32).toString('base64');
  const final = (line: string) => {
    const answer = scramServerFinal(begun.state, bytes(line));
    return 'problem' in answer ? answer.problem : 'ok';
  };
  assert.equal(final(`c=biws,r=${nonce},p=${proof}`), 'secret');
  assert.equal(final(`c=biws,r=${nonce}x,p=${proof}`), 'malformed');
  assert.equal(final(`c=biws,r=abc,p=${proof}`), 'malformed');
  assert.equal(final(`c=biws,r=${nonce},m=1,p=${proof}`), 'malformed');
  assert.equal(final(`c=biws,r=${nonce},p=AAAA`), 'malformed');
  assert.equal(final(`c=!!!!,r=${nonce},p=${proof}`), 'malformed');
  assert.equal(final(`r=${nonce},c=biws,p=${proof}`), 'malformed');
  assert.equal(final(`c=eSws,r=${nonce},p=${proof}`), 'binding');
  assert.equal(final(''), 'malformed');
});

test('what a hostile database may ask for is bounded', async () => {
  const { state } = scramClientFirst([SCRAM], null);
  const ask = (line: string) => scramClientFinal(state, bytes(line), 'pencil');
  const good = `r=${state.nonce}xyz,s=c2FsdA==,i=1`;
  await ask(good);
  for (const line of [
    '',
    'r=,s=,i=',
    `r=${state.nonce},s=c2FsdA==,i=1`,
    `r=x${state.nonce},s=c2FsdA==,i=1`,
    `r=${state.nonce}xyz,s=c2FsdA==,i=1000001`,
    `r=${state.nonce}xyz,s=c2FsdA==,i=99999999999999`,
    `r=${state.nonce}xyz,s=c2FsdA==,i=0`,
    `r=${state.nonce}xyz,s=c2FsdA==,i=-1`,
    `r=${state.nonce}xyz,s=c2F,i=1`,
    `r=${state.nonce}xyz,s=,i=1`,
    `r=${state.nonce}xyz,s=${'AAAA'.repeat(100)},i=1`,
    `r=${state.nonce}${'x'.repeat(1100)},s=c2FsdA==,i=1`,
    `${good},x=1`,
    `m=1,${good}`,
    'e=other-error',
  ]) {
    await assert.rejects(ask(line), { code: 'SP_UPSTREAM' }, line);
  }
  assert.throws(() => scramClientFirst(['OTHER'], null), { code: 'SP_UPSTREAM' });
  assert.throws(() => scramClientFirst([SCRAM_PLUS], null), { code: 'SP_UPSTREAM' });
});

test('a database that does not know the secret is found out', async () => {
  const { state } = scramClientFirst([SCRAM], null);
  const { signature } = await scramClientFinal(state, bytes(`r=${state.nonce}x,s=c2FsdA==,i=1`), 'pencil');
  assert.equal(scramServerProven(signature, bytes(`v=${signature.toString('base64')}`)), true);
  for (const line of ['', 'v=', `v=${Buffer.alloc(32).toString('base64')}`, 'e=invalid-proof', 'v=AAAA']) {
    assert.equal(scramServerProven(signature, bytes(line)), false, line);
  }
});

test('the md5 response, as libpq computes it', () => {
  const md5 = (s: string, salt = '') => createHash('md5').update(s).update(salt, 'latin1').digest('hex');
  const salt = Buffer.from([1, 2, 3, 255]);
  assert.equal(md5Response('bob', 'pencil', salt), `md5${md5(md5('pencilbob'), salt.toString('latin1'))}`);
});

test('random bytes are a problem, never an exception', () => {
  const begun = scramServerFirst(SCRAM, bytes('n,,n=,r=abc'), verifier, null);
  assert.ok('state' in begun);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (random) => {
      assert.ok('problem' in scramServerFinal(begun.state, Buffer.from(random)));
      assert.ok('problem' in scramServerFirst(SCRAM_PLUS, Buffer.from(random), verifier, END_POINT));
    }),
    { numRuns: 2000 },
  );
});
