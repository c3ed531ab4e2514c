// Starts what stands between the load and the database, each in a process of its own that ends with this one.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort, OWNER, spawnWatched } from '../../test/servers/watched.ts';
import type { Address, Target, TargetName } from './target.ts';

export async function startPipe(upstream: Address): Promise<Target> {
  const file = fileURLToPath(new URL('pipe.ts', import.meta.url));
  const child = spawn(process.execPath, [file, upstream.host, String(upstream.port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [port] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    ...upstream,
    name: 'pipe',
    port: Number(port),
    pid: child.pid ?? -1,
    async stop() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

/** PgBouncer in session mode, as it comes: null where it is not installed. */
export async function startPgBouncer(upstream: Address): Promise<Target | null> {
  const { host, user, database } = upstream;
  return startProgram('pgbouncer', upstream, ['--version'], (port) => ({
    file: `[databases]
${database} = host=${host} port=${upstream.port} dbname=${database} user=${user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = session
max_client_conn = 4000
default_pool_size = 200
`,
    flags: ['-q'],
  }));
}

/** HAProxy as a TCP proxy: null where it is not installed. */
export async function startHaProxy(upstream: Address): Promise<Target | null> {
  return startProgram('haproxy', upstream, ['-v'], (port) => ({
    file: `global
  maxconn 4000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen database
  bind 127.0.0.1:${port}
  server database ${upstream.host}:${upstream.port}
`,
    flags: ['-db', '-f'],
  }));
}

async function startProgram(
  name: TargetName & string,
  upstream: Address,
  probe: readonly string[],
  configure: (port: number) => { file: string; flags: readonly string[] },
): Promise<Target | null> {
  const program = installed(name, probe);
  if (program === null) return null;
  const dir = await mkdtemp(join(tmpdir(), `sallyport-${name}-`));
  await chmod(dir, 0o755);
  if (OWNER.uid !== undefined && OWNER.gid !== undefined) await chown(dir, OWNER.uid, OWNER.gid);
  const port = await freePort();
  const { file, flags } = configure(port);
  const path = join(dir, 'config');
  await writeFile(path, file, { mode: 0o644 });
  const server = await spawnWatched(dir, [program, ...flags, path], { signal: 'TERM' });
  for (let tries = 0; !(await answers(port)); tries++) {
    if (server.isOver() || tries > 300) throw new Error(`${name} did not start:\n${server.log().slice(-2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  server.release();
  return { ...upstream, name, port, pid: server.pid, stop: server.stop };
}

/** The program's path, where it can be run; Debian puts daemons where a user's PATH may not look. */
export function installed(name: string, probe: readonly string[]): string | null {
  for (const path of [name, `/usr/sbin/${name}`, `/usr/local/sbin/${name}`]) {
    try {
      execFileSync(path, probe, { stdio: 'ignore' });
      return path;
    } catch {
      // Not there, or not in working order.
    }
  }
  return null;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).then((result) => {
    socket.destroy();
    return result === true;
  });
}
