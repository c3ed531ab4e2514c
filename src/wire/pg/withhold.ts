// Errors, notices and notifications of a session that can see protected columns: their free text may quote values
// ("invalid input syntax for type integer: …", "Key (email)=(…) already exists", RAISE), so it is withheld.

import { Writer } from '../bytes.ts';
import { decodeNotification } from './decode.ts';
import { Backend, type ErrorFields, errorResponse, noticeResponse } from './messages.ts';

/** SQLSTATE classes whose messages name objects and rules, never values ("Appendix A. PostgreSQL Error Codes"). */
const NAMES_ONLY = new Set(['08', '0A', '25', '26', '28', '34', '40', '42', '53', '55', '57', '58']);

/**
 * What the statement's text has wrong, when it says where; without a place it may be a value that was taken for a name at
 * run time (`email::regclass`, `::jsonpath`): syntax_error, invalid_name, ambiguous_function, undefined_object,
 * undefined_function, undefined_table, undefined_column.
 */
const WITH_PLACE = new Set(['42601', '42602', '42725', '42704', '42883', '42P01', '42703']);

/**
 * The ErrorResponse or NoticeResponse with what may quote values taken out: DETAIL, CONTEXT and internal query always, the
 * message where its class is not known to name objects only.
 */
export function withheldError(
  fields: ReadonlyMap<string, string>,
  type: number = Backend.errorResponse,
): { readonly bytes: Buffer; readonly message: string } {
  const code = fields.get('C') ?? 'XX000';
  const position = Number(fields.get('P'));
  const placed = Number.isInteger(position) && position > 0;
  // 42804 names types; 22P02 quotes what it could not read, 54000 the number of a character.
  const message =
    NAMES_ONLY.has(code.slice(0, 2)) && (placed || !WITH_PLACE.has(code))
      ? (fields.get('M') ?? '')
      : `${type === Backend.noticeResponse ? 'notice' : `error ${code}`}: the message is withheld, it may quote a protected value`;
  const words: ErrorFields = {
    severity: (fields.get('V') ?? fields.get('S') ?? 'ERROR') as ErrorFields['severity'],
    code,
    message,
    position: placed ? position : undefined,
  };
  return { bytes: type === Backend.noticeResponse ? noticeResponse(words) : errorResponse(words), message };
}

/**
 * The ErrorResponse or NoticeResponse with every text in it cleaned (of what detectors find), or null where that changes
 * nothing.
 */
export function cleanedError(
  fields: ReadonlyMap<string, string>,
  clean: (text: string) => string,
  type: number = Backend.errorResponse,
): { readonly bytes: Buffer; readonly message: string } | null {
  const cleaned = new Map([...fields].map(([letter, text]) => [letter, clean(text)]));
  if ([...cleaned].every(([letter, text]) => text === fields.get(letter))) return null;
  const writer = new Writer(512);
  const mark = writer.begin(type);
  for (const [letter, text] of cleaned) writer.u8(letter.charCodeAt(0)).cstring(text);
  return { bytes: writer.u8(0).finish(mark).take(), message: cleaned.get('M') ?? '' };
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
