// The life of roles, against a database that is scripted: when they are made and dropped, what is tried again, what is left alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Provision } from '../../src/provision/provision.ts';
import type { RoleMaker } from '../../src/provision/role.ts';
import type { Connection, Grant } from '../../src/types.ts';

const GATEWAY = 'abcdefghijkl';
const BASE: Connection = {
  name: 'db',
  protocol: 'postgres',
  host: 'db.example.com',
  port: 5432,
  database: 'shop',
  user: 'svc',
  password: () => 'own',
  tls: { mode: 'disable' },
  provisioned: { user: 'maker', password: () => 'makers' },
};
const grant = (letter: string): Grant => ({
  id: `gr_${letter.repeat(16)}`,
  task: 'test',
  reason: '',
  identity: { issuer: 'operator', subject: 'me', groups: [] },
  connection: 'db',
  scopes: [],
  requestedAt: 0,
  expiresAt: 0,
});
const nameOf = ({ id }: Grant) => `sallyport_${GATEWAY}_${id.slice(3)}`;
/** Everything that is ready to go on goes on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

function scripted() {
  /** Roles in the database. */
  const there = new Set<string>();
  const done: string[] = [];
  const waiting: { callback: () => void; ms: number }[] = [];
  const state = {
    fails: null as string | null,
    breaks: null as string | null,
    stays: '',
    remaining: 60_000,
    gate: Promise.resolve() as Promise<unknown>,
  };
  const maker: RoleMaker = {
    async make(_run, { name, lifeMs }) {
      there.add(name);
      done.push(`make ${name} ${lifeMs}`);
      return [];
    },
    async drop(_run, name) {
      done.push(`drop ${name}`);
      if (name === state.stays) throw new Error('its administrator is another');
      return there.delete(name);
    },
    made: async (_run, gateway) => [...there].filter((name) => name.startsWith(`sallyport_${gateway}_`)),
    prove: async () => [],
  };
  const provision = new Provision({
    gateway: GATEWAY,
    makers: { postgres: maker, mysql: maker },
    ask: async (connection, use) => {
      assert.equal(connection.user, 'maker');
      assert.equal(connection.password(), 'makers');
      await state.gate;
      if (state.fails !== null) throw new Error(state.fails);
      const answer = await use(async () => []);
      if (state.breaks !== null) throw new Error(state.breaks);
      return answer;
    },
    remaining: () => state.remaining,
    sessions: 10,
    log: { info: () => {}, warn: (_data, message) => done.push(message) },
    schedule: (callback, ms) => {
      const entry = { callback, ms };
      waiting.push(entry);
      return () => void waiting.splice(waiting.indexOf(entry) >>> 0, 1);
    },
  });
  /** Lets the timer go off that is waiting; answers how long it was to wait. */
  const tick = async () => {
    const next = waiting.shift();
    next?.callback();
    await settle();
    return next?.ms;
  };
  return { provision, there, done, waiting, state, tick };
}

test('without an administrator the connection is dialled as it is', async () => {
  const { provision, done } = scripted();
  const plain = { ...BASE, provisioned: undefined };
  assert.equal((await provision.lease(grant('a'), plain)).connection, plain);
  provision.ended(grant('a').id);
  assert.deepEqual(done, []);
});

test('sessions of a grant share a role; it goes with the last of them behind the end of the grant', async () => {
  const { provision, there, done, waiting } = scripted();
  const leases = await Promise.all([provision.lease(grant('a'), BASE), provision.lease(grant('a'), BASE)]);
  const name = nameOf(grant('a'));
  // A minute longer than the grant: the gateway ends its last sessions as this role.
  assert.deepEqual(done, [`make ${name} 120000`]);
  const [{ connection }, second] = leases;
  assert.equal(connection.user, name);
  assert.match(connection.password(), /^Sp1-[\w-]{43}$/);
  assert.equal(connection.password(), second?.connection.password());
  provision.ended(grant('a').id);
  leases[0].release();
  leases[0].release();
  await settle();
  assert.ok(there.has(name), 'the other session still has it');
  leases[1].release();
  await settle();
  assert.ok(!there.has(name));
  assert.deepEqual(waiting, []);
});

test('a session that does not go is no reason to keep the role', async () => {
  const { provision, there, tick } = scripted();
  const lease = await provision.lease(grant('a'), BASE);
  provision.ended(grant('a').id);
  assert.equal(await tick(), 5_000);
  assert.equal(there.size, 0);
  lease.release();
});

test('who has waited too long, or left, is let go; a role that nobody waits for is not made', async () => {
  const { provision, state, done } = scripted();
  let go = () => {};
  state.gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const first = provision.lease(grant('a'), BASE);
  const impatient = new AbortController();
  const second = assert.rejects(provision.lease(grant('b'), BASE, impatient.signal), /not made in time/);
  const third = assert.rejects(provision.lease(grant('a'), BASE, AbortSignal.abort()), /not made in time/);
  await settle();
  impatient.abort();
  await Promise.all([second, third]);
  go();
  (await first).release();
  await settle();
  assert.deepEqual(done, [`make ${nameOf(grant('a'))} 120000`]);
});

test('each grant has its own, with a password of its own', async () => {
  const { provision, there } = scripted();
  const [a, b] = await Promise.all([provision.lease(grant('a'), BASE), provision.lease(grant('b'), BASE)]);
  assert.notEqual(a.connection.password(), b.connection.password());
  assert.deepEqual([...there].sort(), [nameOf(grant('a')), nameOf(grant('b'))]);
});

test('a role that cannot be made refuses the session, and the next one tries again', async () => {
  const { provision, state, there, waiting, done } = scripted();
  state.fails = 'wrong password';
  await assert.rejects(provision.lease(grant('a'), BASE), /wrong password/);
  await settle();
  assert.deepEqual([done, waiting], [[], []], 'nothing was begun, so there is nothing to drop');
  state.breaks = 'the database hung up';
  state.fails = null;
  await assert.rejects(provision.lease(grant('a'), BASE), /hung up/);
  await settle();
  assert.deepEqual(done.at(-1), 'a role could not be dropped: it is tried again', 'it may have been made');
  await assert.rejects(provision.lease(grant('a'), BASE), /hung up/);
  await settle();
  assert.equal(waiting.length, 1, 'one that is being dropped already is not dropped twice');
  state.breaks = null;
  await provision.lease(grant('a'), BASE);
  assert.equal(there.size, 1);
  waiting[0]?.callback();
  await settle();
  assert.equal(there.size, 1, 'what is used again stays');
});

test('a grant that ends while its role is made gets no session, and leaves none behind', async () => {
  const { provision, state, there } = scripted();
  let go = () => {};
  state.gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const refused = assert.rejects(provision.lease(grant('a'), BASE), /has ended/);
  await settle();
  provision.ended(grant('a').id);
  go();
  await refused;
  await settle();
  assert.equal(there.size, 0);
  state.remaining = 0;
  await assert.rejects(provision.lease(grant('a'), BASE), /the grant is over/);
  await settle();
  assert.equal(there.size, 0);
});

test('what cannot be dropped is tried again, ever more rarely, until it is gone', async () => {
  const { provision, state, there, tick, waiting } = scripted();
  (await provision.lease(grant('a'), BASE)).release();
  state.fails = 'connection refused';
  provision.ended(grant('a').id);
  await settle();
  const waits = [];
  for (let i = 0; i < 8; i++) waits.push(await tick());
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  state.fails = null;
  await tick();
  assert.equal(there.size, 0);
  assert.deepEqual(waiting, []);
});

test('what was left behind is dropped; what is used, and what is another gateway’s, is not', async () => {
  const { provision, state, there, tick } = scripted();
  await provision.lease(grant('a'), BASE);
  there
    .add(nameOf(grant('b')))
    .add('sallyport_bbbbbbbbbbbb_cccccccccccccccc')
    .add('svc');
  state.fails = 'connection refused';
  await provision.sweep([BASE]);
  assert.equal(there.size, 4);
  state.fails = null;
  assert.equal(await tick(), 1_000);
  assert.deepEqual([...there], [nameOf(grant('a')), 'sallyport_bbbbbbbbbbbb_cccccccccccccccc', 'svc']);
});

test('one that cannot be dropped is no reason for others to stay', async () => {
  const { provision, state, there, tick } = scripted();
  there.add(nameOf(grant('a'))).add(nameOf(grant('b')));
  state.stays = nameOf(grant('a'));
  await provision.sweep([BASE]);
  assert.deepEqual([...there], [state.stays]);
  state.stays = '';
  await tick();
  assert.equal(there.size, 0);
});

test('a later sweep takes the place of one that is still to be tried', async () => {
  const { provision, state, done, tick } = scripted();
  state.fails = 'connection refused';
  await provision.sweep([BASE]);
  await provision.sweep([{ ...BASE, provisioned: undefined }]);
  done.length = 0;
  await tick();
  assert.deepEqual(done, []);
});

test('a changed connection gets another role; one that is provisioned no more, none', async () => {
  const { provision, there } = scripted();
  const before = await provision.lease(grant('a'), BASE);
  const moved = await provision.lease(grant('a'), { ...BASE, host: 'other.example.com' });
  assert.notEqual(moved.connection.password(), before.connection.password());
  assert.equal(moved.connection.host, 'other.example.com');
  const tls = await provision.lease(grant('a'), { ...BASE, host: 'other.example.com', tls: { mode: 'require' } });
  assert.equal(tls.connection.password(), moved.connection.password());
  assert.equal(tls.connection.tls.mode, 'require');
  assert.equal((await provision.lease(grant('a'), { ...BASE, provisioned: undefined })).connection.user, 'svc');
  for (const lease of [before, moved, tls]) lease.release();
  await settle();
  assert.equal(there.size, 0);
});

test('at the end all are dropped, and nothing is tried again', async () => {
  const { provision, there, waiting, state } = scripted();
  await provision.lease(grant('a'), BASE);
  (await provision.lease(grant('b'), BASE)).release();
  provision.ended(grant('a').id);
  await provision.close();
  assert.equal(there.size, 0);
  assert.deepEqual(waiting, []);
  state.fails = 'connection refused';
  await assert.rejects(provision.lease(grant('c'), BASE));
  await settle();
  assert.deepEqual(waiting, []);
});
