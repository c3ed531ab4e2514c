// What proves a password in the MySQL protocol, on both sides. The gateway keeps verifiers, never secrets: what SHA-2 and the old
// plugin check against, of which neither gives the secret back.
import {
  constants,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  timingSafeEqual,
} from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';

export const Plugin = {
  sha2: 'caching_sha2_password',
  native: 'mysql_native_password',
  clear: 'mysql_clear_password',
  ed25519: 'client_ed25519',
} as const;

export interface MysqlVerifiers {
  /** SHA-256 of the SHA-256 of the secret. */
  readonly sha2: Buffer;
  /** SHA-1 of the SHA-1 of the secret. */
  readonly native: Buffer;
}

const sha = (algorithm: 'sha1' | 'sha256', ...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
};

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));
}

/** For a secret of high entropy, as grants have: there is no salt and no stretching in these plugins. */
export function makeMysqlVerifiers(secret: string): MysqlVerifiers {
  const bytes = Buffer.from(secret);
  return { sha2: sha('sha256', sha('sha256', bytes)), native: sha('sha1', sha('sha1', bytes)) };
}

// --- Checking ------------------------------------------------------------------------------------------------------------

/** SHA256(secret) XOR SHA256(SHA256(SHA256(secret)) ‖ scramble) ("Caching SHA-2 Pluggable Authentication"). */
export function provesSha2(response: Uint8Array, scramble: Uint8Array, { sha2 }: MysqlVerifiers): boolean {
  if (response.length !== 32) return false;
  return timingSafeEqual(sha('sha256', xor(response, sha('sha256', sha2, scramble))), sha2);
}

/** SHA1(secret) XOR SHA1(scramble ‖ SHA1(SHA1(secret))). */
export function provesNative(response: Uint8Array, scramble: Uint8Array, { native }: MysqlVerifiers): boolean {
  if (response.length !== 20) return false;
  return timingSafeEqual(sha('sha1', xor(response, sha('sha1', scramble, native))), native);
}

export function provesSecret(secret: Uint8Array, { sha2 }: MysqlVerifiers): boolean {
  return timingSafeEqual(sha('sha256', sha('sha256', secret)), sha2);
}

/** The key that clients without TLS encrypt a password with; made when it is first asked for. */
export class LoginKey {
  #pair: { publicKey: KeyObject; privateKey: KeyObject } | null = null;

  get #keys(): { publicKey: KeyObject; privateKey: KeyObject } {
    this.#pair ??= generateKeyPairSync('rsa', { modulusLength: 2048 });
    return this.#pair;
  }

  get pem(): Buffer {
    return Buffer.from(this.#keys.publicKey.export({ type: 'spki', format: 'pem' }));
  }

  /** The secret, without the NUL behind it; null where it was not encrypted with this key. */
  decrypt(encrypted: Buffer, scramble: Buffer): Buffer | null {
    try {
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      const plain = privateDecrypt({ key: this.#keys.privateKey, padding, oaepHash: 'sha1' }, encrypted);
      return withoutNul(masked(plain, scramble));
    } catch {
      return null;
    }
  }
}

/** A password in clear comes with a NUL behind it. */
export function withoutNul(bytes: Buffer): Buffer | null {
  return bytes.at(-1) === 0 ? bytes.subarray(0, -1) : null;
}

/** XOR with the scramble, over and over. */
function masked(bytes: Buffer, scramble: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, i) => byte ^ (scramble[i % scramble.length] ?? 0)));
}

// --- Answering -----------------------------------------------------------------------------------------------------------

export function sha2Response(password: string, scramble: Uint8Array): Buffer {
  if (password === '') return Buffer.alloc(0);
  const once = sha('sha256', Buffer.from(password));
  return xor(once, sha('sha256', sha('sha256', once), scramble));
}

export function nativeResponse(password: string, scramble: Uint8Array): Buffer {
  if (password === '') return Buffer.alloc(0);
  const once = sha('sha1', Buffer.from(password));
  return xor(once, sha('sha1', scramble, sha('sha1', once)));
}

/** MariaDB's ed25519 plugin: a signature of the scramble, the password in the seed's place. */
export function ed25519Response(password: string, scramble: Uint8Array): Buffer {
  return ed25519Sign(Buffer.from(password), scramble);
}

export function clearResponse(password: string): Buffer {
  return Buffer.from(`${password}\0`);
}

/** The password for a server's public key (PEM). Throws where it is no key. */
export function encryptedPassword(password: string, scramble: Buffer, pem: Buffer): Buffer {
  const key = createPublicKey(pem);
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return publicEncrypt({ key, padding, oaepHash: 'sha1' }, masked(clearResponse(password), scramble));
}

const { Point } = ed25519;
const ORDER = Point.Fn.ORDER;

function sha512(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function number(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

/**
 * An Ed25519 signature (RFC 8032, 5.1.6), 64 bytes, whose secret is a password of any length: what RFC 8032 makes of a 32-byte seed,
 * MariaDB's plugin makes of the password.
 */
function ed25519Sign(secret: Uint8Array, message: Uint8Array): Buffer {
  const expanded = sha512(secret);
  const prefix = expanded.subarray(32);
  const clamped = Buffer.from(expanded.subarray(0, 32));
  clamped[0] = (clamped[0] ?? 0) & 248;
  clamped[31] = ((clamped[31] ?? 0) & 63) | 64;
  const scalar = number(clamped) % ORDER;
  const publicKey = Point.BASE.multiply(scalar).toBytes();
  const nonce = number(sha512(prefix, message)) % ORDER;
  const commitment = Point.BASE.multiply(nonce).toBytes();
  const challenge = number(sha512(commitment, publicKey, message)) % ORDER;
  const answer = (nonce + challenge * scalar) % ORDER;
  const hex = answer.toString(16).padStart(64, '0');
  return Buffer.concat([commitment, Buffer.from(hex, 'hex').reverse()]);
}
