// `sallyport login` as its users run it: a real provider, a running gateway, a home of the test's own.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { run as runCommand } from '../../src/cli/program.ts';
import { startGateway, type TestGateway } from '../servers/gateway.ts';
import { type OidcProvider, startProvider } from '../servers/oidc.ts';

const BIN = join(import.meta.dirname, '../../bin/sallyport');
/** Nothing of what is asked here reaches a database. */
const NOWHERE = { host: '127.0.0.1', port: 1, database: 'd', user: 'u', password: 'p' };
const CLAIMS = { ada: { groups: ['agents', 'dba'] }, robot: { groups: ['agents'] } };

let provider: OidcProvider;
/** One that gives ID tokens alone a meaning. */
let opaque: OidcProvider;
let gateway: TestGateway;
let homes: string;
let secretFile: string;
before(async () => {
  [provider, opaque] = await Promise.all([startProvider({ claims: CLAIMS }), startProvider({ opaque: true })]);
  gateway = await startGateway({ upstream: NOWHERE, config: { identity: identity() } });
  homes = mkdtempSync(join(tmpdir(), 'sallyport-login-'));
  secretFile = join(homes, 'secret');
  writeFileSync(secretFile, `${provider.machine.secret}\n`);
});
after(async () => {
  await gateway?.stop();
  await Promise.all([provider?.close(), opaque?.close()]);
  rmSync(homes, { recursive: true, force: true });
});

function identity(...more: object[]) {
  const { issuer, audience, clientId } = provider;
  return { issuers: [{ issuer, audience, clientId }, ...more], roles: { operator: ['dba'] } };
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Keeps what commands write, which is text; what the test runner writes beside them is bytes, and goes through. */
function capture(stream: NodeJS.WriteStream, line?: (text: string) => void): [text: () => string, restore: () => void] {
  let kept = '';
  const own = stream.write;
  stream.write = ((chunk: string | Uint8Array, ...rest: []) => {
    if (typeof chunk !== 'string') return own.call(stream, chunk, ...rest);
    kept += chunk;
    for (const text of chunk.split('\n').filter((part) => part !== '')) line?.(text);
    return true;
  }) as typeof stream.write;
  return [
    () => kept,
    () => {
      stream.write = own;
    },
  ];
}

/** A user's home: what is kept there, and commands run from it. */
function home(of: TestGateway = gateway) {
  const config = mkdtempSync(join(homes, 'home-'));
  const api = of.running.addresses.api;
  const file = join(config, 'sallyport', 'logins', `${api.host}_${api.port}.json`);
  const environment = {
    XDG_CONFIG_HOME: config,
    SALLYPORT_API_LISTEN: `${api.host}:${api.port}`,
    SALLYPORT_DATA_DIR: join(config, 'data'),
  };
  /** In this process, which spares each command its start. `line`: told of each line of standard output as it comes. */
  async function run(args: string[], line?: (text: string) => void, env: Record<string, string> = {}): Promise<Ran> {
    const before = { ...process.env };
    Object.assign(process.env, environment, env);
    const [out, restoreOut] = capture(process.stdout, line);
    const [err, restoreErr] = capture(process.stderr);
    try {
      return { code: await runCommand(args), out: out(), err: err() };
    } finally {
      restoreOut();
      restoreErr();
      for (const name of Object.keys({ ...environment, ...env })) delete process.env[name];
      Object.assign(process.env, before);
    }
  }
  /** In a process of its own, as users run it. */
  async function spawned(args: string[]): Promise<Ran> {
    const child = spawn(BIN, args, {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    const [code] = await once(child, 'close');
    return { code: typeof code === 'number' ? code : -1, out, err };
  }
  return {
    file,
    run,
    spawned,
    kept: () => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>,
    /** The token has run out; how the next is come by stays. */
    runOut() {
      writeFileSync(file, JSON.stringify({ ...this.kept(), expiresAt: Date.now() - 1 }));
    },
    /** Logs ada in, as she does: reads the code, and enters it in her browser. */
    async logIn(args: string[] = [], at = provider, agrees = true): Promise<Ran> {
      return run(['login', '--json', ...args], (text) => {
        const { code } = JSON.parse(text) as { code?: string };
        if (code !== undefined) void at.approveDevice(code, 'ada', agrees);
      });
    },
  };
}

test('a person logs in by the device flow, is asked who she is, and calls the API', async () => {
  const { spawned, logIn, file, kept } = home();
  const { code, out, err } = await logIn();
  assert.equal(code, 0, err);
  const [asked, done] = out
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text));
  assert.equal(asked.address, `${provider.issuer}/device`);
  assert.match(asked.completeAddress, new RegExp(`user_code=${asked.code}$`));
  assert.deepEqual(
    [done.issuer, done.identity.subject, done.roles, done.renewable],
    [provider.issuer, 'ada', ['operator'], true],
  );
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(join(file, '..')).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(join(file, '..')).length, 1);
  assert.ok(!out.includes(String(kept().token)), 'the token is printed where it is asked for alone');

  const status = await spawned(['login', '--status']);
  assert.match(status.out, /^ada, by .*\ngroups {2}agents, dba\nroles {3}operator\nuntil .* then renewed\n$/);
  const token = (await spawned(['login', '--token'])).out.trim();
  assert.equal(token, kept().token);
  const listed = await spawned(['grants', 'list', '--json']);
  assert.equal(listed.code, 0, listed.err);
});

test('what a person reads', async () => {
  const { run } = home();
  const { code, out } = await run(['login'], (text) => {
    const [, found] = /enter the code ([A-Z-]+)$/.exec(text) ?? [];
    if (found !== undefined) void provider.approveDevice(found);
  });
  assert.equal(code, 0);
  assert.match(
    out,
    /^Open http\S+\/device and enter the code \S+\nor open http\S+\nLogged in as ada, until 20\S+Z\.\n$/,
  );
});

test('a login that the person refuses is none', async () => {
  const { logIn, file } = home();
  const { code, err } = await logIn([], provider, false);
  assert.equal(code, 1);
  assert.match(JSON.parse(err).error.message, /the login was refused at the identity provider/);
  assert.ok(!existsSync(file));
});

test('a token that has run out is renewed, once for all commands that need it', async () => {
  const ada = home();
  await ada.logIn();
  const before = ada.kept();
  ada.runOut();
  const ran = await Promise.all(Array.from({ length: 4 }, () => ada.spawned(['login', '--token'])));
  const tokens = new Set(ran.map(({ out }) => out));
  assert.deepEqual([ran.map(({ code }) => code), tokens.size], [[0, 0, 0, 0], 1]);
  const now = ada.kept();
  assert.notEqual(now.token, before.token);
  assert.equal([...tokens][0]?.trim(), now.token);
  assert.equal(statSync(ada.file).mode & 0o777, 0o600);
});

test('logging out forgets the login here and at the provider', async () => {
  const ada = home();
  await ada.logIn();
  const text = readFileSync(ada.file, 'utf8');
  const { out } = await ada.run(['login', '--logout', '--json']);
  assert.deepEqual(JSON.parse(out), { loggedOut: true, revoked: true });
  assert.ok(!existsSync(ada.file));
  const status = await ada.run(['login', '--status']);
  assert.deepEqual([status.code, /nobody is logged in/.test(status.err)], [1, true]);
  assert.equal((await ada.run(['login', '--logout'])).out, 'Nobody was logged in.\n');

  // Somebody had kept a copy.
  writeFileSync(ada.file, text, { mode: 0o600 });
  ada.runOut();
  const again = await ada.run(['grants', 'list']);
  assert.equal(again.code, 1);
  assert.match(again.err, /the login has expired\n.*sallyport login/);
});

test('a machine logs in by client credentials, and anew when its token runs out', async () => {
  const robot = home();
  const args = ['login', '--client-id', provider.machine.id, '--client-secret-file', secretFile];
  const { code, out, err } = await robot.run(args);
  assert.equal(code, 0, err);
  assert.match(out, /^Logged in as robot, until/);
  const before = robot.kept();
  assert.ok(!JSON.stringify(before).includes(provider.machine.secret), 'the secret stays where it is');
  robot.runOut();
  const { out: token } = await robot.run(['login', '--token']);
  assert.notEqual(token.trim(), before.token);

  writeFileSync(join(homes, 'wrong'), 'wrong');
  const wrong = await robot.run([...args.slice(0, -1), join(homes, 'wrong')]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /does not take the client's id and secret/);
  const missing = await robot.run([...args.slice(0, -1), join(homes, 'missing')]);
  assert.match(missing.err, /cannot be read from .*missing \(ENOENT\)/);
});

test('where the audience is the client, the ID token is what is shown', async (t) => {
  const { issuer, clientId } = opaque;
  const own = await other(t, { issuers: [{ issuer, audience: clientId, clientId }], roles: { auditor: ['agents'] } });
  const ada = home(own);
  const { code, out, err } = await ada.logIn([], opaque);
  assert.equal(code, 0, err);
  assert.match(out, /"subject":"ada".*"roles":\["auditor"\]/);
});

test('a person logs in at a provider that speaks as Google does', async (t) => {
  const google = await startProvider({ opaque: true, google: true });
  t.after(() => google.close());
  const { issuer, clientId } = google;
  const own = await other(t, { issuers: [{ issuer, audience: clientId, clientId }] });
  const ada = home(own);
  // A person takes longer than a machine: the first questions are answered by 428.
  const { code, out, err } = await ada.run(
    ['login', '--json', '--person', '--client-secret-file', secretFile],
    (text) => {
      const { code } = JSON.parse(text) as { code?: string };
      if (code === undefined) return;
      const looking = setInterval(() => {
        if (google.requests.filter((path) => path === '/token').length < 2) return;
        clearInterval(looking);
        void google.approveDevice(code);
      }, 10);
    },
  );
  assert.equal(code, 0, err);
  assert.match(out, /^\{"address":"http\S+\/device","code":/);
  ada.runOut();
  assert.equal((await ada.run(['login', '--token'])).code, 0);
});

test('a provider that gives no token for the gateway is told of, with the audiences that it gave', async (t) => {
  const { issuer, clientId } = opaque;
  const own = await other(t, { issuers: [{ issuer, audience: 'sallyport', clientId }] });
  const ada = home(own);
  const { code, err } = await ada.logIn([], opaque);
  assert.equal(code, 1);
  const { message, hint } = JSON.parse(err).error;
  assert.match(message, /no token for the audience sallyport: it gave tokens for sallyport-cli$/);
  assert.match(hint, /--scope/);
  assert.ok(!existsSync(ada.file));
});

test('among several providers one is chosen, and nothing is guessed', async (t) => {
  const second = { issuer: opaque.issuer, audience: 'ci' };
  const own = await other(t, identity(second));
  const ada = home(own);
  const { code, err } = await ada.run(['login']);
  assert.equal(code, 1);
  assert.match(err, new RegExp(`several providers[\\s\\S]*--issuer ${provider.issuer} --audience sallyport\n`));
  assert.equal((await ada.logIn(['--issuer', provider.issuer])).code, 0);
  const without = await ada.run(['login', '--audience', 'ci']);
  assert.match(without.err, /names no client .* for logins\n.*clientId/);
  const none = await ada.run(['login', '--issuer', 'https://x.example']);
  assert.match(none.err, /no provider of this gateway is what the options say/);
  const usage = await ada.run(['login', '--issuer', provider.issuer, '--parameter', 'resource']);
  assert.deepEqual([usage.code, /name=value/.test(usage.err)], [2, true]);
});

test('a file that others may read, or that holds something else, is not used', async () => {
  const ada = home();
  await ada.logIn();
  chmodSync(ada.file, 0o640);
  assert.match((await ada.run(['grants', 'list'])).err, /may be read by others/);
  chmodSync(ada.file, 0o600);
  writeFileSync(ada.file, '{"token": "half');
  const broken = await ada.run(['login', '--token']);
  assert.match(broken.err, /does not hold a login/);
  assert.ok(!broken.err.includes('half'));
  assert.equal((await ada.logIn()).code, 0, 'a new login puts it right');
});

test('SALLYPORT_TOKEN goes before what is kept', async () => {
  const { run } = home();
  const env = { SALLYPORT_TOKEN: await provider.token({ sub: 'from-outside' }) };
  assert.match((await run(['login', '--status'], undefined, env)).out, /^from-outside, by SALLYPORT_TOKEN\n/);
  const bad = await run(['login', '--status'], undefined, { SALLYPORT_TOKEN: 'x.y.z' });
  assert.deepEqual([bad.code, /does not take the token/.test(bad.err)], [1, true]);
  const broken = await run(['login', '--status'], undefined, { SALLYPORT_TOKEN: 'abc\ndef' });
  assert.match(broken.err, /SALLYPORT_TOKEN does not hold a token/);
  assert.ok(!broken.err.includes('abc'));
});

test('without a provider, and without a gateway, it is said', async (t) => {
  const own = await other(t, undefined);
  const none = await home(own).run(['login']);
  assert.match(none.err, /has no identity provider\n.*operator token/);
  const nobody = await home().run(['login'], undefined, { SALLYPORT_API_LISTEN: '127.0.0.1:1' });
  assert.deepEqual([nobody.code, /no gateway answers/.test(nobody.err)], [3, true]);
});

async function other(t: TestContext, identity: object | undefined): Promise<TestGateway> {
  const own = await startGateway({ upstream: NOWHERE, ...(identity === undefined ? {} : { config: { identity } }) });
  t.after(() => own.stop());
  return own;
}
