// The last words of a MySQL session.
import type { EndReason } from '../listen.ts';
import type { LastWords } from '../session.ts';
import { Command, command, cut, err } from './messages.ts';

/** `sequence`: the id of the next packet to the client. */
export function lastWords(relay: { readonly sequence: number }): LastWords {
  return {
    farewell: (reason) => farewell(relay.sequence, reason),
    violated: (message) => err(relay.sequence, { code: 1835, sqlstate: 'HY000', message }),
    goodbye: () => command(Command.quit),
  };
}

/** Codes that servers end sessions with (ER_SESSION_WAS_KILLED, ER_SERVER_SHUTDOWN, ER_CLIENT_INTERACTION_TIMEOUT), or ER_UNKNOWN_ERROR. */
function farewell(sequence: number, { kind, message, hint }: EndReason): Buffer {
  const [code, sqlstate] = (
    {
      grant: [3169, 'HY000'],
      shutdown: [1053, '08S01'],
      idle: [4031, 'HY000'],
      record: [1105, 'HY000'],
      config: [3169, 'HY000'],
      upstream: [1105, 'HY000'],
    } as const
  )[kind];
  return err(sequence, { code, sqlstate, message: cut(hint === undefined ? message : `${message}. ${hint}`) });
}
