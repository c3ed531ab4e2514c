// `sallyport grants …`, `whoami`, `connections` and `approvals` as each kind of caller uses them, by a token in the environment.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CALLERS, type CallerName } from '../control/client.ts';
import { openStand, type Stand } from '../control/stand.ts';
import { json, run } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-grants-'));
let stand: Stand;
before(async () => {
  stand = await openStand({ identities: CALLERS });
});
after(async () => {
  await stand.close();
  rmSync(folder, { recursive: true, force: true });
});

const sallyport = (who: CallerName, args: string) => run(folder, stand, args, { SALLYPORT_TOKEN: who });

const ASK = 'grants request --connection analytics --task fix-index --reason "slow index"';
const READ = `${ASK} --scope db:analytics:read --ttl 5m`;
const DDL = `${ASK} --scope db:analytics.public:ddl --ttl 5m`;

test('who am I, what could I ask for, what waits', async () => {
  assert.deepEqual(json(await sallyport('owner', 'whoami --json')), [{ identity: CALLERS.owner, roles: [] }]);
  const told = await sallyport('approver', 'whoami');
  assert.match(told.out, /subject\s+paul\n[\s\S]*roles\s+approver/);
  const connections = await sallyport('owner', 'connections');
  assert.match(connections.out, /analytics\s+postgres\s+\S+\s+db:analytics:read\s+30m\s+none\n/);
  assert.match(connections.out, /db:analytics\.public:ddl\s+10m\s+by a person\n/);
  assert.equal(json(await sallyport('owner', 'connections --json'))[0].scopes.length, 2);
  assert.match((await sallyport('named', 'connections')).out, /no access rule is for you/);
  assert.match((await sallyport('owner', 'approvals list')).out, /Nothing waits/);
  const unknown = ['show ap_1', 'approve ap_1', 'deny ap_1'];
  for (const ran of await Promise.all(unknown.map((args) => sallyport('approver', `approvals ${args} --json`)))) {
    assert.deepEqual([ran.code, JSON.parse(ran.err).error.code], [1, 'SP_NOT_FOUND']);
  }
});

test('a wider request is refused with what of it would be granted; a dry run says so without asking', async () => {
  const before = stand.grants.list().length;
  const wide = `${ASK} --scope db:analytics:read+write --ttl 5m`;
  const refused = await sallyport('owner', wide);
  assert.deepEqual([refused.code, refused.out], [1, '']);
  assert.match(refused.err, /db:analytics:read\s+yes\s+30m/);
  assert.match(refused.err, /db:analytics:write\s+no\s+.*nearest: db:analytics:read/);
  const dry = await sallyport('owner', `${wide} --dry-run`);
  assert.equal(dry.code, 1);
  assert.match(dry.out, /db:analytics:read\s+yes/);
  const [preview] = json(await sallyport('owner', `${READ} --dry-run --json`));
  assert.equal(preview.granted, true);
  assert.match((await sallyport('owner', `${DDL} --dry-run`)).out, /db:analytics\.public:ddl\s+by a person/);
  assert.equal(stand.grants.list().length, before);
});

test('who waits for a person is let in when one has approved', async () => {
  const waiting = sallyport('owner', `${DDL} --wait --json`);
  let id: string | undefined;
  while (id === undefined) {
    const [found] = json(await sallyport('named', 'grants list --state requested --json'));
    id = found?.id;
  }
  const shown = await sallyport('owner', `grants show ${id}`);
  assert.match(shown.out, /awaits\s+.*dba/);
  assert.equal((await sallyport('owner', `grants approve ${id}`)).code, 1);
  const approved = await sallyport('named', `grants approve ${id} --reason "go on"`);
  assert.match(approved.out, /approved\s+dora \(https:\/\/login\.test\)\s+go on/);
  const [granted] = json(await waiting);
  assert.deepEqual(Object.keys(granted), ['id', 'user', 'password', 'expiresAt', 'dsn']);
  assert.equal(granted.id, id);
  assert.equal(granted.expiresAt, json(await sallyport('owner', `grants show ${id} --json`))[0].expiresAt);
});

test('who does not wait is told how to look, and a refusal ends the waiting with its reason', async () => {
  const [asked] = json(await sallyport('owner', `${DDL} --json`));
  assert.equal(asked.state, 'requested');
  assert.match((await sallyport('owner', DDL)).out, /A person has to approve it/);
  const refused = await sallyport('approver', `grants refuse ${asked.id} --reason "not today" --json`);
  assert.equal(json(refused)[0].state, 'refused');
  const waiting = sallyport('sibling', `${DDL} --wait`);
  let id: string | undefined;
  while (id === undefined) {
    id = json(await sallyport('sibling', 'grants list --state requested --json'))[0]?.id;
  }
  await sallyport('approver', `grants refuse ${id} --reason "nor tomorrow"`);
  const ended = await waiting;
  assert.equal(ended.code, 1);
  assert.match(ended.err, /is refused.*nor tomorrow/);
  assert.equal((await sallyport('approver', `grants refuse ${id}`)).code, 2);
});

test('one, an identity’s, everybody’s: revoked as it was said, and never by a slip', async () => {
  const ids = async (who: CallerName) => json(await sallyport(who, `${READ} --json`))[0].id as string;
  const [a, b, c] = await Promise.all([ids('owner'), ids('stranger'), ids('stranger')]);
  const wrong = ['', `${a} --all`, '--all --identity x', '--all', '--all --json'];
  for (const ran of await Promise.all(wrong.map((args) => sallyport('operator', `grants revoke ${args}`)))) {
    assert.equal(ran.code, 2, ran.err);
  }
  const agent = await sallyport('owner', 'grants revoke --identity other-agent --json');
  assert.equal(agent.code, 1);
  assert.match(JSON.parse(agent.err).error.message, /needs the role operator; report-agent has none/);
  assert.equal(stand.grants.state(b), 'active');
  const some = json(await sallyport('operator', 'grants revoke --identity other-agent --reason "too much" --json'));
  assert.deepEqual(some.map(({ id }) => id).sort(), [b, c].sort());
  const all = await sallyport('operator', 'grants revoke --all --yes');
  assert.match(all.out, new RegExp(`${a}\\s+revoked`));
  assert.match((await sallyport('operator', 'grants revoke --all --yes')).out, /nothing to revoke/);
});

test('lists are one’s own, with a role everybody’s, filtered and paged', async () => {
  for (const who of ['owner', 'sibling', 'sibling'] as const) await sallyport(who, READ);
  const of = async (who: CallerName, options: string) =>
    json(await sallyport(who, `grants list --json ${options}`)).map(({ identity }) => identity.actingFor);
  assert.deepEqual(await of('sibling', '--state active'), ['bob', 'bob']);
  assert.deepEqual(await of('auditor', '--state active'), ['bob', 'bob', 'ada']);
  assert.deepEqual(await of('auditor', '--state active --mine'), []);
  assert.deepEqual(await of('auditor', '--subject other-agent --state active'), []);
  const page = await sallyport('auditor', 'grants list --limit 1');
  const next = /There are more: --before (gr_\w+)/.exec(page.out)?.[1];
  assert.deepEqual(await of('auditor', `--limit 1 --before ${next}`), ['bob']);
  assert.equal((await sallyport('auditor', 'grants list --state gone')).code, 1);
});

test('a token that is not taken says how to come by one', async () => {
  const wrong = await run(folder, stand, 'grants list --json', { SALLYPORT_TOKEN: 'wrong' });
  assert.equal(wrong.code, 1);
  const { error } = JSON.parse(wrong.err);
  assert.deepEqual([error.code, /sallyport login/.test(error.hint)], ['SP_UNAUTHORIZED', true]);
  const none = await run(folder, stand, 'grants list', {});
  assert.match(none.err, /operator token of the data dir is not taken[\s\S]*sallyport login/);
});
