// Tickets are good once, for seconds, and for nothing but what they were made for.

import assert from 'node:assert/strict';
import test from 'node:test';
import { forTickets } from '../../src/doors.ts';
import { Tickets } from '../../src/mcp/tickets.ts';
import type { PortOptions, Who } from '../../src/wire/port.ts';

const TICKET = { grant: 'gr_one', client: '127.0.0.1:1', application: 'mcp' };

function clocked() {
  let time = 0;
  const tickets = new Tickets(
    async (secret) => `verifier of ${secret}`,
    () => time,
  );
  return {
    tickets,
    pass(ms: number) {
      time += ms;
    },
  };
}

test('a ticket is good for one login', async () => {
  const { tickets } = clocked();
  const { login, secret } = await tickets.issue(TICKET);
  assert.equal(tickets.verifiers(login), `verifier of ${secret}`);
  assert.deepEqual(tickets.redeem(login), TICKET);
  assert.equal(tickets.redeem(login), undefined);
  assert.equal(tickets.verifiers(login), undefined);
});

test('a ticket is good for seconds', async () => {
  const { tickets, pass } = clocked();
  const { login } = await tickets.issue(TICKET);
  pass(9_999);
  assert.notEqual(tickets.verifiers(login), undefined);
  pass(1);
  assert.equal(tickets.verifiers(login), undefined);
  assert.equal(tickets.redeem(login), undefined);
});

test('no two are alike, and an unknown one is none', async () => {
  const { tickets } = clocked();
  const [one, two] = [await tickets.issue(TICKET), await tickets.issue(TICKET)];
  assert.notEqual(one.login, two.login);
  assert.notEqual(one.secret, two.secret);
  assert.equal(tickets.verifiers('gr_one'), undefined);
});

test('where tickets log in nothing else does, and a session is who the ticket says', async () => {
  const { tickets } = clocked();
  const admitted: Who[] = [];
  const port = {
    tlsRequired: true,
    lookup: () => "a grant's verifier",
    tokens: { configured: () => true, prove: async () => ({ grant: 'gr_one' }) },
    admit: (who: Who) => {
      admitted.push(who);
      return { refused: 'no more of it here' };
    },
  } as unknown as PortOptions<string, unknown>;
  const door = forTickets(port, tickets, (verifier: string) => verifier);
  const { login, secret } = await tickets.issue(TICKET);
  assert.equal(door.tlsRequired, false);
  assert.equal(door.lookup('gr_one'), undefined);
  assert.equal(door.lookup(login), `verifier of ${secret}`);
  assert.equal(door.tokens.configured(), false);
  assert.ok('unproven' in (await door.tokens.prove({ task: null, token: 'a token', database: null })));

  const who = { login, database: 'db', application: 'forged', client: '127.0.0.1:9' } as Who;
  assert.deepEqual(door.admit({ ...who, login: 'gr_one' }), { refused: 'the ticket is over' });
  assert.deepEqual(admitted, []);
  door.admit(who);
  assert.deepEqual(admitted, [{ ...who, login: 'gr_one', client: '127.0.0.1:1', application: 'mcp' }]);
  assert.deepEqual(door.admit(who), { refused: 'the ticket is over' });
});
