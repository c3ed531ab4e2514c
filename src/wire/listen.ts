// A listening port: accepts, holds the limit, knows every session that is open, and drains.
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** An open client connection, from accept to close, as the port sees it. */
export interface Open {
  /** Ends it now, telling the client why in its protocol's words. */
  end(reason: EndReason): void;
}

/** Why a session ends from the gateway's side. */
export interface EndReason {
  readonly kind: 'grant' | 'shutdown' | 'idle' | 'record' | 'config' | 'upstream';
  /** One sentence for the client and the record. */
  readonly message: string;
  readonly hint?: string | undefined;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly maxSessions: number;
  /** Serves a client; `closed` has to be called once, when its socket is closed. */
  readonly serve: (socket: Socket, closed: () => void) => Open;
  /** What a client is told that comes when the port is full. */
  readonly full: () => Buffer;
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
  const open = new Set<Open>();
  let emptied: (() => void) | null = null;
  const server: Server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    if (open.size >= options.maxSessions) {
      socket.on('error', () => {});
      socket.end(options.full());
      return;
    }
    const session: Open = options.serve(socket, () => {
      open.delete(session);
      if (open.size === 0) emptied?.();
    });
    open.add(session);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port, backlog: 1024 }, resolve);
  });
  server.removeAllListeners('error');
  const address = server.address() as AddressInfo;
  return {
    host: options.host,
    port: address.port,
    get size() {
      return open.size;
    },
    async drain(timeoutMs) {
      server.close();
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
