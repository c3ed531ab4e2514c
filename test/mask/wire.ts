// Values as a real PostgreSQL sends them, in text and in binary, and what it makes of masked ones.

import assert from 'node:assert/strict';
import type { Client } from 'pg';

const RAW = { getTypeParser: () => (value: unknown) => value };

export interface Described {
  readonly oid: number;
  readonly modifier: number;
  readonly bytes: Buffer;
}

/**
 * A value as the wire has it: type, modifier and bytes. `type` is the column's, which a table gives its modifier. The driver reads
 * every value as UTF-8: binary ones come from the type's own send function.
 */
export async function onWire(client: Client, type: string, value: string, binary: boolean): Promise<Described> {
  await client.query(`DROP TABLE IF EXISTS one; CREATE TABLE one (c ${type})`);
  await client.query(`INSERT INTO one SELECT $1::text::${type}`, [value]);
  const result = await client.query<(string | null)[]>({ text: 'SELECT c FROM one', rowMode: 'array', types: RAW });
  const field = result.fields[0];
  const text = result.rows[0]?.[0];
  assert.ok(field && typeof text === 'string', type);
  const described = { oid: field.dataTypeID, modifier: field.dataTypeModifier };
  if (!binary) return { ...described, bytes: Buffer.from(text) };
  const send = await client.query<{ name: string }>('SELECT typsend::text AS name FROM pg_type WHERE oid = $1', [
    field.dataTypeID,
  ]);
  const sent = await client.query<{ hex: string }>(`SELECT encode(${send.rows[0]?.name}(c), 'hex') AS hex FROM one`);
  return { ...described, bytes: Buffer.from(sent.rows[0]?.hex ?? '', 'hex') };
}

/** The bytes as a parameter in their format, read back as text: the server has validated them. */
export async function accepted(
  client: Client,
  type: string,
  bytes: Uint8Array | null | undefined,
  binary: boolean,
): Promise<string | null> {
  assert.notEqual(bytes, undefined, `${type} is left as it is`);
  if (!bytes) return null;
  const value = binary ? Buffer.from(bytes) : Buffer.from(bytes).toString();
  const query = { text: `SELECT $1::${type}`, values: [value], rowMode: 'array' as const, types: RAW };
  const result = await client.query<(string | null)[]>(query);
  return result.rows[0]?.[0] ?? null;
}
