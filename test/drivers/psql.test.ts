// The stock psql does through the gateway what it does without: the oracle is the same psql at the database itself.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ALL, assertSame, libpqEnv, missing, type Program, READ_WRITE, type Run, run, stand, start } from './stand.ts';

const bench = stand(['nothing', 'another table', 'the table read']);
const UNMASKED = ['nothing', 'another table'] as const;
let dir: string;
const skip = (await missing('psql', '--version')) || (await missing('script', '--version'));

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sallyport-psql-'));
});
after(() => rm(dir, { recursive: true, force: true }));

const psql = (env: NodeJS.ProcessEnv, input: string, ...args: string[]): Promise<Run> =>
  run('psql', ['-X', '-q', ...args], env, input);

const command = (env: NodeJS.ProcessEnv, ...texts: string[]): Promise<Run> =>
  run('psql', ['-X', '-At', ...texts.flatMap((text) => ['-c', text])], env);

/** Not \deu, \drds and \dRs: user mappings, settings of roles and subscriptions hold credentials. */
const BACKSLASHES = `
  \\d \\d+ \\dS \\dt \\dt+ \\di+ \\ds \\dv+ \\dm \\dE \\dP \\df \\df+ \\du \\dg+ \\l \\dn \\dn+ \\dp \\z \\dT+ \\dx \\dx+ \\db
  \\dc \\dC \\dd \\dD+ \\ddp \\det \\des \\dew \\dF \\dFd \\dFp \\dFt \\dl \\dL \\dO \\dRp \\dy \\dA \\dAc \\dAf \\dX
`
  .trim()
  .split(/\s+/);
const WITH_NAMES = [
  '\\d users',
  '\\d+ users',
  '\\d+ orders',
  '\\d+ big_orders',
  '\\d+ orders_by_user',
  '\\d users_id_seq',
  '\\d pg_catalog.pg_class',
  '\\dt u*',
  '\\dt public.*',
  '\\d nothing_like_it',
  '\\df add_*',
  '\\do+ =',
  '\\sf add_one',
  '\\sv big_orders',
  '\\echo :AUTOCOMMIT :ENCODING :SERVER_VERSION_NUM',
];

for (const masking of UNMASKED) {
  test(`every \\d is answered as by the database under a read grant, ${masking} masked`, { skip }, async () => {
    const script = [...BACKSLASHES, ...WITH_NAMES].flatMap((line) => [`\\echo === ${line.slice(1)}`, line]).join('\n');
    const direct = await psql(bench.database.psqlEnv, script);
    const through = await psql(await libpqEnv(bench.gateway(masking)), script);
    assertSame(through, direct);
    assert.match(direct.out, /"users_pkey" PRIMARY KEY/);
  });

  test(`a session of reads looks the same, ${masking} masked`, { skip }, async () => {
    const script = `
      \\set who 'name 7'
      SELECT id, email FROM users WHERE name = :'who';
      SELECT 1 AS a; SELECT 2 AS b\\; SELECT 3 AS c;
      SELECT id AS "the_id" FROM users ORDER BY id LIMIT 1 \\gset
      \\echo :the_id
      SELECT id, name, born FROM users \\gdesc
      SELECT format('SELECT %s AS n', id) FROM users WHERE id < 4 ORDER BY id \\gexec
      SELECT user_id, id % 3 AS r, count(*) FROM orders GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 6 \\crosstabview
      \\x
      SELECT * FROM orders WHERE id = 3;
      \\x
      BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
      SHOW TRANSACTION ISOLATION LEVEL;
      SAVEPOINT s; SELECT 1/0; ROLLBACK TO s;
      DECLARE c SCROLL CURSOR FOR SELECT id FROM users ORDER BY id;
      FETCH 2 FROM c; FETCH BACKWARD 1 FROM c; MOVE 5 FROM c; FETCH NEXT FROM c; CLOSE c;
      COMMIT;
      PREPARE p(int) AS SELECT name FROM users WHERE id = $1; EXECUTE p(3); DEALLOCATE p;
      SELECT nonsense FROM users;
      \\errverbose
      EXPLAIN (COSTS OFF) SELECT * FROM users WHERE id = 1;
      COPY (SELECT id, name FROM users ORDER BY id LIMIT 3) TO STDOUT WITH (FORMAT csv, HEADER);
      COPY users (id, name) TO STDOUT;
      \\set FETCH_COUNT 7
      SELECT * FROM orders ORDER BY id;
      \\unset FETCH_COUNT
      SET statement_timeout = '5s'; SHOW statement_timeout; RESET statement_timeout;
      SET TIME ZONE 'Europe/Vienna'; SHOW timezone;
      \\encoding
      ;
      -- nothing but a comment
      SELECT 'last' AS word;
    `;
    const direct = await psql(bench.database.psqlEnv, script);
    const through = await psql(await libpqEnv(bench.gateway(masking)), script);
    assertSame(through, direct);
    assert.match(through.out, /last/);
  });

  test(`writes, COPY and \\copy under a grant that writes, ${masking} masked`, { skip }, async () => {
    const file = join(dir, 'words.txt');
    const copied = join(dir, 'copied.csv');
    const script = `
      DELETE FROM scratch;
      INSERT INTO scratch VALUES (1, 'one'), (2, 'two') RETURNING id;
      UPDATE scratch SET word = upper(word) WHERE id = 1 RETURNING *;
      COPY scratch FROM STDIN;
3\tthree
4\t\\N
\\.
      \\copy scratch from '${file}'
      \\copy (select * from scratch order by id) to '${copied}' csv header
      COPY scratch FROM STDIN;
x\tnot a number
\\.
      BEGIN; DELETE FROM scratch; ROLLBACK;
      SELECT * FROM scratch ORDER BY id;
    `;
    await writeFile(file, '5\tfive\n6\tsix\n');
    const direct = await psql(bench.database.psqlEnv, script);
    const expected = await readFile(copied, 'utf8');
    await rm(copied);
    const through = await psql(await libpqEnv(bench.gateway(masking), { scopes: READ_WRITE }), script);
    assertSame(through, direct);
    assert.match(through.out, /six/);
    assert.equal(await readFile(copied, 'utf8'), expected);
  });

  test(`a refusal in the middle of a block leaves the block alive, ${masking} masked`, { skip }, async () => {
    const env = await libpqEnv(bench.gateway(masking), { scopes: ['db:db.public.scratch:read+write'] });
    const script = `
      DELETE FROM scratch;
      BEGIN;
      INSERT INTO scratch VALUES (10, 'ten');
      DROP TABLE scratch;
      SELECT * FROM users;
      INSERT INTO scratch VALUES (11, 'eleven');
      COMMIT;
      SELECT count(*) FROM scratch;
    `;
    const { code, out, err } = await psql(env, script, '-At');
    assert.equal(code, 0);
    assert.equal(out, '2\n');
    assert.equal(err.match(/^ERROR: {2}(drop-table|select) refused: /gm)?.length, 2, err);
  });
}

test('texts of several statements, and several texts', { skip }, async () => {
  const env = await libpqEnv(bench.gateway('another table'));
  assert.deepEqual(await command(env, 'SELECT 1; SELECT 2', 'SELECT 3'), { code: 0, out: '1\n2\n3\n', err: '' });
  const refused = await command(env, 'SELECT 1; DROP TABLE users');
  assert.equal(refused.code, 1);
  assert.equal(refused.out, '');
  assert.match(refused.err, /statement 2 of 2/);
});

test('a refusal shows what INTERFACE.md says it does', { skip }, async () => {
  const env = await libpqEnv(bench.gateway('nothing'));
  const { out, err } = await psql(env, 'DELETE FROM users;\n\\errverbose\nSELECT count(*) FROM users;', '-At');
  assert.match(err, /^ERROR: {2}42501: delete refused: .*needs write/m);
  const detail = /^DETAIL: {2}(.*)$/m.exec(err)?.[1] ?? '';
  const told = JSON.parse(detail) as Record<string, unknown>;
  assert.deepEqual(told, {
    decision: 'deny',
    rule: 'scope',
    grant: env.PGUSER,
    verbs: ['write'],
    relations: ['public.users'],
    approval: null,
  });
  assert.match(err, /^HINT: .*sallyport grants request --connection db --scope db:db\.public\.users:write/m);
  assert.equal(out, '20\n');
});

test('ON_ERROR_STOP ends a script at the refusal', { skip }, async () => {
  const env = await libpqEnv(bench.gateway('nothing'));
  const { code, out } = await psql(env, 'SELECT 1;\nTRUNCATE users;\nSELECT 2;', '-At', '-v', 'ON_ERROR_STOP=1');
  assert.equal(code, 3);
  assert.equal(out, '1\n');
});

test('TLS, with and without channel binding, and \\conninfo', { skip }, async () => {
  const env = await libpqEnv(bench.gateway('nothing'));
  for (const more of [{ PGSSLMODE: 'require' }, { PGSSLMODE: 'require', PGCHANNELBINDING: 'require' }]) {
    const { code, out } = await psql({ ...env, ...more }, '\\conninfo\nSELECT count(*) FROM users;', '-At');
    assert.equal(code, 0);
    assert.match(
      out,
      /as user "gr_\w+" on host "127\.0\.0\.1"[\s\S]*SSL connection \(protocol: TLSv1\.3[\s\S]*\n20\n$/,
    );
  }
});

test('Ctrl-C cancels what runs, and the session goes on', { skip }, async () => {
  for (const more of [{}, { PGSSLMODE: 'require' }]) {
    const gateway = bench.gateway('another table');
    const terminal = onTerminal({ ...(await libpqEnv(gateway, { scopes: ALL })), ...more });
    terminal.type("SELECT 'here ' || 1;\n");
    await terminal.shown('here 1');
    terminal.type('SELECT pg_sleep(60);\n');
    await bench.sleeping();
    terminal.type(CTRL_C);
    await terminal.shown('canceling statement due to user request');
    terminal.type("SELECT 'after ' || 1;\n");
    await terminal.shown('after 1');
    terminal.type('\\q\n');
    assert.equal((await terminal.ended).code, 0);
  }
});

test('\\watch goes on until it is interrupted', { skip }, async () => {
  const terminal = onTerminal(await libpqEnv(bench.gateway('another table')));
  terminal.type("SELECT 'round', count(*) FROM users \\watch 0.05\n");
  await terminal.shown('round|20', 3);
  terminal.type(CTRL_C);
  terminal.type("SELECT 'after ' || 1;\n");
  await terminal.shown('after 1');
  terminal.type('\\q\n');
  assert.equal((await terminal.ended).code, 0);
});

const CTRL_C = '\x03';

/** psql on a terminal of its own: elsewhere a Ctrl-C ends it. */
function onTerminal(env: NodeJS.ProcessEnv): Program & { type(text: string): void } {
  const program = start('script', ['-qec', 'exec psql -X -A -t -n -P pager=off', '/dev/null'], env);
  return { ...program, type: (text) => void program.child.stdin?.write(text) };
}

test('masked cells in tables, cursors, FETCH_COUNT and \\gset', { skip }, async () => {
  const env = await libpqEnv(bench.gateway('the table read'));
  const script = `
    SELECT id, name, email, age, born, note FROM users WHERE id = 7;
    SELECT * FROM users WHERE id = 8;
    \\set FETCH_COUNT 7
    SELECT email FROM users ORDER BY id;
    \\unset FETCH_COUNT
    SELECT email AS mail FROM users WHERE id = 1 \\gset
    \\echo :mail
    BEGIN; DECLARE c CURSOR FOR SELECT email FROM users; FETCH 3 FROM c; COMMIT;
    PREPARE p AS SELECT email FROM users; EXECUTE p;
  `;
  const { code, out, err } = await psql(env, script, '-At');
  assert.equal(err, '');
  assert.equal(code, 0);
  assert.match(out, /\.com/);
  assert.doesNotMatch(out, /user\d|@example/);
  assert.doesNotMatch(out, /2000-01/);
  assert.equal(out.match(/\.com$/gm)?.length, 20 + 1 + 3 + 20, out);
});

test('what is computed from a masked column is redacted, what carries it away is refused, and the session goes on', {
  skip,
}, async () => {
  const env = await libpqEnv(bench.gateway('the table read'));
  for (const text of [
    'SELECT lower(email) FROM users',
    'COPY users (id, email) TO STDOUT',
    '\\copy users (id, email) to stdout csv',
    'SELECT u FROM users u',
  ]) {
    const { out, err } = await psql(env, `${text}${text.startsWith('\\') ? '' : ';'}\nSELECT 'on';`, '-At');
    assert.match(out, /on\n$/, text);
    assert.doesNotMatch(out, /user\d|@example/, text);
    assert.equal(err, '', text);
  }
  for (const text of ['TABLE pg_stats', 'CREATE TEMP TABLE t AS SELECT email FROM users']) {
    const { out, err } = await psql(env, `${text};\nSELECT 'on';`, '-At');
    assert.equal(out, 'on\n', text);
    assert.match(err, /refused/, text);
  }
});
