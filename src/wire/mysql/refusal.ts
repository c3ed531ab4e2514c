// A refusal in the words of the protocol: error 1142 (42000), the sentence, what would make it work, and behind them JSON that an
// agent can parse.
import type { Session } from '../../types.ts';
import type { Refused } from '../gate.ts';
import { cut, type ErrorFields } from './messages.ts';

/** ER_TABLEACCESS_DENIED_ERROR. */
const CODE = 1142;
/** What libmysqlclient keeps of a message, its NUL left out. */
const MESSAGE_MAX = 510;
/** A sentence of less says nothing. */
const SENTENCE_MIN = 120;

export function refusal({ ruling, statements }: Refused, { grant }: Session): ErrorFields {
  const { verdict, verbs, relations } = ruling;
  const detail = { decision: verdict.action, rule: verdict.rule, grant: grant.id, verbs, relations, approval: null };
  const first = statements.length === 0 ? 'statement refused' : `${statements[0]?.kinds[0] ?? 'statement'} refused`;
  const json = JSON.stringify(detail);
  const sentence = `${first}: ${verdict.reason}`;
  const whole = verdict.hint === undefined ? sentence : `${sentence}. ${verdict.hint}`;
  const room = MESSAGE_MAX - Buffer.byteLength(json) - 1;
  // The JSON stays whole: where it does not fit, a client that keeps less cuts it, others have all of it.
  const words =
    [whole, sentence].find((text) => Buffer.byteLength(text) <= room) ?? cut(sentence, Math.max(room, SENTENCE_MIN));
  return { code: CODE, sqlstate: '42000', message: `${words} ${json}` };
}
