// A3: a name is the same name however it is spelled.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Attacker, allAllowed, allRefused, READ, type Stand, send, startStand } from './attacks.ts';

let stand: Stand;
let reader: Attacker;

before(async () => {
  stand = await startStand();
  reader = await stand.connect(READ);
});

after(() => stand?.stop());

test('A3 a function of effect is refused in every spelling', async () => {
  const spellings = [
    "pg_read_file('PG_VERSION')",
    "PG_READ_FILE('PG_VERSION')",
    "pg_catalog.pg_read_file('PG_VERSION')",
    `"pg_read_file"('PG_VERSION')`,
    `"pg_catalog"."pg_read_file"('PG_VERSION')`,
    `postgres.pg_catalog.pg_read_file('PG_VERSION')`,
    `U&"p\\0067_read_file"('PG_VERSION')`,
    `U&"\\0070\\0067\\005F\\0072ead_file"('PG_VERSION')`,
    `U&"p!0067_read_file" UESCAPE '!' ('PG_VERSION')`,
    `u&"p\\+000067_read_file"('PG_VERSION')`,
    "pg_read_file/**/('PG_VERSION')",
    "pg_read_file/* /* nested */ */('PG_VERSION')",
    "pg_read_file -- a comment\n('PG_VERSION')",
    "pg_read_file\t\n\r\f\v('PG_VERSION')",
    "pg_read_file(U&'\\0050G_VERSION')",
    'pg_read_file($$PG_VERSION$$)',
    'pg_read_file($tag$PG_VERSION$tag$)',
    "pg_read_file(E'\\x50G_VERSION')",
    "pg_read_file('PG_'\n'VERSION')",
    "pg_read_file(filename => 'PG_VERSION')",
    "pg_read_file(VARIADIC ARRAY['PG_VERSION'])",
    "pg_read_binary_file('PG_VERSION')",
  ];
  await allRefused(stand, reader, [
    ...spellings.map((call) => `SELECT ${call}`),
    ...spellings.slice(0, 8).map((call) => `SELECT * FROM ${call}`),
    'SEL/**/ECT 1',
  ]);
});

test('A3 a comment or a string that never ends is refused, and hides nothing', async () => {
  await allRefused(stand, reader, [
    'SELECT 1 /* /* */ ; DROP TABLE public.notes',
    "SELECT 'open ; DROP TABLE public.notes",
    'SELECT $a$ open $b$ ; DROP TABLE public.notes',
    'SELECT "open ; DROP TABLE public.notes',
    '/* /* */ */ DROP TABLE public.notes',
    '--\rDROP TABLE public.notes\nDROP TABLE public.notes',
    'SELECT 1 --\rx\n; DROP TABLE public.notes',
  ]);
});

test('A3 look-alikes are other names, and unknown ones are refused', async () => {
  await allRefused(stand, reader, [
    'SELECT ｌｏｗｅｒ(1)', // fullwidth letters
    'SELECT lоwer(customer) FROM public.orders', // a Cyrillic o
    'SELECT "UPPER"(customer) FROM public.orders',
    'SELECT upper\u00a0(customer) FROM public.orders', // a no-break space is part of the name
    'SELECT \u202eupper(customer) FROM public.orders',
    "SELECT pg_sleep\u200b('0')",
  ]);
});

test('A3 the same spellings of a harmless function work', async () => {
  await allAllowed(reader, [
    'SELECT upper(customer) FROM public.orders',
    'SELECT UPPER(customer) FROM "public"."orders"',
    `SELECT U&"uppe\\0072"(customer) FROM public.orders`,
    `SELECT U&"uppe!0072" UESCAPE '!' (customer) FROM public.orders`,
    'SELECT "upper"(customer) FROM public.orders',
    'SELECT upper/* /* nested */ */(customer) FROM public.orders -- done',
    'SELECT pg_catalog.upper($tag$x$tag$)',
    'SELECT "pg_sleep"(0)',
  ]);
  assert.deepEqual(await send(reader.client, "SELECT U&'d\\0061t!' UESCAPE '!'").catch(() => null), null);
});
