// docs/identity.md as it stands: each config is one, and each recipe makes of its provider's claims the identity that it says.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { validators } from '../../src/cli/validators.ts';
import { type Config, parseConfig } from '../../src/config/load.ts';
import { openIdentities } from '../../src/identity/identities.ts';
import type { Identity } from '../../src/types.ts';
import { type OidcProvider, startProvider } from '../servers/oidc.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/identity.md'), 'utf8');
const CONNECTIONS = `connections:
  analytics: { protocol: postgres, host: 127.0.0.1, database: analytics, user: svc }
`;

/** The config below a heading. */
function configOf(heading: string): Config {
  const [, section = ''] = text.split(new RegExp(`^#+ ${heading}$`, 'm'));
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(section.split(/^#+ /m)[0] ?? '') ?? [];
  const reading = parseConfig(CONNECTIONS + yaml, '/etc/sallyport.yaml', validators);
  assert.ok(reading.ok, `${heading}: ${JSON.stringify(reading)}`);
  return reading.config;
}

let provider: OidcProvider;
before(async () => {
  provider = await startProvider();
});
after(() => provider.close());

/** What the recipe makes of a token of its issuer, which the provider of this test plays. */
async function identityOf(heading: string, claims: { iss: string } & Record<string, unknown>): Promise<Identity> {
  const { issuers } = configOf(heading).identity;
  const own = issuers.filter(({ issuer }) => issuer === claims.iss);
  assert.ok(own.length > 0, `${heading} has no issuer ${claims.iss}`);
  const identities = openIdentities({
    issuers: () => own.map((entry) => ({ ...entry, issuer: provider.issuer })),
    log: { info() {}, warn() {} },
  });
  const bare = { sub: undefined, groups: undefined, ...claims, iss: provider.issuer };
  const { issuer: _, ...identity } = await identities.prove(await provider.token(bare, { alg: 'RS256' }));
  return { issuer: claims.iss, ...identity };
}

test('every config in docs/identity.md is one', () => {
  const headings = ['The config', 'Okta', 'Microsoft Entra ID', 'Google', 'Keycloak', 'GitHub Actions'];
  assert.equal(text.match(/```yaml/g)?.length, headings.length);
  for (const heading of headings) {
    const { identity, access } = configOf(heading);
    assert.ok(identity.issuers.length > 0 && access.length > 0, heading);
  }
});

test('Okta: people by their id and groups, machines by their client id', async () => {
  const iss = 'https://acme.okta.com/oauth2/default';
  const person = {
    iss,
    aud: 'api://default',
    sub: 'ada@example.com',
    uid: '00u1',
    cid: '0oa1',
    groups: ['sallyport-users'],
  };
  const { subject, groups } = await identityOf('Okta', { ...person, scp: ['openid'], ver: 1 });
  assert.deepEqual([subject, groups], ['00u1', ['sallyport-users']]);
  const machines = 'https://acme.okta.com/oauth2/aus1example2Machines';
  const client = '0oa1example2Robot3';
  const robot = await identityOf('Okta', { iss: machines, aud: 'sallyport-machines', sub: client, cid: client });
  assert.deepEqual([robot.subject, robot.groups], [client, [client]]);
});

test('Entra ID: the object id, and app roles', async () => {
  const iss = 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0';
  const aud = '99999999-8888-7777-6666-555555555555';
  const claims = { iss, aud, sub: 'pairwise', oid: 'o-1', tid: 't', ver: '2.0', preferred_username: 'ada@example.com' };
  const { subject, groups } = await identityOf('Microsoft Entra ID', { ...claims, roles: ['sallyport-user'] });
  assert.deepEqual([subject, groups], ['o-1', ['sallyport-user']]);
  assert.deepEqual((await identityOf('Microsoft Entra ID', claims)).groups, []);
});

test('Google: a verified address is person and group', async () => {
  const iss = 'https://accounts.google.com';
  const email = 'ada@example.com';
  const person = { iss, aud: '123456789012-people.apps.googleusercontent.com', sub: '10769150350006150715113082367' };
  const { subject, groups } = await identityOf('Google', { ...person, email, email_verified: true, hd: 'example.com' });
  assert.deepEqual([subject, groups], [email, [email]]);
  await assert.rejects(identityOf('Google', { ...person, email, email_verified: false }), /not verified/);
  const account = 'report@acme-prod.iam.gserviceaccount.com';
  const machine = { iss, aud: 'sallyport', azp: '1', sub: '1', email: account, email_verified: true };
  assert.deepEqual((await identityOf('Google', machine)).groups, [account]);
});

test('Keycloak: groups beside other audiences', async () => {
  const iss = 'https://id.example.com/realms/acme';
  const claims = { iss, aud: ['sallyport', 'account'], sub: 'f81d4fae', typ: 'Bearer', azp: 'sallyport-cli' };
  const { subject, groups } = await identityOf('Keycloak', { ...claims, groups: ['analysts'] });
  assert.deepEqual([subject, groups], ['f81d4fae', ['analysts']]);
  await assert.rejects(identityOf('Keycloak', { ...claims, aud: 'account' }), /another audience/);
});

test('GitHub Actions: the workflow is the group, the actor the person', async () => {
  const workflow = 'acme/reports/.github/workflows/weekly.yml@refs/heads/main';
  const sub = 'repo:acme/reports:ref:refs/heads/main';
  const claims = { aud: 'sallyport', sub, repository: 'acme/reports', workflow_ref: workflow, actor: 'ada' };
  const iss = 'https://token.actions.githubusercontent.com';
  const { subject, groups, actingFor } = await identityOf('GitHub Actions', { iss, ...claims });
  assert.deepEqual([subject, groups, actingFor], [sub, [workflow], 'ada']);
  assert.deepEqual(configOf('GitHub Actions').access[0]?.groups, [workflow]);
});
