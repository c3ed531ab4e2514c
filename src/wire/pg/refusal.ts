// A refusal in the words of the protocol: ERROR 42501, with a DETAIL that an agent can parse and a HINT that it can act on.

import type { Session } from '../../types.ts';
import type { Refused } from '../gate.ts';
import { errorResponse } from './messages.ts';

/** The ErrorResponse for a refused statement (SQLSTATE 42501, insufficient_privilege). */
export function refusal({ ruling, statements }: Refused, { grant }: Session): Buffer {
  const { verdict, verbs, relations } = ruling;
  const detail = { decision: verdict.action, rule: verdict.rule, grant: grant.id, verbs, relations, approval: null };
  const first = statements.length === 0 ? 'statement refused' : `${statements[0]?.kinds[0] ?? 'statement'} refused`;
  return errorResponse({
    severity: 'ERROR',
    code: '42501',
    message: `${first}: ${verdict.reason}`,
    detail: JSON.stringify(detail),
    hint: verdict.hint,
  });
}
