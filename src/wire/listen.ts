// A listening port: accepts, holds the limits, knows every session that is open, and drains.
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { LoginRoom, Room } from './room.ts';
import { acceptSocket } from './socket.ts';
import { sourceOf } from './throttle.ts';

/** Silence after which TCP asks whether a client is still there; the system's own default is two hours. */
const KEEPALIVE_MS = 30_000;

/** An open client connection, from accept to close, as the port sees it. */
export interface Open {
  /** Ends it now, telling the client why in its protocol's words. */
  end(reason: EndReason): void;
  /** Since when it has been waiting for the client's next request, milliseconds since the epoch; null while it is not. */
  readonly idleSince: number | null;
}

/** Why a session ends from the gateway's side. */
export interface EndReason {
  readonly kind: 'grant' | 'shutdown' | 'idle' | 'record' | 'config' | 'upstream';
  /** One sentence for the client and the record. */
  readonly message: string;
  readonly hint?: string | undefined;
}

/** What a client's connection tells its port of. */
export interface Hooks {
  /** It has logged in, and needs room for a session: false where there is none. */
  readonly loggedIn: () => boolean;
  /** Has to be called once, when its socket is closed. */
  readonly closed: () => void;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** For sessions; shared by all ports of the gateway. */
  readonly room: Room;
  /** For connections that have not logged in; shared by all ports of the gateway. */
  readonly logins: LoginRoom;
  /** Milliseconds for which a session may wait for its client's next request; 0 is for ever. */
  readonly idleTimeoutMs: number;
  readonly serve: (socket: Socket, hooks: Hooks) => Open;
}

export interface Port {
  readonly host: string;
  readonly port: number;
  /** Clients connected now. */
  readonly size: number;
  /**
   * Stops accepting and waits for the clients to leave; after `timeoutMs` the rest is ended.
   * Resolves when the last one has gone.
   */
  drain(timeoutMs: number): Promise<void>;
}

/** Rejects with the listen error (`EADDRINUSE` …). */
export async function listen(options: ListenOptions): Promise<Port> {
  const { room, logins } = options;
  const open = new Set<Open>();
  let emptied: (() => void) | null = null;
  const server: Server = createServer(
    { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS, pauseOnConnect: true },
    (accepted) => {
      const socket = acceptSocket(accepted);
      const leave = logins.enter(sourceOf(socket.remoteAddress), () => socket.destroy());
      let inRoom = false;
      const session: Open = options.serve(socket, {
        loggedIn() {
          leave();
          if (room.taken >= room.limit) return false;
          room.taken++;
          inRoom = true;
          return true;
        },
        closed() {
          leave();
          if (inRoom) room.taken--;
          open.delete(session);
          if (open.size === 0) emptied?.();
        },
      });
      open.add(session);
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port, backlog: 1024 }, resolve);
  });
  server.removeAllListeners('error');
  const looking = lookForIdle(open, options.idleTimeoutMs);
  const address = server.address() as AddressInfo;
  return {
    host: options.host,
    port: address.port,
    get size() {
      return open.size;
    },
    async drain(timeoutMs) {
      server.close();
      clearInterval(looking);
      if (open.size === 0) return;
      await new Promise<void>((resolve) => {
        emptied = resolve;
        const timer = setTimeout(() => {
          for (const session of open) session.end({ kind: 'shutdown', message: 'the gateway is shutting down' });
        }, timeoutMs);
        timer.unref();
      });
    },
  };
}

/** Ends what has been idle for too long. A look now and then costs less than a timer that every message moves. */
function lookForIdle(open: ReadonlySet<Open>, timeoutMs: number): NodeJS.Timeout | undefined {
  if (timeoutMs === 0) return undefined;
  const look = () => {
    const now = Date.now();
    for (const session of open) {
      if (session.idleSince === null || now - session.idleSince < timeoutMs) continue;
      session.end({ kind: 'idle', message: 'the session has been idle for too long' });
    }
  };
  return setInterval(look, Math.min(Math.max(timeoutMs / 4, 10), 30_000)).unref();
}
