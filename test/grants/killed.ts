// Makes grants in the folder that is its argument (one active, one revoked, one that waits, one approved), prints their ids, and
// waits to be killed.

import { openGrants } from '../../src/grants/grants.ts';
import { parseScope, within } from '../../src/policy/scope.ts';

const rule = { groups: ['*'], connections: ['*'], scopes: ['db:*:read'], maxTtlMs: 60_000, approval: 'auto' } as const;
const grants = openGrants({
  dir: process.argv[2] ?? '',
  now: Date.now,
  monotonic: () => performance.now(),
  access: () => [rule, { ...rule, scopes: ['db:*:write'], approval: 'required' }],
  connections: () => ['analytics'],
  scopes: { parse: parseScope, within },
  makeVerifiers: () => ({}),
  onError: (error) => console.error(error),
});
const ask = async (verb: string) => {
  const { grant } = await grants.request({
    identity: { issuer: 'operator', subject: 'agent', groups: [] },
    ...{ connection: 'analytics', scopes: [`db:analytics:${verb}`], ttlMs: 60_000, task: 't', reason: 'r' },
  });
  return grant.id;
};
const ids = [await ask('read'), await ask('read'), await ask('write'), await ask('write')] as const;
grants.revoke(ids[1], 'operator', 'wrong');
grants.approve(ids[3], {
  identity: { issuer: 'operator', subject: 'operator', groups: [] },
  roles: new Set(['operator']),
});
// Whoever started it may be gone; it ends by itself then.
setTimeout(() => process.exit(1), 30_000);
process.stdout.write(`${ids.join(' ')}\n`);
