// Random histories: what has ended never lives again, only what waits is approved, and a gateway that starts again has the
// states that it had.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SallyportError } from '../../src/errors.ts';
import type { AccessRule } from '../../src/grants/access.ts';
import { after, begun, isEnd, type Life } from '../../src/grants/life.ts';
import type { GrantEvent } from '../../src/grants/store.ts';
import { parseScope, within } from '../../src/policy/scope.ts';
import type { Caller, GrantState } from '../../src/types.ts';
import { MINUTE, type Opened, open, request, rule } from './stand.ts';

const scopes = { parse: parseScope, within };
const auto: AccessRule = { ...rule, maxConsecutive: 4 };
const required: AccessRule = { ...auto, approval: 'required' };
const approver: Caller = { identity: { issuer: 'i', subject: 'dora', groups: [] }, roles: new Set(['approver']) };

/** Which state may come after which. */
const NEXT: Readonly<Record<GrantState, readonly GrantState[]>> = {
  requested: ['active', 'refused', 'completed', 'revoked'],
  active: ['completed', 'expired', 'revoked'],
  refused: [],
  completed: [],
  expired: [],
  revoked: [],
};

type Step =
  | { readonly do: 'request' | 'restart' | 'rules' | 'revokeAll' }
  | { readonly do: 'approve' | 'refuse' | 'complete' | 'revoke'; readonly which: number }
  | { readonly do: 'pass'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('request' as const, 'request' as const, 'restart' as const, 'rules' as const) }),
  fc.record({
    do: fc.constantFrom('approve' as const, 'refuse' as const, 'complete' as const, 'revoke' as const),
    which: fc.nat(9),
  }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 40 * MINUTE }) }),
  { arbitrary: fc.record({ do: fc.constant('revokeAll' as const) }), weight: 1 },
);

async function run(stand: Opened, ids: string[], step: Step): Promise<Opened> {
  const { grants, time, given } = stand;
  if (step.do === 'request') ids.push((await grants.request(request)).grant.id);
  if (step.do === 'restart') return stand.reopen();
  if (step.do === 'rules') given.rules = given.rules?.[0] === auto ? [required] : [auto];
  if (step.do === 'revokeAll') grants.revokeAll({}, 'olga', 'all');
  if (step.do === 'pass') time.pass(step.ms);
  const id = 'which' in step ? (ids[step.which % ids.length] ?? '') : '';
  if (step.do === 'approve') grants.approve(id, approver);
  if (step.do === 'refuse') grants.refuse(id, approver, 'no');
  if (step.do === 'complete') grants.complete(id, 'agent');
  if (step.do === 'revoke') grants.revoke(id, 'olga', 'x');
  return stand;
}

test('states go only forward, listeners hear of each, and a restart changes none', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 30 }), async (steps) => {
      let stand = open({ rules: [auto] });
      const ids: string[] = [];
      const heard = new Map<string, GrantState>();
      const listen = () =>
        stand.grants.onChange((id, state) => {
          const before = heard.get(id);
          assert.ok(before === undefined ? state === 'requested' || state === 'active' : NEXT[before].includes(state));
          heard.set(id, state);
        });
      listen();
      for (const each of steps) {
        try {
          const next = await run(stand, ids, each);
          if (next !== stand) {
            stand = next;
            listen();
          }
        } catch (error) {
          if (!(error instanceof SallyportError)) throw error;
        }
        assert.deepEqual(stand.errors, []);
        for (const id of ids) assert.equal(stand.grants.state(id), heard.get(id));
      }
      const before = ids.map((id) => [stand.grants.show(id), stand.grants.history(id), stand.grants.remaining(id)]);
      const again = await stand.reopen();
      assert.deepEqual(
        ids.map((id) => [again.grants.show(id), again.grants.history(id), again.grants.remaining(id)]),
        before,
      );
      assert.deepEqual(
        again.grants.list({ state: 'active' }).map(({ grant }) => grant.id),
        ids.filter((id) => again.grants.isLive(id)).reverse(),
      );
      await again.grants.close();
    }),
    { numRuns: 40 },
  );
});

test('whatever events a store has, an ended life stays as it ended, and nothing is approved twice', () => {
  const name = fc.constantFrom('requested', 'approved', 'refused', 'completed', 'expired', 'revoked') as fc.Arbitrary<
    GrantEvent['event']
  >;
  const identity = request.identity;
  const grant = { ...request, id: 'gr_aaaaaaaaaaaaaaaa', identity, requestedAt: 0, expiresAt: 60 };
  fc.assert(
    fc.property(fc.boolean(), fc.array(name, { maxLength: 8 }), (waits, names) => {
      const first = { grantId: grant.id, at: 0, event: 'requested', by: 'a', reason: 'r', grant, ttlMs: 20 } as const;
      let life: Life = begun(waits ? { ...first, waits: 'why' } : first, scopes);
      assert.equal(life.state, waits ? 'requested' : 'active');
      let approvals = 0;
      for (const [at, event] of names.entries()) {
        const before = life;
        life = after(life, { grantId: grant.id, at, event, by: 'b', reason: 's' });
        if (before.end !== undefined) assert.equal(life, before);
        if (life.state !== before.state)
          assert.ok(life.state === 'active' || isEnd({ ...first, event: life.state as 'expired' }));
        if (life.state === 'active' && before.state === 'requested') approvals++;
        if (life.state === 'active' && before.state === 'active')
          assert.equal(life.grant.expiresAt, before.grant.expiresAt);
      }
      assert.ok(approvals <= 1);
    }),
  );
});
