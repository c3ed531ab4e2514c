// A2: the gateway and the server read one text alike, because what could make them differ cannot be switched.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type Attacker,
  allAllowed,
  allRefused,
  MODES,
  READ,
  refused,
  type Stand,
  send,
  sendBytes,
  startStand,
} from './attacks.ts';

let stand: Stand;
let reader: Attacker;

before(async () => {
  stand = await startStand();
  reader = await stand.connect(READ);
});

after(() => stand?.stop());

test('A2 what decides how strings and bytes are read cannot be changed, under any grant', async () => {
  const admin = await stand.connect('db:db:read+write+ddl+admin');
  const attacks = [
    'SET standard_conforming_strings = off',
    "SET standard_conforming_strings TO 'false'",
    'SET SESSION standard_conforming_strings = 0',
    'SET LOCAL standard_conforming_strings = off',
    'SET standard_conforming_strings TO DEFAULT',
    'RESET standard_conforming_strings',
    "SELECT set_config('standard_conforming_strings', 'off', false)",
    "SELECT pg_catalog.set_config('STANDARD_conforming_STRINGS', 'off', true)",
    "SELECT set_config(setting_name => 'standard_conforming_strings', new_value => 'off', is_local => false)",
    "SELECT 1 WHERE set_config('standard_conforming_strings', 'off', false) = 'off'",
    "SELECT set_config('standard_conforming_strings', lower('OFF'), false)",
    'SET backslash_quote = on',
    "SET client_encoding TO 'SJIS'",
    "SET client_encoding TO 'GBK'",
    "SET client_encoding TO 'BIG5'",
    "SET client_encoding = 'LATIN1'",
    "SET NAMES 'SJIS'",
    'SET NAMES DEFAULT',
    'RESET client_encoding',
    'SET client_encoding TO DEFAULT',
    "SELECT set_config('client_encoding', 'SJIS', false)",
    "SET standard_conforming_strings = off; SELECT '\\'; DROP TABLE public.notes; --'",
  ];
  await allRefused(stand, reader, attacks);
  // Named arguments hide which setting it is, so that one needs admin, and does no harm to it: see below.
  const hidden = attacks.filter((sql) => !/=>|lower/.test(sql));
  await allRefused(stand, admin, hidden);
});

test('A2 a session whose strings were switched by a way that cannot be seen is ended', async () => {
  const admin = await stand.connect('db:db:read+write+ddl+admin');
  const ended = new Promise((resolve) => admin.client.once('end', resolve));
  await send(admin.client, 'DO $$ BEGIN SET standard_conforming_strings = off; END $$').catch(() => {});
  await ended;
});

test('A2 a backslash before a quote means the same to both', async () => {
  // With standard strings the literal ends at the second quote, so a DROP behind it is a statement.
  await allRefused(stand, reader, [
    "SELECT '\\'; DROP TABLE public.notes; --'",
    "SELECT E'\\\\'; DROP TABLE public.notes; --'",
    "SELECT 'a' '\\'; DROP TABLE public.notes --",
  ]);
  const one = await send(reader.client, "SELECT E'\\'; DROP TABLE public.notes; --'");
  assert.deepEqual(one.rows, [["'; DROP TABLE public.notes; --"]]);
  const two = await send(reader.client, "SELECT '\\', '; DROP TABLE public.notes; --'");
  assert.deepEqual(two.rows, [['\\', '; DROP TABLE public.notes; --']]);
});

test('A2 bytes that are not UTF-8 are refused, as they came and behind a cached text', async () => {
  // The replacement character is what a lenient reader makes of broken bytes: the two must not share a verdict.
  await send(reader.client, "SELECT '\ufffd'");
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x83, 0x5c], [0xf5, 0x80, 0x80, 0x80], [0xc3]]) {
    const before = reader.reached().length;
    const body = Buffer.concat([Buffer.from("SELECT '"), Buffer.from(bytes), Buffer.from("'")]);
    const error = await sendBytes(reader.client, body);
    assert.equal(error?.code, '42501');
    assert.match(error?.message ?? '', /UTF-8/);
    assert.deepEqual(reader.reached().slice(before), []);
  }
});

test('A2 settings that only print differently can be set', async () => {
  await allAllowed(reader, [
    'SET standard_conforming_strings = on',
    "SET client_encoding TO 'UTF8'",
    "SET NAMES 'utf-8'",
    'SET bytea_output = escape',
    'RESET ALL',
    'DISCARD ALL',
    "SELECT set_config('standard_conforming_strings', 'on', false)",
  ]);
  for (const mode of MODES) await refused(reader, 'SET standard_conforming_strings = off', mode);
});
