// The verdicts of section F: the gateway.
import type { Verdict } from './verdicts.ts';

export const F: Readonly<Record<string, Verdict>> = {
  F1: {
    status: 'fails closed',
    attack: 'an approval bent to something else: another text, other values, used twice, given by oneself',
    shows:
      'what a rule wants a person to approve is refused, since nobody can approve statements yet; grants are approved by the people that the access rule names, never by who asked or whom they act for',
    elsewhere: ['grants/approval.test.ts'],
  },
  F2: {
    status: 'open',
    attack: 'what the approver sees is not what runs',
    shows:
      'nobody is shown statements to approve yet; the command line prints what comes from clients and databases with control and invisible characters in words',
    elsewhere: ['cli/cli.test.ts'],
  },
  F3: {
    status: 'withstood',
    attack: 'the grant ends in the middle of something; clocks that are set',
    shows:
      'sleeps, transactions, COPY both ways, cursors, portals, pipelines and what was sent ahead end with the grant, in the database too and without leaving anything behind; a clock that is set back gives no more time, one that is set forward takes it away',
    elsewhere: ['grants/clocks.test.ts'],
  },
  F4: {
    status: 'withstood',
    attack: 'the record’s store full, read-only, locked, corrupt',
    shows:
      'what cannot be recorded is not acknowledged, with room again all goes on; a store of another gateway, without its key or with a torn end is not taken over in silence',
    elsewhere: ['record/crash.test.ts', 'record/recorder.test.ts'],
  },
  F5: {
    status: 'withstood',
    attack: '`kill -9` at any moment',
    shows:
      'every result that a client has read is in the record, the chain verifies, the store opens, and so do grants',
    elsewhere: ['drivers/killed.test.ts', 'record/crash.test.ts', 'grants/grants.test.ts'],
  },
  F6: {
    status: 'withstood',
    attack: 'a record changed, removed, reordered, cut',
    shows: 'each is found, with its place, whatever was computed anew with it',
    elsewhere: ['record/verify.test.ts'],
  },
  F7: {
    status: 'open',
    attack:
      'the database dies, restarts, hangs, refuses, is slow; names, certificates and credentials that are wrong or change',
    shows:
      'its sessions end and the gateway stays, what cannot be reached is one line in the log and none of it for clients, names and certificates are proven as the TLS mode says; a credential that is rotated while the gateway runs, and a name that no longer resolves, no test shows',
    elsewhere: ['conformance/scenarios.test.ts', 'wire/pg/connect.test.ts', 'wire/mysql/connect.test.ts'],
  },
  F8: {
    status: 'withstood',
    attack: 'tokens forged, expired, for somebody else, huge; keys that rotate, a provider that is down',
    shows:
      'each is refused at the API and at both database ports, with the same words for all that prove nobody; keys are fetched anew when they rotate, and serve for a stated time while the provider is away',
    elsewhere: ['identity/identities.test.ts', 'wire/pg/token.test.ts', 'wire/mysql/token.test.ts'],
  },
  F9: {
    status: 'withstood',
    attack: 'floods, half handshakes, idle sessions, guessing',
    shows:
      'connections that have not logged in have a room of their own in which the oldest of the busiest source give way, sessions idle too long end; failures slow their source, and others by a second at most; unknown, over and wrong read alike',
    elsewhere: ['wire/throttle.test.ts', 'wire/room.test.ts', 'conformance/b11-stalls.test.ts'],
  },
  F10: {
    status: 'open',
    attack:
      'the API and the console: unproven, from another site, with values that are markup, with secrets in answers',
    shows:
      'no route but the open ones answers without a proof, pages of other sites get nothing, values stay values, secrets are in the one answer that makes them; the console is not there yet',
  },
  F11: {
    status: 'withstood',
    attack: 'patterns of the config that take exponential time',
    shows: 'patterns are matched in linear time, those that cannot be are refused with their place',
    elsewhere: ['policy/rules.test.ts'],
  },
};
