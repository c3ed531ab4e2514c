// Connection strings with a password in them: `scheme://user:password@host`, and the key=value forms of libpq, ODBC, ADO and JDBC.
//
// Trusted because of the place: user information with a colon before an `@` in a URL (RFC 3986, 3.2.1), or a password's key next
// to another key that only connection strings have. A URL is taken whole, of the key=value forms the password alone.
// Placeholders (`***`, `${…}`, `<password>`) are no passwords.

import { byteAt, type Finder, found, isAlnum, isDigit, isLetter, isSpace, standsAt, type Text } from './text.ts';

const COLON = 0x3a;
const SLASH = 0x2f;
const AT = 0x40;
const EQUALS = 0x3d;
const SEMICOLON = 0x3b;
const AMPERSAND = 0x26;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const BACKSLASH = 0x5c;
/** Bounds what is looked at for one candidate, so that a text of nothing but candidates costs no more than its length. */
const LONGEST_USER = 256;
const LONGEST_PASSWORD = 512;

export const connectionString: Finder = {
  name: 'connection-string',
  at: [
    [':', (next) => next === SLASH],
    ['=', (next) => next >= 0x20],
  ],
  find: (text, at) => (byteAt(text, at) === COLON ? url(text, at) : keyword(text, at)),
};

const URL_ENDS = new Set(Buffer.from('"\'<>`\\^{}|'));

function endsUrl(byte: number): boolean {
  return byte <= 0x20 || byte === 0x7f || URL_ENDS.has(byte);
}

function url(text: Text, colon: number): boolean {
  if (byteAt(text, colon + 1) !== SLASH || byteAt(text, colon + 2) !== SLASH) return false;
  let from = colon;
  while (colon - from < 32 && isScheme(byteAt(text, from - 1))) from--;
  while (from < colon && !isLetter(byteAt(text, from))) from++;
  if (colon - from < 2) return false;

  let at = colon + 3;
  const userEnd = at + LONGEST_USER;
  while (at < userEnd && !endsUrl(byteAt(text, at)) && isUser(byteAt(text, at))) at++;
  if (byteAt(text, at) !== COLON) return false;
  const password = at + 1;
  // A port, and behind it a path with an @ in it, is no password.
  let digits = true;
  let path = false;
  for (at = password; ; at++) {
    const byte = byteAt(text, at);
    if (byte === AT) break;
    if (endsUrl(byte) || at - password > LONGEST_PASSWORD) return false;
    if (byte === SLASH || byte === 0x3f || byte === 0x23) path = true;
    else if (!path && !isDigit(byte)) digits = false;
  }
  if (at === password || (path && digits) || isPlaceholder(text, password, at)) return false;
  while (!endsUrl(byteAt(text, at))) at++;
  // What ends a sentence or closes a bracket about it is not the URL's.
  while (at > password && isTrailing(byteAt(text, at - 1))) at--;
  return found(text, from, at);
}

function isScheme(byte: number): boolean {
  return isAlnum(byte) || byte === 0x2b || byte === 0x2d || byte === 0x2e;
}

function isUser(byte: number): boolean {
  return byte !== COLON && byte !== SLASH && byte !== AT && byte !== 0x3f && byte !== 0x23 && byte !== 0x5b;
}

function isTrailing(byte: number): boolean {
  return byte === 0x2e || byte === 0x2c || byte === SEMICOLON || byte === 0x29 || byte === 0x5d || byte === 0x21;
}

/** Keys whose value is the secret, without the spaces or underscores that may stand in them. */
const SECRETS = ['password', 'passwd', 'pwd', 'sslpassword', 'pgpassword', 'accountkey', 'sharedaccesskey'];
/** Other keys of connection strings; one of them must stand near. */
const COMPANIONS = [
  'host',
  'hostaddr',
  'pghost',
  'pguser',
  'pgdatabase',
  'hostname',
  'server',
  'datasource',
  'addr',
  'address',
  'networkaddress',
  'port',
  'user',
  'username',
  'userid',
  'uid',
  'dbname',
  'database',
  'initialcatalog',
  'driver',
  'dsn',
  'sslmode',
  'accountname',
  'sharedaccesskeyname',
  'endpoint',
  'defaultendpointsprotocol',
];
/** How far away the companion may stand, in bytes and in pairs. */
const NEAR = 256;
const NEAREST_PAIRS = 8;
const LONGEST_KEY = 26;

function keyword(text: Text, equals: number): boolean {
  // The letter before it is `d` or `y` in every secret's key; most other keys end here.
  let keyEnd = equals;
  while (keyEnd > text.start && isSpace(byteAt(text, keyEnd - 1)) && equals - keyEnd < 2) keyEnd--;
  const last = byteAt(text, keyEnd - 1) | 0x20;
  if (last !== 0x64 && last !== 0x79) return false;
  const name = keyBefore(text, keyEnd);
  if (!SECRETS.includes(name)) return false;
  let from = equals + 1;
  // Spaces behind the sign belong to it where there are some before it; else the value is empty.
  while (keyEnd < equals && byteAt(text, from) === 0x20 && from - equals < 3) from++;
  const to = valueEnd(text, from, equals);
  if (to === from || isPlaceholder(text, from, to) || !hasCompanion(text, equals, to)) return false;
  return found(text, from, to);
}

/** The key that ends before `to`, in lower case, without spaces and underscores: it begins behind a separator of pairs. */
function keyBefore(text: Text, to: number): string {
  let name = '';
  for (let at = to - 1; to - at <= LONGEST_KEY; at--) {
    const byte = byteAt(text, at);
    if (isLetter(byte)) name = String.fromCharCode(byte | 0x20) + name;
    else if (byte === 0x20 && !SECRETS.includes(name) && !COMPANIONS.includes(name)) continue;
    else if (byte !== 0x5f) break;
  }
  return name;
}

/** The end of the value at `from`: quoted (libpq, ADO), in braces (ODBC), or up to the separator that its pair has. */
function valueEnd(text: Text, from: number, equals: number): number {
  const end = Math.min(text.end, from + LONGEST_PASSWORD);
  const first = byteAt(text, from);
  const close = first === QUOTE || first === APOSTROPHE ? first : first === 0x7b ? 0x7d : 0;
  if (close !== 0) {
    for (let at = from + 1; at < end; at++) {
      const byte = byteAt(text, at);
      if (byte === BACKSLASH) at++;
      else if (byte === close) {
        if (byteAt(text, at + 1) !== close) return at + 1 - from > 2 ? at + 1 : from;
        at++;
      }
    }
    return end - from > 1 ? end : from;
  }
  const inUrl = isQuery(text, equals);
  for (let at = from; at < end; at++) {
    const byte = byteAt(text, at);
    if (byte === SEMICOLON || (byte === AMPERSAND && inUrl)) return at;
    if (isSpace(byte) && !continues(text, at)) return at;
    if ((byte === QUOTE || byte === APOSTROPHE || byte === 0x60) && closes(byteAt(text, at + 1))) return at;
  }
  return end;
}

/** Whether the pair stands in a URL's query, where an ampersand ends it. */
function isQuery(text: Text, equals: number): boolean {
  for (let at = equals; equals - at <= LONGEST_KEY; at--) {
    const byte = byteAt(text, at);
    if (byte === 0x3f || byte === AMPERSAND) return true;
    if (isSpace(byte) || byte === SEMICOLON || byte === 0) return false;
  }
  return false;
}

/** ADO's values hold spaces: one goes on where a semicolon comes before the line ends and before another pair begins. */
function continues(text: Text, space: number): boolean {
  for (let at = space; at < text.end && at - space < NEAR; at++) {
    const byte = byteAt(text, at);
    if (byte === SEMICOLON) return true;
    if (byte === EQUALS || byte === QUOTE || byte === APOSTROPHE || byte === 0x0a || byte === 0x0d) return false;
  }
  return false;
}

function closes(byte: number): boolean {
  return (
    byte === 0 ||
    isSpace(byte) ||
    byte === 0x2c ||
    byte === SEMICOLON ||
    byte === 0x29 ||
    byte === 0x5d ||
    byte === 0x7d
  );
}

function hasCompanion(text: Text, equals: number, valueEnd: number): boolean {
  const first = Math.max(text.start, equals - NEAR);
  for (let at = equals - 1, pairs = 0; at >= first && pairs < NEAREST_PAIRS; at--) {
    const byte = byteAt(text, at);
    // `jdbc:postgresql://host/db?password=…`
    if (byte === COLON && byteAt(text, at + 1) === SLASH && byteAt(text, at + 2) === SLASH) return true;
    if (byte !== EQUALS) continue;
    if (COMPANIONS.includes(keyBefore(text, trimmed(text, at)))) return true;
    pairs++;
  }
  const last = Math.min(text.end, valueEnd + NEAR);
  for (let at = valueEnd, pairs = 0; at < last && pairs < NEAREST_PAIRS; at++) {
    if (byteAt(text, at) !== EQUALS) continue;
    if (COMPANIONS.includes(keyBefore(text, trimmed(text, at)))) return true;
    pairs++;
  }
  return false;
}

function trimmed(text: Text, at: number): number {
  return byteAt(text, at - 1) === 0x20 ? at - 1 : at;
}

/** `***`, `xxxx`, `${PASSWORD}`, `{password}`, `<password>`, `%s`, `[redacted]`: what stands where a password would. */
function isPlaceholder(text: Text, from: number, to: number): boolean {
  const first = byteAt(text, from);
  if (first === 0x24 && byteAt(text, from + 1) === 0x7b) return true;
  if (first === 0x25 && to - from === 2) return true;
  const close = first === 0x3c ? 0x3e : first === 0x5b ? 0x5d : first === 0x7b ? 0x7d : 0;
  if (close !== 0 && byteAt(text, to - 1) === close) return isName(text, from, to, first === 0x7b);
  if (first !== 0x2a && (first | 0x20) !== 0x78) return false;
  for (let at = from; at < to; at++) if (byteAt(text, at) !== first) return false;
  return true;
}

const TEMPLATES = ['password', 'passwd', 'pass', 'pwd', 'pw', 'secret'];

/** Whether a name stands in the brackets; in braces, which ODBC puts about passwords too, only that of a password. */
function isName(text: Text, from: number, to: number, braces: boolean): boolean {
  let first = from + 1;
  let last = to - 1;
  while (first < last && byteAt(text, first) === 0x7b) first++;
  while (last > first && byteAt(text, last - 1) === 0x7d) last--;
  for (let at = first; at < last; at++) {
    const byte = byteAt(text, at);
    if (!isLetter(byte) && byte !== 0x5f && byte !== 0x2d && byte !== 0x20) return false;
  }
  return !braces || TEMPLATES.some((word) => standsAt(text, last - word.length, word));
}
