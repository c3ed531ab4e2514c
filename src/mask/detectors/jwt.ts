// JSON Web Tokens (RFC 7519, in the compact forms of RFC 7515 and RFC 7516).
//
// Trusted because the first of three or five base64url parts decodes to a JSON object with an `alg`.

import { byteAt, type Finder, found, isBase64Url, type Text } from './text.ts';

const DOT = 0x2e;
const LETTER_E = 0x65;
/** `{"alg":"none"}` has 19 characters in base64url; one with a chain of certificates a few thousand. */
const SHORTEST_HEADER = 19;
const LONGEST_HEADER = 16_384;
const MOST_TRIES = 4;

export const jwt: Finder = {
  name: 'jwt',
  at: [['.', isBase64Url]],
  find(text, at) {
    if (!isBase64Url(byteAt(text, at + 1)) || !isBase64Url(byteAt(text, at - SHORTEST_HEADER))) return false;
    let from = at;
    while (at - from < LONGEST_HEADER && isBase64Url(byteAt(text, from - 1))) from--;
    if (at - from < SHORTEST_HEADER) return false;
    const payload = partEnd(text, at + 1);
    if (payload - at < 3 || byteAt(text, payload) !== DOT) return false;
    let to = partEnd(text, payload + 1);
    const fourth = byteAt(text, to) === DOT ? partEnd(text, to + 1) : to;
    // An encrypted token has five parts.
    if (fourth > to + 1 && byteAt(text, fourth) === DOT) to = partEnd(text, fourth + 1);
    const header = headerStart(text, from, at);
    return header >= 0 && found(text, header, to);
  },
};

/** Where the header begins: what stands before it may be glued on (`token_eyJ…`); or -1. */
function headerStart(text: Text, from: number, to: number): number {
  let tries = 0;
  for (let at = from; to - at >= SHORTEST_HEADER && tries < MOST_TRIES; at++) {
    if (byteAt(text, at) !== LETTER_E || !isSecond(byteAt(text, at + 1))) continue;
    tries++;
    if (hasAlgorithm(text, at, to)) return at;
  }
  return -1;
}

/** The second character of base64url when the first byte is `{` and the next one a quote, a space or a line end. */
function isSecond(byte: number): boolean {
  return byte === 0x79 || byte === 0x77;
}

function hasAlgorithm(text: Text, from: number, to: number): boolean {
  const { buffer, byteOffset } = text.bytes;
  const encoded = Buffer.from(buffer, byteOffset + from, to - from).toString('latin1');
  try {
    const header: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString());
    return typeof header === 'object' && header !== null && 'alg' in header && typeof header.alg === 'string';
  } catch {
    return false;
  }
}

function partEnd(text: Text, at: number): number {
  let to = at;
  while (isBase64Url(byteAt(text, to))) to++;
  return to;
}
