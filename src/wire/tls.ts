// TLS on both sides: the gateway's own certificate, and turning a plain socket into an encrypted one.

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect, createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { SallyportError } from '../errors.ts';
import type { TlsMode } from '../types.ts';
import { endPointHash, selfSigned } from './certificate.ts';

const MIN_VERSION = 'TLSv1.2';
const REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed and not the one in `tls.ca`',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not signed by an authority in `tls.ca`',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is not signed by an authority in `tls.ca`',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not signed by an authority in `tls.ca`',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not signed by an authority in `tls.ca`',
  ECONNRESET: 'it hung up during the TLS handshake',
};

/** Where the gateway's own certificate comes from: two PEM files, or a self-signed pair made in the data directory. */
export type CertificateSource = { readonly certFile: string; readonly keyFile: string } | { readonly dataDir: string };

export interface ServerTls {
  readonly context: SecureContext;
  /** `tls-server-end-point` of the certificate, or null where its signature defines none. */
  readonly endPoint: Buffer | null;
  /** PEM. */
  readonly cert: string;
  /** Reads the files again; throws SP_ENV and keeps what is there where they are not good. */
  reload(): Promise<void>;
}

/** Throws SP_ENV where the files cannot be read or do not belong together. */
export async function serverTls(source: CertificateSource): Promise<ServerTls> {
  let current = await load(source);
  return {
    get context() {
      return current.context;
    },
    get endPoint() {
      return current.endPoint;
    },
    get cert() {
      return current.cert;
    },
    async reload() {
      current = await load(source);
    },
  };
}

async function load(source: CertificateSource): Promise<Pick<ServerTls, 'context' | 'endPoint' | 'cert'>> {
  try {
    const pair =
      'dataDir' in source
        ? await selfSigned(source.dataDir)
        : { cert: await readFile(source.certFile, 'utf8'), key: await readFile(source.keyFile, 'utf8') };
    const context = createSecureContext({ ...pair, minVersion: MIN_VERSION });
    return { context, endPoint: endPointHash(new X509Certificate(pair.cert).raw), cert: pair.cert };
  } catch (cause) {
    const where = 'dataDir' in source ? source.dataDir : `${source.certFile} with ${source.keyFile}`;
    throw new SallyportError('SP_ENV', `the certificate in ${where} cannot be used: ${text(cause)}`, { cause });
  }
}

/**
 * The server's side of a handshake on an accepted socket.
 * @param alpn the protocol's name in ALPN; a client that names others and not this one is refused
 * @param head bytes that were read already and belong to the handshake
 * Rejects with SP_PROTOCOL where the client breaks it off. How long it may take is the caller's matter: destroy the socket.
 */
export function upgradeServer(socket: Socket, context: SecureContext, alpn: string, head: Buffer): Promise<TLSSocket> {
  // A socket that flows would give the head to nobody.
  socket.pause();
  if (head.length > 0) socket.unshift(head);
  const secure = new TLSSocket(socket, { isServer: true, secureContext: context, ALPNProtocols: [alpn] });
  return settle(secure, 'secure', (cause) => {
    return new SallyportError('SP_PROTOCOL', `the client's TLS handshake failed: ${text(cause)}`, { cause });
  });
}

export interface ClientTls {
  readonly mode: Exclude<TlsMode, 'disable'>;
  /** As configured: a name or an address. */
  readonly host: string;
  /** PEM; without it the verifying modes trust the system's authorities. */
  readonly ca?: string | undefined;
}

/**
 * The client's side of a handshake, towards a database. `verify-full` proves chain and name, `verify-ca` the chain;
 * `require` and `prefer` prove nothing, but as in libpq a given `ca` makes `require` prove the chain.
 * Rejects with SP_UPSTREAM that says what is wrong.
 */
export function upgradeClient(socket: Socket, { mode, host, ca }: ClientTls, alpn: string): Promise<TLSSocket> {
  const verifies = mode === 'verify-full' || mode === 'verify-ca' || (mode === 'require' && ca !== undefined);
  const options: ConnectionOptions = {
    socket,
    host,
    minVersion: MIN_VERSION,
    ALPNProtocols: [alpn],
    rejectUnauthorized: verifies,
    // Server Name Indication is for names alone (RFC 6066 section 3).
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
  return settle(connect(options), 'secureConnect', (cause) => {
    const { code = '', reason } = cause as NodeJS.ErrnoException & { reason?: string };
    const why =
      code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? `its certificate is not for this name: ${reason}` : REASONS[code];
    return new SallyportError('SP_UPSTREAM', `no TLS with ${host}: ${why ?? text(cause)}`, { cause });
  });
}

/** Waits for the end of a handshake. */
function settle(
  secure: TLSSocket,
  event: 'secure' | 'secureConnect',
  failure: (cause: unknown) => SallyportError,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    let cause: unknown = new Error('the connection was closed');
    const seen = (error: unknown) => {
      cause = error;
    };
    const closed = () => reject(failure(cause));
    // A TLSSocket made by hand tells of its handshake's errors by `_tlsError` alone, before it closes.
    secure.once('_tlsError', seen).once('error', seen).once('close', closed);
    secure.once(event, () => {
      secure.off('_tlsError', seen).off('error', seen).off('close', closed);
      // An error before the new owner listens must not end the process; `close` follows it and says enough.
      secure.on('error', () => {});
      // Nor would it say more of an error that comes later.
      if (event === 'secure') secure.on('_tlsError', (error: Error) => secure.destroy(error));
      resolve(secure);
    });
  });
}

/** OpenSSL's errors say it in `reason`; their message is full of places in its source. */
function text(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return 'reason' in cause && typeof cause.reason === 'string' ? cause.reason : cause.message;
}
