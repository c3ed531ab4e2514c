// A5: SQL inside a string cannot be judged, so what runs it is refused.

import { after, before, test } from 'node:test';
import { type Attacker, allAllowed, allRefused, READ, type Stand, startStand } from './attacks.ts';

let stand: Stand;
let reader: Attacker;

before(async () => {
  stand = await startStand({}, 'CREATE EXTENSION dblink; CREATE EXTENSION tablefunc; CREATE EXTENSION xml2');
  reader = await stand.connect(READ);
});

after(() => stand?.stop());

test('A5 functions that run SQL from a string, or read what a string names, are refused', async () => {
  await allRefused(stand, reader, [
    "SELECT query_to_xml('DELETE FROM public.notes RETURNING 1', true, false, '')",
    "SELECT query_to_xmlschema('SELECT public.bait()', true, false, '')",
    "SELECT query_to_xml_and_xmlschema('SELECT public.bait()', true, false, '')",
    "SELECT table_to_xml('hidden.salaries', true, false, '')",
    "SELECT table_to_xmlschema('hidden.salaries', true, false, '')",
    "SELECT schema_to_xml('hidden', true, false, '')",
    "SELECT database_to_xml(true, false, '')",
    "SELECT cursor_to_xml('c', 1, true, false, '')",
    "SELECT * FROM ts_stat('SELECT public.bait()::text::tsvector')",
    "SELECT ('SELECT public.bait()::text::tsvector').ts_stat",
    "SELECT ts_rewrite('a'::tsquery, 'SELECT public.bait()::text::tsquery, NULL::tsquery')",
    "SELECT * FROM crosstab('SELECT 1, 2, public.bait()') AS (a int, b int)",
    "SELECT * FROM crosstab2('SELECT ''a'', ''b'', ''c''')",
    "SELECT * FROM connectby('public.orders', 'id', 'id', '1', 0) AS t(a int, b int, c int)",
    "SELECT * FROM dblink('dbname=postgres', 'DELETE FROM public.notes RETURNING 1') AS t(a int)",
    "SELECT dblink_connect('dbname=postgres')",
    "SELECT dblink_exec('dbname=postgres', 'DELETE FROM public.notes')",
    "SELECT * FROM xpath_table('id', 'body', 'public.notes', '/a', 'true') AS t(a int, b text)",
    "SELECT xslt_process('<a/>', '<b/>')",
    'EXECUTE nothing_prepared',
    "DO 'BEGIN DELETE FROM public.notes; END'",
  ]);
});

test('A5 strings that look like SQL are strings', async () => {
  await allAllowed(reader, [
    "SELECT 'DROP TABLE public.notes'",
    "SELECT quote_literal('DELETE FROM x')",
    "SELECT ts_delete('a:1 b:2'::tsvector, 'a')",
    "SELECT to_tsvector('simple', 'a b') @@ 'a'::tsquery",
    "SELECT xpath('/a/text()', '<a>1</a>'::xml)",
  ]);
});
