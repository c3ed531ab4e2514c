// Certificates: the self-signed one that is made when none is given, and the hash that binds a login to a TLS channel.

import { createHash, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** PEM texts. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

const VALID_MS = 397 * 24 * 3600 * 1000; // what browsers take at most, as the console may be served with it
const RENEW_MS = 30 * 24 * 3600 * 1000;

/**
 * The pair in `<dataDir>/tls.pem`, made there (mode 0600) where there is none or it ends within 30 days. One file for both,
 * renamed into place, so that two processes that start at once never read halves of different pairs.
 */
export async function selfSigned(dataDir: string): Promise<KeyPair> {
  const file = join(dataDir, 'tls.pem');
  const kept = await read(file);
  if (kept !== null) return kept;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const made = await make();
  const temporary = `${file}.${process.pid}.new`;
  try {
    await writeFile(temporary, made.key + made.cert, { mode: 0o600, flag: 'wx' });
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
  return (await read(file)) ?? made;
}

async function read(file: string): Promise<KeyPair | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const at = text.indexOf('-----BEGIN CERTIFICATE-----');
  if (at === -1) return null;
  const pair = { key: text.slice(0, at), cert: text.slice(at) };
  const ends = new X509Certificate(pair.cert).validToDate.getTime();
  return ends - Date.now() > RENEW_MS ? pair : null;
}

async function make(): Promise<KeyPair> {
  const now = Date.now();
  const made = await generate([{ name: 'commonName', value: 'sallyport' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(now - 3600 * 1000),
    notAfterDate: new Date(now + VALID_MS),
    extensions: [
      // Marked as an authority so that a client may be given this one file as its root.
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 2, value: hostname() },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  const line = (pem: string) => `${pem.trim().replaceAll('\r\n', '\n')}\n`;
  return { cert: line(made.cert), key: line(made.private) };
}

// --- Channel binding -----------------------------------------------------------------------------------------------

/** Signature algorithms by the DER of their OID, and the hash that RFC 5929 then asks for: SHA-256 in place of MD5 and SHA-1. */
const SIGNATURE_HASH: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'sha256', // md5WithRSAEncryption
  '2a864886f70d010105': 'sha256', // sha1WithRSAEncryption
  '2a864886f70d01010b': 'sha256', // sha256WithRSAEncryption
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a864886f70d01010e': 'sha224',
  '2a8648ce3d0401': 'sha256', // ecdsa-with-SHA1
  '2a8648ce3d040301': 'sha224',
  '2a8648ce3d040302': 'sha256', // ecdsa-with-SHA256
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
};
const RSA_PSS = '2a864886f70d01010a';
/** Hashes by the DER of their OID, for RSA-PSS, which names them in its parameters. */
const HASH: Readonly<Record<string, string>> = {
  '2b0e03021a': 'sha256', // sha1
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
  '608648016503040204': 'sha224',
};

/**
 * `tls-server-end-point` (RFC 5929 section 4.1) of a certificate in DER, or null where it is not defined: signatures without
 * a hash of their own (Ed25519) or not known here. Without it there is no SCRAM-SHA-256-PLUS.
 */
export function endPointHash(der: Buffer): Buffer | null {
  const certificate = element(der, 0);
  if (certificate === null) return null;
  const signed = element(der, certificate.start);
  const algorithm = signed === null ? null : element(der, signed.end);
  const oid = algorithm === null ? null : element(der, algorithm.start);
  if (algorithm === null || oid === null) return null;
  const name = der.toString('hex', oid.start, oid.end);
  const hash = name === RSA_PSS ? pssHash(der, oid.end) : SIGNATURE_HASH[name];
  return hash === undefined ? null : createHash(hash).update(der).digest();
}

/** RSASSA-PSS-params (RFC 4055): SEQUENCE { [0] hashAlgorithm AlgorithmIdentifier DEFAULT SHA-1, … }. */
function pssHash(der: Buffer, at: number): string | undefined {
  const parameters = element(der, at);
  if (parameters === null) return undefined;
  if (der[parameters.start] !== 0xa0) return 'sha256';
  const tagged = element(der, parameters.start);
  const identifier = tagged === null ? null : element(der, tagged.start);
  const oid = identifier === null ? null : element(der, identifier.start);
  return oid === null ? undefined : HASH[der.toString('hex', oid.start, oid.end)];
}

/** Where the content of the DER element at `at` starts and ends (X.690 section 8.1.3, definite lengths). */
function element(der: Buffer, at: number): { readonly start: number; readonly end: number } | null {
  const first = der[at + 1];
  if (first === undefined) return null;
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (more > 4 || (first >= 0x80 && more === 0) || at + 2 + more > der.length) return null;
  const length = more === 0 ? first : der.readUIntBE(at + 2, more);
  const start = at + 2 + more;
  return start + length <= der.length ? { start, end: start + length } : null;
}
