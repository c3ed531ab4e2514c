// Passwords on the PostgreSQL wire: SCRAM-SHA-256 and SCRAM-SHA-256-PLUS in both roles, and the md5 response.
//
// Every exchange is a few pure steps over a plain object; nothing here knows sockets or messages. Texts are latin1 strings,
// so that the bytes that were signed are the bytes that came. Sources: RFC 5802 and 7677 (SCRAM), RFC 5929 section 4
// (tls-server-end-point), PostgreSQL documentation 54.3 "SASL Authentication"; PostgreSQL ignores the name inside SCRAM.

import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import saslprep from '@mongodb-js/saslprep';
import { SallyportError } from '../../errors.ts';

export const SCRAM = 'SCRAM-SHA-256';
export const SCRAM_PLUS = 'SCRAM-SHA-256-PLUS';
export type Mechanism = typeof SCRAM | typeof SCRAM_PLUS;

/** Longest SCRAM message that is read, in bytes: PostgreSQL's own PG_MAX_SASL_MESSAGE_LENGTH. */
export const SASL_MESSAGE_MAX = 1024;
/** What a database may ask of the gateway's processor: half a second of one thread. PostgreSQL's default is 4096. */
const ITERATIONS_MAX = 1_000_000;
const SALT_MAX = 256;
const ITERATIONS = 4096;
const KEY_BYTES = 32;
const BINDING = 'p=tls-server-end-point,,';

const derive = promisify(pbkdf2);
const hmac = (key: Uint8Array, data: string | Uint8Array): Buffer =>
  createHmac('sha256', key)
    .update(typeof data === 'string' ? Buffer.from(data, 'latin1') : data)
    .digest();
const sha256 = (data: Uint8Array): Buffer => createHash('sha256').update(data).digest();

/** What is stored of a secret: it proves a login and cannot be used to log in anywhere. Binary values in base64. */
export interface ScramVerifier {
  readonly salt: string;
  readonly iterations: number;
  readonly storedKey: string;
  readonly serverKey: string;
}

/** Makes what is stored of a secret: one derivation, by default of about 2 ms, beside the loop. */
export async function makeVerifiers(secret: string, iterations = ITERATIONS): Promise<ScramVerifier> {
  const salt = randomBytes(16);
  const salted = await derive(prepare(secret), salt, iterations, KEY_BYTES, 'sha256');
  return {
    salt: salt.toString('base64'),
    iterations,
    storedKey: sha256(hmac(salted, 'Client Key')).toString('base64'),
    serverKey: hmac(salted, 'Server Key').toString('base64'),
  };
}

/** A stored value as a verifier, or undefined where it is none, which nobody can log in with. */
export function readVerifiers(value: unknown): ScramVerifier | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { salt, iterations, storedKey, serverKey } = value as Record<keyof ScramVerifier, unknown>;
  if (typeof salt !== 'string' || typeof storedKey !== 'string' || typeof serverKey !== 'string') return undefined;
  if (typeof iterations !== 'number' || !Number.isInteger(iterations) || iterations < 1) return undefined;
  if (unbase64(storedKey)?.length !== KEY_BYTES || unbase64(serverKey)?.length !== KEY_BYTES) return undefined;
  return { salt, iterations, storedKey, serverKey };
}

const mockKey = randomBytes(KEY_BYTES);

/**
 * What a login that does not exist is asked with: the same salt each time, as a real one has, and keys that no proof fits.
 */
export function mockVerifiers(login: string): ScramVerifier {
  return {
    salt: hmac(mockKey, Buffer.from(login)).subarray(0, 16).toString('base64'),
    iterations: ITERATIONS,
    storedKey: randomBytes(KEY_BYTES).toString('base64'),
    serverKey: randomBytes(KEY_BYTES).toString('base64'),
  };
}

// --- The server's part ---------------------------------------------------------------------------------------------

/** Why an exchange ended: the peer's message is not SCRAM, the channel is not the same on both sides, the secret is wrong. */
export type ScramProblem = 'malformed' | 'binding' | 'secret';

export interface ScramServer {
  readonly verifier: ScramVerifier;
  /** What the client has to repeat in `c=`. */
  readonly channel: Buffer;
  readonly nonce: string;
  /** client-first-message-bare and server-first-message. */
  readonly signed: string;
}

// gs2-header (no authorization identity: PostgreSQL knows none), client-first-message-bare with its nonce.
const CLIENT_FIRST = /^(n,,|y,,|p=([A-Za-z0-9.-]+),,)(n=[^,]*,r=([\x21-\x2b\x2d-\x7e]+)(?:,[^\0]*)?)$/;

/**
 * Reads client-first-message and answers server-first-message.
 * @param endPoint hash of the gateway's certificate where the client is inside TLS and -PLUS was offered, else null
 */
export function scramServerFirst(
  mechanism: Mechanism,
  clientFirst: Buffer,
  verifier: ScramVerifier,
  endPoint: Buffer | null,
): { readonly state: ScramServer; readonly message: Buffer } | { readonly problem: ScramProblem } {
  const match = CLIENT_FIRST.exec(clientFirst.toString('latin1'));
  const [, header, , bare, clientNonce] = match ?? [];
  if (header === undefined || bare === undefined || clientNonce === undefined) return { problem: 'malformed' };
  // `y` says "you did not offer channel binding": where it was offered, somebody in between took it out.
  const wanted = mechanism === SCRAM_PLUS ? [BINDING] : endPoint === null ? ['n,,', 'y,,'] : ['n,,'];
  if (!wanted.includes(header)) return { problem: 'binding' };
  if (mechanism === SCRAM_PLUS && endPoint === null) return { problem: 'binding' };

  const nonce = clientNonce + randomBytes(18).toString('base64');
  const serverFirst = `r=${nonce},s=${verifier.salt},i=${verifier.iterations}`;
  const bound = mechanism === SCRAM_PLUS && endPoint !== null ? endPoint : Buffer.alloc(0);
  const channel = Buffer.concat([Buffer.from(header, 'latin1'), bound]);
  return {
    state: { verifier, channel, nonce, signed: `${bare},${serverFirst}` },
    message: Buffer.from(serverFirst, 'latin1'),
  };
}

/** Reads client-final-message; answers server-final-message, the gateway's own proof, where the secret was right. */
export function scramServerFinal(
  state: ScramServer,
  clientFinal: Buffer,
): { readonly message: Buffer } | { readonly problem: ScramProblem } {
  const text = clientFinal.toString('latin1');
  const proofAt = text.lastIndexOf(',p=');
  if (proofAt === -1) return { problem: 'malformed' };
  const [channel, nonce, ...extensions] = text.slice(0, proofAt).split(',');
  const given = channel?.startsWith('c=') ? unbase64(channel.slice(2)) : null;
  const proof = unbase64(text.slice(proofAt + 3));
  if (given === null || proof?.length !== KEY_BYTES) return { problem: 'malformed' };
  if (nonce !== `r=${state.nonce}` || extensions.some((e) => e.startsWith('m='))) return { problem: 'malformed' };
  if (!equal(given, state.channel)) return { problem: 'binding' };

  const message = `${state.signed},${text.slice(0, proofAt)}`;
  const storedKey = Buffer.from(state.verifier.storedKey, 'base64');
  const clientKey = xor(proof, hmac(storedKey, message));
  if (!equal(sha256(clientKey), storedKey)) return { problem: 'secret' };
  const signature = hmac(Buffer.from(state.verifier.serverKey, 'base64'), message);
  return { message: Buffer.from(`v=${signature.toString('base64')}`, 'latin1') };
}

// --- The client's part ---------------------------------------------------------------------------------------------

export interface ScramClient {
  readonly mechanism: Mechanism;
  readonly header: string;
  readonly nonce: string;
  readonly channel: Buffer;
}

/**
 * Begins an exchange with a database.
 * @param offered the mechanisms that it names
 * @param endPoint hash of its certificate inside TLS, else null
 * Throws SP_UPSTREAM where it names none that the gateway speaks.
 */
export function scramClientFirst(
  offered: readonly string[],
  endPoint: Buffer | null,
): { readonly state: ScramClient; readonly message: Buffer } {
  const plus = endPoint !== null && offered.includes(SCRAM_PLUS);
  if (!plus && !offered.includes(SCRAM)) {
    throw refused(offered.includes(SCRAM_PLUS) ? `${SCRAM_PLUS} outside TLS` : 'SASL mechanisms that are not known');
  }
  // `y`: the gateway could bind to the channel, but was not offered to; a database that did offer then knows of the tampering.
  const header = plus ? BINDING : endPoint === null || offered.includes(SCRAM_PLUS) ? 'n,,' : 'y,,';
  const nonce = randomBytes(18).toString('base64');
  const channel = Buffer.concat([Buffer.from(header, 'latin1'), plus ? endPoint : Buffer.alloc(0)]);
  return {
    state: { mechanism: plus ? SCRAM_PLUS : SCRAM, header, nonce, channel },
    message: Buffer.from(`${header}n=,r=${nonce}`, 'latin1'),
  };
}

const SERVER_FIRST = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9][0-9]{0,9})$/;

/**
 * Reads server-first-message and answers client-final-message, and the signature that the database then has to show.
 * The derivation runs off the event loop. Throws SP_UPSTREAM where the database asks for what it should not.
 */
export async function scramClientFinal(
  state: ScramClient,
  serverFirst: Buffer,
  password: string,
): Promise<{ readonly message: Buffer; readonly signature: Buffer }> {
  if (serverFirst.length > SASL_MESSAGE_MAX) throw refused(`a SCRAM message of ${serverFirst.length} bytes`);
  const text = serverFirst.toString('latin1');
  const [, nonce, saltText, iterationsText] = SERVER_FIRST.exec(text) ?? [];
  const salt = saltText === undefined ? null : unbase64(saltText);
  if (nonce === undefined || salt === null) throw refused('a SCRAM message that is malformed');
  if (!nonce.startsWith(state.nonce) || nonce.length === state.nonce.length) throw refused('a SCRAM nonce not its own');
  if (salt.length > SALT_MAX) throw refused(`a SCRAM salt of ${salt.length} bytes`);
  const iterations = Number(iterationsText);
  if (iterations > ITERATIONS_MAX) throw refused(`${iterations} SCRAM iterations; at most ${ITERATIONS_MAX} are done`);

  const salted = await derive(prepare(password), salt, iterations, KEY_BYTES, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const withoutProof = `c=${state.channel.toString('base64')},r=${nonce}`;
  const signed = `n=,r=${state.nonce},${text},${withoutProof}`;
  const proof = xor(clientKey, hmac(sha256(clientKey), signed));
  return {
    message: Buffer.from(`${withoutProof},p=${proof.toString('base64')}`, 'latin1'),
    signature: hmac(hmac(salted, 'Server Key'), signed),
  };
}

/** Whether server-final-message proves that the database knows the secret too. */
export function scramServerProven(signature: Buffer, serverFinal: Buffer): boolean {
  const text = serverFinal.toString('latin1', 0, SASL_MESSAGE_MAX);
  const given = text.startsWith('v=') ? unbase64(text.slice(2)) : null;
  return given !== null && equal(given, signature);
}

/** What answers AuthenticationMD5Password: `md5` and hex of MD5(MD5(password, user), salt). */
export function md5Response(user: string, password: string, salt: Uint8Array): string {
  const inner = createHash('md5').update(password).update(user).digest('hex');
  return `md5${createHash('md5').update(inner).update(salt).digest('hex')}`;
}

// --- Small things --------------------------------------------------------------------------------------------------

const refused = (what: string): SallyportError =>
  new SallyportError('SP_UPSTREAM', `the database asks for ${what} at login`);

/** SASLprep (RFC 4013); as in PostgreSQL, a secret that it does not allow is taken as it is. */
function prepare(secret: string): string {
  try {
    return saslprep(secret) || secret;
  } catch {
    return secret;
  }
}

function unbase64(text: string): Buffer | null {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : null;
}

function equal(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));
}
