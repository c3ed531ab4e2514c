// Errors, notices and notifications of a session that can see protected columns: their free text may quote values
// ("invalid input syntax for type integer: …", "Key (email)=(…) already exists", RAISE), so it is withheld.

import { Writer } from '../bytes.ts';
import { decodeNotification } from './decode.ts';
import { Backend } from './messages.ts';

/** SQLSTATE classes whose messages name objects and rules, never values ("Appendix A. PostgreSQL Error Codes"). */
const NAMES_ONLY = new Set(['08', '25', '26', '28', '34', '40', '53', '55', '57', '58']);
/** Of other classes: insufficient_privilege, statement_too_complex (too deep a stack). */
const NAMES_ONLY_TOO = new Set(['42501', '54001']);

/**
 * Syntax errors, missing objects, what is not supported: found in the statement's text they say where. Without a place a value
 * was taken for a name or a text at run time (`email::regclass`, `::jsonpath`), and is quoted.
 */
const WITH_PLACE = new Set(['42', '0A']);

/** What the server says about an error for programs, as long as no code of somebody's has said it. */
const FOR_PROGRAMS = 'stcdnFLR';

/** Whether code of somebody's was running, going by CONTEXT: RAISE can fill in every field. */
export function saidByCode(fields: ReadonlyMap<string, string>): boolean {
  const context = fields.get('W') ?? '';
  return context !== '' && !context.split('\n').every((line) => /^(COPY|JSON data, line) /.test(line));
}

/**
 * The ErrorResponse or NoticeResponse with what may quote values taken out: DETAIL, HINT, CONTEXT and internal query always,
 * the message where it is not known to name objects only.
 */
export function withheldError(
  fields: ReadonlyMap<string, string>,
  type: number = Backend.errorResponse,
): { readonly bytes: Buffer; readonly message: string } {
  const code = fields.get('C') ?? 'XX000';
  const plain = !fields.has('W') && !fields.has('q');
  const kind = code.slice(0, 2);
  const named = NAMES_ONLY.has(kind) || NAMES_ONLY_TOO.has(code) || (WITH_PLACE.has(kind) && fields.has('P'));
  const message =
    plain && named
      ? (fields.get('M') ?? '')
      : `${type === Backend.noticeResponse ? 'notice' : `error ${code}`}: the message is withheld, it may quote a protected value`;
  const writer = new Writer(256);
  const mark = writer.begin(type);
  for (const [letter, text] of fields) {
    if ('SVCP'.includes(letter) || (plain && FOR_PROGRAMS.includes(letter))) {
      writer.u8(letter.charCodeAt(0)).cstring(text);
    } else if (letter === 'M') writer.u8(letter.charCodeAt(0)).cstring(message);
  }
  return { bytes: writer.u8(0).finish(mark).take(), message };
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
