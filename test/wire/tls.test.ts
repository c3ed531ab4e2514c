// Certificates, the channel-binding hash, and handshakes on both sides over real sockets.

import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { generate } from 'selfsigned';
import { endPointHash } from '../../src/wire/certificate.ts';
import { type ServerTls, serverTls, upgradeClient, upgradeServer } from '../../src/wire/tls.ts';

const dir = mkdtempSync(join(tmpdir(), 'sallyport-tls-'));
let tls: ServerTls;
before(async () => {
  tls = await serverTls({ dataDir: dir });
});
after(() => rmSync(dir, { recursive: true, force: true }));

/** Runs `client` against a server that hands each socket to `serve`; both sides are over when it answers. */
async function pair<T>(serve: (socket: Socket) => Promise<void>, client: (port: number) => Promise<T>): Promise<T> {
  const served: Promise<void>[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    const serving = serve(socket).finally(() => socket.destroy());
    serving.catch(() => {});
    served.push(serving);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  try {
    return await client(port);
  } finally {
    server.close();
    await Promise.all(served);
  }
}

const dial = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket)).on('error', reject);
  });

const greet = async (socket: Socket): Promise<void> => {
  const secure = await upgradeServer(socket, tls.context, 'postgresql', Buffer.alloc(0));
  secure.end('hello');
  await new Promise((resolve) => secure.once('close', resolve));
};

test('a self-signed pair is made once, for its owner alone, and found again', async () => {
  const file = join(dir, 'tls.pem');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const first = readFileSync(file, 'utf8');
  assert.match(first, /PRIVATE KEY/);
  assert.equal((await serverTls({ dataDir: dir })).cert, tls.cert);
  const certificate = new X509Certificate(tls.cert);
  assert.equal(certificate.checkHost('localhost'), 'localhost');
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(tls.endPoint?.toString('hex'), createHash('sha256').update(certificate.raw).digest('hex'));
});

test('a pair that ends soon is made again', async () => {
  const old = mkdtempSync(join(tmpdir(), 'sallyport-tls-'));
  try {
    const notAfterDate = new Date(Date.now() + 2 * 24 * 3600 * 1000);
    const ending = await generate([{ name: 'commonName', value: 'x' }], { keyType: 'ec', notAfterDate });
    writeFileSync(join(old, 'tls.pem'), ending.private + ending.cert);
    const { cert } = await serverTls({ dataDir: old });
    assert.ok(new X509Certificate(cert).validToDate.getTime() > Date.now() + 300 * 24 * 3600 * 1000);
  } finally {
    rmSync(old, { recursive: true, force: true });
  }
});

/** Self-signed certificates that selfsigned cannot make, in DER: RSA-PSS with SHA-384, and Ed25519. */
const PSS =
  'MIICXDCCAZGgAwIBAgIUYVdJGkpnAKMXGF9L0YVaQuGMWd0wQQYJKoZIhvcNAQEKMDSgDzANBglghkgBZQMEAgIFAKEcMBoGCSqGSIb3DQEBCD' +
  'ANBglghkgBZQMEAgIFAKIDAgFOMAwxCjAIBgNVBAMMAXgwHhcNMjYxMTIxMDAxNTQxWhcNMjYxMTIzMDAxNTQxWjAMMQowCAYDVQQDDAF4MIGf' +
  'MA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCi11mgqYfJAkVWbjuP/No+uOZBKaX4BlvuPAvFqdRda+scjzRIgoyCome88DhVlLFfsHd9Fje2If' +
  'hoymKtiV0fB8ZY12Av7NqVx3NszpduoDZy86bDANgC6eQHFlXhUzuOmkqOl0ojVhhm0dSl99RBNuXO/QYCbfSDkR/7mnq9CwIDAQABo1MwUTAd' +
  'BgNVHQ4EFgQU6QIs/9lFmi5Konw0JDg4NglbsSwwHwYDVR0jBBgwFoAU6QIs/9lFmi5Konw0JDg4NglbsSwwDwYDVR0TAQH/BAUwAwEB/zBBBg' +
  'kqhkiG9w0BAQowNKAPMA0GCWCGSAFlAwQCAgUAoRwwGgYJKoZIhvcNAQEIMA0GCWCGSAFlAwQCAgUAogMCAU4DgYEAHHWHUydzKxBlpczd8+03' +
  'L0RarzrqoQtcabYRwdULcsLmwmrwxRR7YIbw1VmNV6WsB/VbipG7FZ2t1pJTz5oPPbx0w0xPcKh65B6IHSqBkSEMW0r7xDJo9RRxWy3Cw0mGji' +
  'LA6OfG0NFbgwuNsq5HSWSadEiX2un+UvYNghUburM=';
const ED25519 =
  'MIIBLDCB36ADAgECAhRzveGRuGO3BlewMsQObBuSU0xC0TAFBgMrZXAwDDEKMAgGA1UEAwwBeDAeFw0yNjExMjEwMDE1NDFaFw0yNjExMjMwMD' +
  'E1NDFaMAwxCjAIBgNVBAMMAXgwKjAFBgMrZXADIQD87TcpSMNjz85ou2r9igGRsY0ooEAKZwckWabbyxB54aNTMFEwHQYDVR0OBBYEFEv6SwPP' +
  'HlCgerH6RIcaCCU4eRM8MB8GA1UdIwQYMBaAFEv6SwPPHlCgerH6RIcaCCU4eRM8MA8GA1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EAoMFgTmnLmu' +
  'Z9W1P3kIoXT04Fz69d8yQrtEbvlAC9E84FxwzKhN3Cz5yNOGLw6MZYuRBvNKnIaFr4paw1EMz6CA==';

test('the end point hash follows the signature, as RFC 5929 says', async () => {
  const made = async (keyType: 'rsa' | 'ec', algorithm: string) => {
    const { cert } = await generate([{ name: 'commonName', value: 'x' }], { keyType, algorithm });
    return new X509Certificate(cert).raw;
  };
  const cases: [name: string, der: Buffer, hash: string | null][] = [
    ['rsa', await made('rsa', 'sha256'), 'sha256'],
    ['rsa-sha1', await made('rsa', 'sha1'), 'sha256'],
    ['rsa-384', await made('rsa', 'sha384'), 'sha384'],
    ['ec-512', await made('ec', 'sha512'), 'sha512'],
    ['pss', Buffer.from(PSS, 'base64'), 'sha384'],
    ['ed25519', Buffer.from(ED25519, 'base64'), null],
  ];
  for (const [name, der, hash] of cases) {
    const expected = hash === null ? undefined : createHash(hash).update(der).digest('hex');
    assert.equal(endPointHash(der)?.toString('hex'), expected, name);
    for (let n = 0; n < der.length; n++) endPointHash(der.subarray(0, n));
  }
});

test('files that do not belong together are named; a reload that fails keeps the old pair', async () => {
  for (const name of ['a', 'b']) {
    const made = await generate([{ name: 'commonName', value: name }], { keyType: 'ec' });
    writeFileSync(join(dir, `${name}.crt`), made.cert);
    writeFileSync(join(dir, `${name}.key`), made.private);
  }
  const [certFile, keyFile] = [join(dir, 'a.crt'), join(dir, 'a.key')];
  await assert.rejects(serverTls({ certFile, keyFile: join(dir, 'b.key') }), {
    code: 'SP_ENV',
    message: /a\.crt.*b\.key/,
  });
  await assert.rejects(serverTls({ certFile, keyFile: join(dir, 'none') }), { code: 'SP_ENV', message: /ENOENT/ });

  const own = await serverTls({ certFile, keyFile });
  const { context, endPoint } = own;
  writeFileSync(certFile, 'not a certificate');
  await assert.rejects(own.reload(), { code: 'SP_ENV' });
  assert.equal(own.context, context);
  writeFileSync(certFile, readFileSync(join(dir, 'b.crt')));
  writeFileSync(keyFile, readFileSync(join(dir, 'b.key')));
  await own.reload();
  assert.notEqual(own.context, context);
  assert.notDeepEqual(own.endPoint, endPoint);
});

test('the server side shakes hands, with bytes that were read before and without', async () => {
  const withHead = async (socket: Socket) => {
    const head = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    socket.pause();
    const secure = await upgradeServer(socket, tls.context, 'postgresql', head);
    assert.equal(secure.alpnProtocol, 'postgresql');
    secure.end('hello');
    await new Promise((resolve) => secure.once('close', resolve));
  };
  // As a socket that flows: the bytes come in a `data` event, whose listener is then taken off.
  const flowing = (socket: Socket) =>
    new Promise<void>((resolve, reject) => {
      const read = (head: Buffer) => {
        socket.removeListener('data', read);
        upgradeServer(socket, tls.context, 'postgresql', head).then((secure) => {
          secure.once('close', resolve).end('hello');
        }, reject);
      };
      socket.on('data', read);
    });
  for (const serve of [greet, withHead, flowing]) {
    const heard = await pair(serve, async (port) => {
      const secure = await upgradeClient(await dial(port), { mode: 'require', host: '127.0.0.1' }, 'postgresql');
      const chunks = await secure.toArray();
      return Buffer.concat(chunks).toString();
    });
    assert.equal(heard, 'hello');
  }
});

test('a handshake that is nonsense, broken off or of another protocol ends in an error, not in silence', async () => {
  const fails = async (socket: Socket) => {
    await assert.rejects(upgradeServer(socket, tls.context, 'postgresql', Buffer.alloc(0)), { code: 'SP_PROTOCOL' });
    assert.equal(socket.destroyed, true);
  };
  const over = (socket: Socket) => new Promise((resolve) => socket.on('error', () => {}).once('close', resolve));
  await pair(fails, async (port) => {
    const socket = await dial(port);
    socket.write('select 1; select 1; select 1;');
    socket.resume();
    await over(socket);
  });
  await pair(fails, async (port) => {
    const socket = await dial(port);
    socket.end();
    await over(socket);
  });
  await pair(fails, async (port) => {
    const options = { port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false };
    await over(tlsConnect(options));
  });
  await pair(fails, async (port) => {
    const options = {
      port,
      host: '127.0.0.1',
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'ALL@SECLEVEL=0',
    } as const;
    await over(tlsConnect({ ...options, rejectUnauthorized: false }));
  });
});

test('garbage behind a finished handshake closes the encrypted socket', async () => {
  const waits = async (socket: Socket) => {
    const secure = await upgradeServer(socket, tls.context, 'postgresql', Buffer.alloc(0));
    secure.resume().write('ready');
    await new Promise((resolve) => secure.once('close', resolve));
  };
  await pair(waits, async (port) => {
    const socket = await dial(port);
    const secure = await upgradeClient(socket, { mode: 'require', host: '127.0.0.1' }, 'postgresql');
    await new Promise((resolve) => secure.once('data', resolve));
    socket.write('this is not a TLS record at all');
    await new Promise((resolve) => socket.once('close', resolve));
  });
});

test('each mode proves what it says, and an error says what is wrong', async () => {
  const attempt = (options: Parameters<typeof upgradeClient>[1]) =>
    pair(
      (socket) => greet(socket).catch(() => {}),
      async (port) => {
        const secure = await upgradeClient(await dial(port), options, 'postgresql');
        secure.destroy();
      },
    );
  const host = '127.0.0.1';
  const ca = tls.cert;
  const other = (await serverTls({ dataDir: join(dir, 'other') })).cert;
  await attempt({ mode: 'prefer', host });
  await attempt({ mode: 'prefer', host, ca: other });
  await attempt({ mode: 'require', host });
  await attempt({ mode: 'require', host, ca });
  await attempt({ mode: 'verify-ca', host, ca });
  await attempt({ mode: 'verify-ca', host: 'elsewhere.example', ca });
  await attempt({ mode: 'verify-full', host, ca });
  await attempt({ mode: 'verify-full', host: 'localhost', ca });
  const refused = (message: RegExp) => ({ code: 'SP_UPSTREAM', message });
  await assert.rejects(attempt({ mode: 'verify-full', host: 'elsewhere.example', ca }), refused(/not for this name/));
  await assert.rejects(attempt({ mode: 'verify-full', host: '127.0.0.2', ca }), refused(/not for this name/));
  await assert.rejects(attempt({ mode: 'require', host, ca: other }), refused(/self-signed|not signed/));
  await assert.rejects(attempt({ mode: 'verify-ca', host, ca: other }), refused(/self-signed|not signed/));
  await assert.rejects(attempt({ mode: 'verify-ca', host }), refused(/self-signed|not signed/));
  await assert.rejects(attempt({ mode: 'verify-full', host }), refused(/self-signed|not signed/));
});
