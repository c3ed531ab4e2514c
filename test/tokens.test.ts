// Which grant a token leads to, and what its bearer is told where that is not one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SallyportError } from '../src/errors.ts';
import { grantOfToken } from '../src/tokens.ts';
import type { Connection, Grant, Identity, Protocol } from '../src/types.ts';

const AGENT: Identity = { issuer: 'https://idp', subject: 'agent-1', groups: ['agents'] };

const connections: Readonly<Record<string, Connection>> = Object.fromEntries(
  (
    [
      ['analytics', 'postgres', 'warehouse'],
      ['billing', 'postgres', 'money'],
      ['web', 'mysql', 'shop'],
    ] as const
  ).map(([name, protocol, database]) => [
    name,
    { name, protocol, host: '', port: 0, database, user: '', password: () => '', tls: { mode: 'disable' } },
  ]),
);

function grant(id: string, connection: string, task: string): Grant {
  return { id, task, reason: '', identity: AGENT, connection, scopes: [], requestedAt: 0, expiresAt: 1 };
}

const ask = (
  live: readonly Grant[],
  login: { task?: string; database?: string; token?: string } = {},
  protocol: Protocol = 'postgres',
) =>
  grantOfToken(
    {
      prove: async (token) => {
        if (token === 'broken') throw new Error('out of memory');
        if (token !== 'good') throw new SallyportError('SP_UNAUTHORIZED', 'the token has expired');
        return AGENT;
      },
      live: (identity) => (identity === AGENT ? live : []),
      connection: (name) => connections[name],
    },
    protocol,
    { task: login.task ?? null, database: login.database ?? null, token: login.token ?? 'good' },
  );

test('the only live grant, by protocol, database and task', async () => {
  const all = [grant('gr_1', 'analytics', 'a'), grant('gr_2', 'billing', 'b'), grant('gr_3', 'web', 'a')];
  assert.deepEqual(await ask(all.slice(0, 1)), { grant: 'gr_1' });
  assert.deepEqual(await ask(all, {}, 'mysql'), { grant: 'gr_3' });
  assert.deepEqual(await ask(all, { task: 'b' }), { grant: 'gr_2' });
  assert.deepEqual(await ask(all, { database: 'analytics' }), { grant: 'gr_1' });
  assert.deepEqual(await ask(all, { database: 'money' }), { grant: 'gr_2' });
});

test('several are told apart by their tasks, or by their ids where the tasks are the same', async () => {
  const all = [grant('gr_1', 'analytics', 'a'), grant('gr_2', 'analytics', 'b')];
  assert.deepEqual(await ask(all), {
    refused: 'several grants of agent-1 are live',
    hint: 'Log in as oidc:<task>; one of: a, b.',
  });
  const alike = [...all, grant('gr_3', 'billing', 'a')];
  assert.deepEqual(await ask(alike, { task: 'a' }), {
    refused: 'several grants of agent-1 are live',
    hint: 'Log in as oidc:<task>, or name the connection as database; one of: gr_1 (a), gr_3 (a).',
  });
  assert.deepEqual(await ask(alike, { task: 'gr_3' }), { grant: 'gr_3' });
});

test('where there is none, the bearer is told how to get one, or which there are', async () => {
  const none = await ask([], { database: 'analytics', task: 'a' });
  assert.ok('refused' in none);
  assert.equal(none.refused, 'agent-1 has no live grant');
  const elsewhere = await ask([grant('gr_3', 'web', 'a')]);
  assert.ok('refused' in elsewhere);
  assert.match(elsewhere.hint ?? '', /^Request one: sallyport grants request --connection <connection> --scope /);
  assert.equal(elsewhere.refused, 'no live grant of agent-1 is for a postgres connection');
  const other = await ask([grant('gr_1', 'analytics', 'a')], { database: 'web' });
  assert.ok('refused' in other && other.refused === 'no live grant of agent-1 is for database "web" on this port');
  assert.deepEqual(await ask([grant('gr_1', 'analytics', 'a'), grant('gr_2', 'billing', 'b')], { task: 'c' }), {
    refused: 'no live grant of agent-1 has the task "c"',
    hint: 'The tasks of those that there are: a, b.',
  });
});

test('a token that proves nobody has a reason for the log alone; what is not its fault is an error', async () => {
  assert.deepEqual(await ask([grant('gr_1', 'analytics', 'a')], { token: 'bad' }), {
    unproven: 'the token has expired',
  });
  await assert.rejects(ask([], { token: 'broken' }), /out of memory/);
});
