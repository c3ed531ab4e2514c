// Ports for the gateway's own clients: as those of the same protocol, but tickets are all that logs in there.

import type { Tickets } from './mcp/tickets.ts';
import type { PortOptions } from './wire/port.ts';
import { Throttle } from './wire/throttle.ts';

/** For tickets of 256 random bits one derivation is as good as many, and costs no time. */
export const TICKET_ITERATIONS = 1;

/** They listen on the loopback address, so that nothing of a session crosses a network without TLS. */
export const DOOR = { host: '127.0.0.1', port: 0, idleTimeoutMs: 0 } as const;

/** @param verifierOf the protocol's part of what proves a ticket */
export function forTickets<Verifier, OpenGate, All, Options extends PortOptions<Verifier, OpenGate>>(
  options: Options,
  tickets: Tickets<All>,
  verifierOf: (all: All) => Verifier,
): Options {
  return {
    ...options,
    tlsRequired: false,
    // Failed logins at the other ports slow nobody here.
    throttle: new Throttle(),
    tokens: { configured: () => false, prove: async () => ({ unproven: 'no tokens are taken here' }) },
    lookup: (login) => {
      const all = tickets.verifiers(login);
      return all && verifierOf(all);
    },
    admit: (who) => {
      const ticket = tickets.redeem(who.login);
      if (ticket === undefined) return { refused: 'the ticket is over' };
      const { grant: login, client, application } = ticket;
      return options.admit({ ...who, login, client, application });
    },
  };
}
