// What databases keep of a password instead of it: a role is made with one of these, so that its password crosses no wire and
// stands in no log of the database.

import { createHash, createHmac, hash, pbkdf2, randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';

const SCRAM_ITERATIONS = 4096;

/** A SCRAM verifier as PostgreSQL keeps it (RFC 5803 in the form of pg_authid.rolpassword). */
export async function scramVerifier(password: string, salt = randomBytes(16)): Promise<string> {
  const salted = await promisify(pbkdf2)(password, salt, SCRAM_ITERATIONS, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${SCRAM_ITERATIONS}:${salt.toString('base64')}$${stored}:${hmac('Server Key').toString('base64')}`;
}

/** As mysql_native_password keeps it: `*` and SHA1(SHA1(password)) in hex. */
export function nativeVerifier(password: string): string {
  return `*${hash('sha1', hash('sha1', password, 'buffer'), 'hex').toUpperCase()}`;
}

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SALT_LENGTH = 20;
const ROUNDS = 5000;

/** As caching_sha2_password keeps it: SHA-256 crypt with 5000 rounds (`005`, thousands) and a salt of 20 characters. */
export async function cachingSha2Verifier(password: string): Promise<string> {
  const salt = [...randomBytes(SALT_LENGTH)].map((byte) => ALPHABET[byte & 63]).join('');
  return `$A$005$${salt}${await sha256Crypt(password, salt)}`;
}

/** The 43 characters of U. Drepper, "Unix crypt using SHA-256 and SHA-512", `$5$`. Yields between batches of its rounds. */
export async function sha256Crypt(password: string, salt: string): Promise<string> {
  const key = Buffer.from(password);
  const sha256 = (...parts: Uint8Array[]) => hash('sha256', Buffer.concat(parts), 'buffer');
  /** So many bytes of a digest, over and over. */
  const fill = (digest: Uint8Array, length: number) => Buffer.alloc(length, digest);
  const saltBytes = Buffer.from(salt);
  const alternate = sha256(key, saltBytes, key);
  const start = [key, saltBytes, fill(alternate, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1) start.push(bits & 1 ? alternate : key);
  let digest = sha256(...start);
  const p = fill(sha256(Buffer.alloc(key.length * key.length, key)), key.length);
  const s = fill(sha256(Buffer.alloc(saltBytes.length * (16 + (digest[0] ?? 0)), saltBytes)), saltBytes.length);
  for (let round = 0; round < ROUNDS; round++) {
    const parts = [round & 1 ? p : digest];
    if (round % 3 !== 0) parts.push(s);
    if (round % 7 !== 0) parts.push(p);
    parts.push(round & 1 ? digest : p);
    digest = sha256(...parts);
    if (round % 500 === 499) await setImmediate();
  }
  return encoded(digest);
}

/** The bytes in threes, ten apart and turning by one; the last two by themselves; six bits a character, lowest first. */
function encoded(digest: Buffer): string {
  const at = (index: number) => digest[index] ?? 0;
  let text = '';
  const write = (bits: number, count: number) => {
    for (let i = 0; i < count; i++) text += ALPHABET[(bits >> (6 * i)) & 63];
  };
  for (let i = 0; i < 10; i++) {
    const [a = 0, b = 0, c = 0] = [0, 1, 2].map((place) => at(i + 10 * ((place + 2 * i) % 3)));
    write((a << 16) | (b << 8) | c, 4);
  }
  write((at(31) << 8) | at(30), 3);
  return text;
}
