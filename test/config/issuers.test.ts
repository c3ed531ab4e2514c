// What the config may say of identity providers: mistakes that would let anybody sign, and what is probably not meant.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { parseConfig } from '../../src/config/load.ts';

const base = {
  connections: { db: { protocol: 'postgres', host: '127.0.0.1', database: 'd', user: 'u' } },
  access: [{ groups: ['agents'], connections: ['db'], scopes: ['db:db:read'], maxTtl: '30m' }],
};
const EXAMPLE = { issuer: 'https://login.example.com', audience: 'sallyport' };

const read = (identity: object) => parseConfig(stringify({ ...base, identity }), '/etc/sallyport.yaml');

function mistakes(...issuers: object[]): string[] {
  const reading = read({ issuers });
  return reading.ok ? [] : reading.mistakes.map(({ path, message }) => `${path}: ${message}`);
}

function warnings(identity: object): string[] {
  const reading = read(identity);
  assert.ok(reading.ok, JSON.stringify(reading));
  return reading.config.warnings.map(({ path, message }) => `${path}: ${message}`);
}

test('an issuer is an https address, or on this machine', () => {
  for (const issuer of ['http://127.0.0.1:3000', 'http://localhost/realms/x', 'http://[::1]:1', EXAMPLE.issuer]) {
    assert.deepEqual(mistakes({ ...EXAMPLE, issuer }), [], issuer);
  }
  for (const issuer of ['http://login.example.com', 'http://127.example.com', 'http://10.0.0.1/']) {
    assert.match(mistakes({ ...EXAMPLE, issuer }).join(), /^identity\.issuers\[0\]\.issuer: .*https/, issuer);
  }
  for (const issuer of ['https://a.example/?tenant=1', 'https://a.example/#', 'https://me:secret@a.example']) {
    assert.match(mistakes({ ...EXAMPLE, issuer }).join(), /^identity\.issuers\[0\]\.issuer: .*without user/, issuer);
  }
  assert.match(mistakes({ ...EXAMPLE, issuer: 'login.example.com' }).join(), /an issuer is an http\(s\) address/);
});

test('one issuer may stand for several audiences, and the same pair only once', () => {
  assert.deepEqual(mistakes(EXAMPLE, { ...EXAMPLE, audience: 'machines' }), []);
  assert.match(mistakes(EXAMPLE, { ...EXAMPLE, groupsClaim: 'roles' }).join(), /^identity\.issuers\[1\]: the same/);
});

test('roles that nobody can have are warned of', () => {
  assert.match(warnings({ issuers: [EXAMPLE] }).join(), /^identity: no group has the role operator/);
  assert.deepEqual(warnings({ issuers: [EXAMPLE], roles: { operator: ['dba'] } }), []);
  assert.match(warnings({ roles: { operator: ['dba'] } }).join(), /^identity\.roles: without an issuer/);
  assert.deepEqual(warnings({}), []);
});

test('a role for every group is warned of', () => {
  const roles = { operator: ['dba', '*'], approver: ['*'], auditor: ['dba'] };
  const everybody = 'everybody with a token has the role, agents too';
  assert.deepEqual(warnings({ issuers: [EXAMPLE], roles }), [
    `identity.roles.operator: ${everybody}`,
    `identity.roles.approver: ${everybody}`,
  ]);
});
