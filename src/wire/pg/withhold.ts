// Errors, notices and notifications of a session that can see protected columns: their free text may quote values
// ("invalid input syntax for type integer: …", "Key (email)=(…) already exists", RAISE), so it is withheld.

import { Writer } from '../bytes.ts';
import { decodeNotification } from './decode.ts';
import { Backend, type ErrorFields, errorResponse, noticeResponse } from './messages.ts';

/** SQLSTATE classes whose messages name objects and rules, never values ("Appendix A. PostgreSQL Error Codes"). */
const NAMES_ONLY = new Set(['08', '0A', '25', '26', '28', '34', '40', '42', '53', '54', '55', '57', '58']);

/**
 * The ErrorResponse or NoticeResponse with what may quote values taken out: DETAIL, CONTEXT and internal query always, the
 * message where its class is not known to name objects only.
 */
export function withheldError(
  fields: ReadonlyMap<string, string>,
  type: number = Backend.errorResponse,
): { readonly bytes: Buffer; readonly message: string } {
  const code = fields.get('C') ?? 'XX000';
  // 42P01 "relation … does not exist" names objects; 42804 and 42883 name types; 22P02 quotes what it could not read.
  const message = NAMES_ONLY.has(code.slice(0, 2))
    ? (fields.get('M') ?? '')
    : `${type === Backend.noticeResponse ? 'notice' : `error ${code}`}: the message is withheld, it may quote a protected value`;
  const position = Number(fields.get('P'));
  const words: ErrorFields = {
    severity: (fields.get('V') ?? fields.get('S') ?? 'ERROR') as ErrorFields['severity'],
    code,
    message,
    position: Number.isInteger(position) && position > 0 ? position : undefined,
  };
  return { bytes: type === Backend.noticeResponse ? noticeResponse(words) : errorResponse(words), message };
}

/** A NotificationResponse with its payload withheld. */
export function withheldNotification(buffer: Buffer, start: number, end: number): Buffer {
  const notification = decodeNotification(buffer, start + 5, end);
  const writer = new Writer(256);
  const mark = writer.begin(Backend.notificationResponse);
  const { pid, channel, payload } = notification ?? { pid: 0, channel: '', payload: '' };
  return writer
    .i32(pid)
    .cstring(channel)
    .cstring(payload === '' ? '' : '[redacted]')
    .finish(mark)
    .take();
}
