// An Ed25519 signature (RFC 8032, 5.1.6) whose secret is a password of any length, as MariaDB's plugin has it: what RFC 8032 makes
// of a 32-byte seed, it makes of the password.
import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';

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

/** 64 bytes. */
export function ed25519Sign(secret: Uint8Array, message: Uint8Array): Buffer {
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
