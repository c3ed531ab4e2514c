// A proven identity: what each algorithm, claim and provider makes of it, and how keys are come by and kept.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SIGNING } from '../servers/oidc.ts';
import { openStand, refusal, type Stand } from './stand.ts';

let stand: Stand;
before(async () => {
  stand = await openStand({ claims: { robot: { groups: ['machines'] } } });
});
after(() => stand.close());

const MINUTE = 60_000;

test('a token of each algorithm is proven', async () => {
  const { provider, identities } = stand;
  for (const alg of SIGNING) {
    const identity = await identities.prove(await provider.token({ sub: alg, groups: ['a', 'b'] }, { alg }));
    assert.deepEqual(identity, { issuer: provider.issuer, subject: alg, groups: ['a', 'b'] });
  }
  assert.deepEqual(provider.requests, ['/.well-known/openid-configuration', '/jwks'], 'the keys are asked for once');
});

test('a machine with client credentials is its client id', async () => {
  const { provider, identities } = stand;
  const { subject, groups } = await identities.prove(await provider.machineToken());
  assert.deepEqual([subject, groups], ['robot', ['machines']]);
});

test('groups and subjects are read where the config says', async () => {
  const { provider, identities, entry } = stand;
  const claims = {
    email: 'ada@example.com',
    realm_access: { roles: ['agents'] },
    'https://example.com/groups': ['by-name'],
    https: { '//example': { 'com/groups': ['by-path'] } },
    hd: 'example.com',
  };
  const token = await provider.token(claims);
  const rows: [groupsClaim: string, groups: string[]][] = [
    ['realm_access.roles', ['agents']],
    ['https://example.com/groups', ['by-name']],
    ['hd', ['example.com']],
    ['realm_access.none', []],
    ['constructor', []],
    ['groups.length', []],
  ];
  for (const [groupsClaim, groups] of rows) {
    stand.issuers = [{ ...entry, groupsClaim, subjectClaim: 'email' }];
    const identity = await identities.prove(token);
    assert.deepEqual([identity.subject, identity.groups], ['ada@example.com', groups], groupsClaim);
  }
  stand.issuers = [entry];
  assert.deepEqual((await identities.prove(await provider.token({ groups: ['a', 'a'] }))).groups, ['a']);
});

test('a delegated token is the agent that acts, and keeps for whom', async () => {
  const { provider, identities, entry } = stand;
  const act = { sub: 'agent-7', act: { sub: 'planner', act: { sub: 'chat' } } };
  const { subject, actingFor, via } = await identities.prove(await provider.token({ sub: 'ada', act }));
  assert.deepEqual([subject, actingFor, via], ['agent-7', 'ada', ['planner', 'chat']]);

  stand.issuers = [{ ...entry, actingForClaim: 'actor' }];
  const named = await identities.prove(await provider.token({ sub: 'repo:x', actor: 'ada' }));
  assert.deepEqual([named.subject, named.actingFor], ['repo:x', 'ada']);
  const alone = await identities.prove(await provider.token({ sub: 'repo:x' }));
  assert.equal(alone.actingFor, undefined);
  // The standard claim counts all the same: a delegated token is never the person's own.
  const both = await identities.prove(await provider.token({ sub: 'ada', act: { sub: 'agent-7' }, actor: 'bob' }));
  assert.deepEqual([both.subject, both.actingFor], ['agent-7', 'ada']);

  stand.issuers = [{ ...entry, subjectClaim: 'email' }];
  const emails = { email: 'ada@example.com', act: { email: 'agent@example.com', sub: '7' } };
  const mailed = await identities.prove(await provider.token(emails));
  assert.deepEqual([mailed.subject, mailed.actingFor], ['agent@example.com', 'ada@example.com']);
  stand.issuers = [entry];
});

test('no name looks like another for what is not seen of it; groups are compared, not read', async () => {
  const { provider, identities, entry } = stand;
  for (const name of ['ada\u200b', '\u202eada', 'a\u00adda', 'ada\u2028', ' ada', 'ada\u00a0', '\ud800']) {
    const said = JSON.stringify(name);
    assert.match(String(await refusal(identities, await provider.token({ sub: name }))), /sub is not a name/, said);
    const act = { sub: name };
    assert.match(String(await refusal(identities, await provider.token({ act }))), /sub is not a name/, said);
    stand.issuers = [{ ...entry, actingForClaim: 'actor' }];
    assert.match(String(await refusal(identities, await provider.token({ actor: name }))), /actor is not a name/, said);
    stand.issuers = [entry];
  }
  const groups = ['\ud83d\udc69\u200d\ud83d\udcbb', 'Zo\u00eb M\u00fcller'];
  const identity = await identities.prove(await provider.token({ sub: 'Zo\u00eb M\u00fcller', groups }));
  assert.deepEqual([identity.subject, identity.groups], ['Zo\u00eb M\u00fcller', groups]);
});

test('an actor of another issuer is not its namesake here', async () => {
  const { provider, identities } = stand;
  const tokenOf = (iss: unknown) => provider.token({ sub: 'ada', act: { sub: 'agent-7', iss } });
  for (const iss of ['https://other.example.com', null, 5, `${provider.issuer}/`]) {
    assert.match(String(await refusal(identities, await tokenOf(iss))), /an actor of another issuer/, String(iss));
  }
  assert.equal((await identities.prove(await tokenOf(provider.issuer))).subject, 'agent-7');
});

test('one issuer may stand for several audiences, each with its own claims', async () => {
  const { provider, identities, entry } = stand;
  stand.issuers = [entry, { ...entry, audience: 'ci', groupsClaim: 'repository', subjectClaim: 'workflow' }];
  const claims = { aud: 'ci', repository: 'octo/app', workflow: 'deploy' };
  const { subject, groups } = await identities.prove(await provider.token(claims));
  assert.deepEqual([subject, groups], ['deploy', ['octo/app']]);
  assert.equal((await identities.prove(await provider.token(claims.aud === 'ci' ? {} : claims))).subject, 'agent-1');
  stand.issuers = [entry];
});

test('two providers are told apart by their keys, not by what a token says', async (t) => {
  const { provider, identities, entry } = stand;
  const other = await openStand({}, t);
  stand.issuers = [entry, other.entry];
  assert.equal((await identities.prove(await other.provider.token())).issuer, other.provider.issuer);
  const forged = await other.provider.token({ iss: provider.issuer });
  assert.match(String(await refusal(identities, forged)), /not signed by a key/);
  stand.issuers = [entry];
  assert.match(String(await refusal(identities, await other.provider.token())), /not of an issuer/);
});

test('a changed config counts for tokens that were proven before', async () => {
  const { provider, identities, entry } = stand;
  const token = await provider.token({ roles: ['dba'] });
  const first = await identities.prove(token);
  assert.equal(await identities.prove(token), first, 'remembered');
  stand.issuers = [{ ...entry, groupsClaim: 'roles' }];
  assert.deepEqual((await identities.prove(token)).groups, ['dba']);
  stand.issuers = [{ ...entry, audience: 'another' }];
  assert.match(String(await refusal(identities, token)), /another audience/);
  stand.issuers = [];
  assert.equal(identities.configured, false);
  assert.match(String(await refusal(identities, token)), /not of an issuer/);
  stand.issuers = [entry];
});

test('a remembered token ends when it ends', async (t) => {
  const own = await openStand({}, t);
  const token = await own.provider.token();
  await own.identities.prove(token);
  own.turn(10 * MINUTE + 29_000);
  assert.equal(await refusal(own.identities, token), null, 'clocks may differ by 30 s');
  own.turn(2000);
  assert.equal(await refusal(own.identities, token), 'the token has expired');
});

test('keys are fetched again after ten minutes, and what they had proven is proven anew', async (t) => {
  const own = await openStand({}, t);
  const { provider, identities } = own;
  const token = await provider.token();
  await identities.prefetch();
  assert.equal(await refusal(identities, token), null);
  await provider.rotate();
  assert.equal(await refusal(identities, token), null, 'the old key is still believed');
  own.age(10 * MINUTE);
  assert.match(String(await refusal(identities, token)), /not signed by a key/);
  assert.deepEqual(own.lines, ['info the keys of the identity provider have changed']);
  own.age(10 * MINUTE);
  assert.equal(await refusal(identities, await provider.token()), null);
  // At first, after ten minutes, for the key that was not there any more, and after ten minutes again.
  assert.equal(provider.requests.filter((path) => path === '/jwks').length, 4);
});

test('many tokens at once are one fetch', async (t) => {
  const own = await openStand({}, t);
  const tokens = await Promise.all(Array.from({ length: 50 }, (_, n) => own.provider.token({ sub: `agent-${n}` })));
  const proven = await Promise.all(tokens.map((token) => own.identities.prove(token)));
  assert.deepEqual(new Set(proven.map(({ subject }) => subject)).size, 50);
  assert.equal(own.provider.requests.length, 2);
});
