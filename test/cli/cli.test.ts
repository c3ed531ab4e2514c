// The command line as its users run it: a process of its own against a running API; output, JSON, exit codes.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createProgram } from '../../src/cli/program.ts';
import { mysqlCommand } from '../../src/cli/request.ts';
import { openStand, SESSION, type Stand } from '../control/stand.ts';
import { json, run } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
let stand: Stand;
before(async () => {
  stand = await openStand();
});
after(async () => {
  await stand.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `sallyport …` against the stand; `env` replaces what it would be told of it. */
const sallyport = (args: string, env: Record<string, string> = {}) => run(folder, stand, args, env);

const ASK = 'grants request --connection analytics --task fix-index --reason "slow index" --group agents';

test('a grant from request to revocation', async () => {
  const [granted] = json(await sallyport(`${ASK} --scope db:analytics:read --ttl 5m --identity chatgpt-agent --json`));
  assert.deepEqual(Object.keys(granted), ['id', 'user', 'password', 'expiresAt', 'dsn']);
  assert.equal(granted.dsn, `postgresql://${granted.id}:${granted.password}@localhost:6432/analytics?sslmode=require`);

  const [shown] = json(await sallyport(`grants show ${granted.id} --json`));
  assert.deepEqual(
    [shown.state, shown.identity.subject, shown.identity.groups],
    ['active', 'chatgpt-agent', ['agents']],
  );
  const list = await sallyport('grants list');
  assert.match(list.out, new RegExp(`${granted.id}\\s+active\\s+chatgpt-agent\\s+analytics`));
  const revoked = await sallyport(`grants revoke ${granted.id} --reason "wrong table"`);
  assert.match(revoked.out, /state\s+revoked[\s\S]*wrong table/);
  const again = await sallyport(`grants complete ${granted.id} --json`);
  assert.equal(again.code, 1);
  assert.equal(JSON.parse(again.err).error.code, 'SP_GRANT_OVER');
});

test('the stock MySQL client is called as the DSN says', () => {
  assert.equal(mysqlCommand('mysql://gr_a:s-_3@127.0.0.1:6306/web'), 'mysql -h 127.0.0.1 -P 6306 -u gr_a -ps-_3 web');
  assert.equal(mysqlCommand('mysql://gr_a:s@[::1]:6306/web'), 'mysql -h ::1 -P 6306 -u gr_a -ps web');
  assert.equal(mysqlCommand('postgresql://gr_a:s@localhost:6432/web?sslmode=require'), null);
});

test('a refused request says why and exits 1; a badly written one exits 2; an absent gateway 3', async () => {
  const refused = await sallyport(`${ASK} --scope db:analytics:write`);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /db:analytics:write/);
  const badly = [ASK, 'grants', 'grants requst', 'nonsense', 'grants show', 'explain --connection a --jsonl --sql x'];
  for (const usage of await Promise.all(badly.map((args) => sallyport(args)))) {
    assert.deepEqual([usage.code, usage.out], [2, ''], usage.err);
    assert.notEqual(usage.err, '');
  }
  const absent = await sallyport('grants list', { SALLYPORT_API_LISTEN: '127.0.0.1:1' });
  assert.equal(absent.code, 3);
  assert.match(absent.err, /sallyport serve/);
  const stranger = await sallyport('grants list', { SALLYPORT_DATA_DIR: folder });
  assert.equal(stranger.code, 1);
  assert.match(stranger.err, /operator\.token/);
});

test('sessions: listed, shown, replayed, searched', async () => {
  const [granted] = json(await sallyport(`${ASK} --scope db:analytics:read --json`));
  const [grant] = json(await sallyport(`grants show ${granted.id} --json`));
  stand.record({ ...grant, scopes: [], requestedAt: 1, expiresAt: 2 });

  const [session] = json(await sallyport('sessions list --json'));
  assert.deepEqual([session.id, session.statements.deny, session.facts.grant.id], [SESSION, 1, granted.id]);
  assert.match((await sallyport('sessions list')).out, new RegExp(`${SESSION}\\s.*fix-index\\s+2\\s+1`));
  const shown = await sallyport(`sessions show ${SESSION}`);
  assert.match(shown.out, /reason\s+slow index[\s\S]*1\s.*allow\s+default\s+1\s+SELECT name/);

  const replayed = await sallyport(`sessions replay ${SESSION} --fast`);
  const told = replayed.out.split('\n');
  for (const line of [
    '03:04:05.010 SELECT name, email FROM customers',
    '  name  email',
    '  Ada   ****.com',
    '  SELECT 1 (1 row, 1 masked)',
    '  $1 = Ada',
    '  deny  no-drop: dropping is not for agents',
    '03:04:05.060 session ended: the client left',
  ]) {
    assert.ok(told.includes(line), `${line} is not in\n${replayed.out}`);
  }
  // What was sent to drive a terminal is shown, not obeyed.
  assert.ok(replayed.out.includes('-- \\x1b[2J') && !replayed.out.includes('\u001b'));

  const records = json(await sallyport(`sessions replay ${SESSION} --json`));
  assert.deepEqual(records[1].outcome.results, [{ columns: ['name', 'email'], rows: [['Ada', '****.com']] }]);
  assert.deepEqual(records[2].parameters, ['Ada']);
  assert.equal(records[3].verdict.rule, 'no-drop');

  const found = json(await sallyport('sessions search "drop table" --json'));
  assert.deepEqual(
    found.map(({ session, record }) => [session, record.n]),
    [[SESSION, 3]],
  );
  assert.equal((await sallyport('sessions replay se_none')).code, 1);
});

test('the record is proved from its files', async () => {
  const [verified] = json(await sallyport('records verify --json'));
  assert.deepEqual([verified.ok, verified.mistakes], [true, []]);
});

test('serve and check name every mistake and help with the first file', async () => {
  const config = join(folder, 'none.yaml');
  const served = await sallyport('serve', { SALLYPORT_CONFIG: config });
  assert.equal(served.code, 1);
  assert.match(served.err, /there is no config file at .*none\.yaml[\s\S]*connections:/);
  writeFileSync(
    config,
    'connections: { a: { protocol: postgres, host: localhost, database: d, user: u, polcy: x } }\n',
  );
  const checked = await sallyport('check --json', { SALLYPORT_CONFIG: config, SALLYPORT_IDEL_TIMEOUT: '5s' });
  assert.equal(checked.code, 1);
  const found = JSON.parse(checked.out).mistakes.map(
    ({ path, message }: { path: string; message: string }) => `${path}: ${message}`,
  );
  assert.deepEqual(found, [
    'SALLYPORT_IDEL_TIMEOUT: unknown name; did you mean "SALLYPORT_IDLE_TIMEOUT"?',
    'connections.a.polcy: unknown key; did you mean "policy"?',
  ]);
  assert.equal((await sallyport('serve', { SALLYPORT_WORKER: '2' })).code, 1);
});

test('check names rules that can never fire', async () => {
  const config = join(folder, 'dead.yaml');
  writeFileSync(
    config,
    `connections: { a: { protocol: postgres, host: localhost, database: d, user: u, policy: p } }
access: [{ groups: [g], connections: [a], scopes: ["db:a:read"], maxTtl: 48h }]
policies: { p: { rules: [
  { name: all, when: { statement: [select] }, then: allow },
  { name: never, when: { statement: [select], verbs: [read] }, then: allow } ] } }
`,
  );
  const checked = await sallyport('check --no-dial --json', { SALLYPORT_CONFIG: config });
  const { ok, warnings } = JSON.parse(checked.out);
  assert.equal(ok, true);
  assert.deepEqual(
    warnings.map(({ path }: { path: string }) => path),
    ['access[0].maxTtl', 'policies.p.rules[1]'],
  );
});

test('what is not there yet says so and fails', async () => {
  const later = ['records export --since 1d', 'records prune'];
  for (const ran of await Promise.all(later.map((args) => sallyport(args)))) {
    assert.equal(ran.code, 1);
    assert.match(ran.err, /not there yet/);
  }
});

test('every command has help and --json', () => {
  const commands = (parent: ReturnType<typeof createProgram>): ReturnType<typeof createProgram>[] =>
    parent.commands.flatMap((command) =>
      command.commands.length > 0 ? commands(command as typeof parent) : [command as typeof parent],
    );
  const all = commands(createProgram());
  assert.ok(all.length >= 19, `${all.length} commands`);
  for (const command of all) {
    assert.notEqual(command.description(), '', command.name());
    assert.ok(
      command.options.some((option) => option.long === '--json'),
      `${command.name()} has no --json`,
    );
  }
});
