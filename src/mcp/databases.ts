// The database sessions of one MCP session, by grant: opened at the gateway's own ports with a ticket, so that what a tool sends is
// judged, masked and recorded as what any driver sends.

import { SallyportError } from '../errors.ts';
import type { Database } from './database.ts';
import { Line } from './line.ts';
import { connectMysql } from './mysql.ts';
import { connectPostgres } from './postgres.ts';
import { MAX_BYTES, type Run } from './query-tools.ts';
import type { McpServices } from './services.ts';
import type { Context } from './tool.ts';

/** Grants that one MCP session has database sessions of at the same time. */
const MAX_LINES = 8;

export interface Databases {
  readonly run: Run;
  close(): void;
}

interface Client {
  readonly name: string;
  readonly version: string;
}

export function openDatabases(services: McpServices, clientOf: () => Client | undefined): Databases {
  const lines = new Map<string, Line>();
  let closed = false;

  async function dial(grant: { id: string; connection: string }, { client }: Context): Promise<Database> {
    const door = services.door(grant.connection);
    if (door === undefined) {
      throw new SallyportError('SP_NOT_FOUND', `connection "${grant.connection}" is no longer configured`);
    }
    const application = applicationOf(clientOf());
    const { login, secret } = await services.tickets.issue({ grant: grant.id, client, application });
    const { host, port, protocol } = door;
    const at = { host, port, user: login, password: secret, database: grant.connection, application };
    return protocol === 'postgres' ? connectPostgres(at) : connectMysql(at);
  }

  /** In place of one that is idle, where there are as many as there may be. */
  function lineFor(grant: string): Line {
    const known = lines.get(grant);
    if (known !== undefined) return known;
    if (lines.size >= MAX_LINES) {
      const [idle, old] = [...lines].find(([, { idle }]) => idle) ?? [];
      if (idle === undefined || old === undefined) {
        const hint = 'Wait for an answer, then send the next.';
        throw new SallyportError('SP_LIMIT', `statements run under ${MAX_LINES} grants already`, { hint });
      }
      old.close();
      lines.delete(idle);
    }
    const line = new Line();
    lines.set(grant, line);
    return line;
  }

  return {
    async run(grant, statement, context) {
      if (closed) throw new SallyportError('SP_LIMIT', 'the MCP session is over');
      const bounded = { ...statement, maxBytes: MAX_BYTES };
      return lineFor(grant.id).run(bounded, context.signal, () => dial(grant, context));
    },
    close() {
      closed = true;
      for (const line of lines.values()) line.close();
      lines.clear();
    },
  };
}

/** As it stands on record: what the client calls itself, in plain characters. */
export function applicationOf(client: Client | undefined): string {
  const name = client === undefined ? '' : ` ${client.name}/${client.version}`;
  return `mcp${name}`.replace(/[^\x20-\x7e]/g, '?').slice(0, 63);
}
