// Makes two grants in the folder that is its argument, revokes the second, prints both ids, and waits to be killed.

import { openGrants } from '../../src/grants/grants.ts';
import { parseScope, within } from '../../src/policy/scope.ts';

const rule = { groups: ['*'], connections: ['*'], scopes: ['db:*:read'], maxTtlMs: 60_000, approval: 'auto' } as const;
const grants = openGrants({
  dir: process.argv[2] ?? '',
  now: Date.now,
  monotonic: () => performance.now(),
  access: () => [rule],
  connections: () => ['analytics'],
  scopes: { parse: parseScope, within },
  makeVerifiers: () => ({}),
  onError: (error) => console.error(error),
});
const request = {
  identity: { issuer: 'operator', subject: 'agent', groups: [] },
  ...{ connection: 'analytics', scopes: ['db:analytics:read'], ttlMs: 60_000, task: 't', reason: 'r' },
};
const first = await grants.request(request);
const second = await grants.request(request);
grants.revoke(second.grant.id, 'operator', 'wrong');
// Whoever started it may be gone; it ends by itself then.
setTimeout(() => process.exit(1), 30_000);
process.stdout.write(`${first.grant.id} ${second.grant.id}\n`);
