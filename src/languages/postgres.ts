// PostgreSQL as a language: its grammar, catalog, types and wire, put together.
import { detectorMask } from '../mask/detectors/cell.ts';
import { PG_SYSTEM } from '../mask/exposure.ts';
import { cellMask } from '../mask/strategies.ts';
import { buildCatalog, CATALOG_SQL, QUERIES } from '../sql/pg/catalog.ts';
import { classify, ready } from '../sql/pg/classify.ts';
import { foldLiterals } from '../sql/pg/fold.ts';
import { KINDS } from '../sql/pg/kinds.ts';
import { lineageOf } from '../sql/pg/lineage.ts';
import { systemRelation } from '../sql/pg/relations.ts';
import { looseSecretSpans } from '../sql/pg/secrets.ts';
import type { Connection } from '../types.ts';
import { connectUpstream, runQuery } from '../wire/pg/connect.ts';
import { terminate } from '../wire/pg/messages.ts';
import type { Language } from './language.ts';

/** The first OID that is given to what users make (FirstNormalObjectId, access/transam.h). */
const FIRST_USER_OID = 16384;
/** pg_type OID of text. */
const TEXT = 25;
/** The answer to CATALOG_SQL of a database in which there is nothing. */
const NOTHING = Array.from({ length: QUERIES }, () => []);
/** Where unqualified names are looked for by default. */
const SEARCH_PATH = ['pg_catalog', 'public'];

/** For the gateway's own connections; milliseconds. */
const OWN_TIMEOUT = 10_000;
const OWN_SETTINGS = new Map([
  ['application_name', 'sallyport'],
  ['default_transaction_read_only', 'on'],
  ['statement_timeout', '30s'],
]);
/** An administrator runs nothing that others have put in the way of the system's own. */
const ADMINISTRATORS_SETTINGS = new Map([
  ...OWN_SETTINGS,
  ['default_transaction_read_only', 'off'],
  ['search_path', 'pg_catalog'],
]);

export const postgres: Language = {
  kinds: KINDS,
  ready,
  // Every session has standard_conforming_strings on and client_encoding UTF8.
  dialect: (mode, classifyLarge) => ({
    mode,
    classify,
    classifyLarge,
    // The server refuses such a text.
    readsBytes: () => false,
    foldLiterals,
    looseSecrets: looseSecretSpans,
  }),

  resolve(use, relation, { searchPath }) {
    // Without a catalog the system's own relations are known by their prefix; what is nowhere would be made in the first schema.
    const unseen = use.name.startsWith('pg_') ? 'pg_catalog' : (made(searchPath) ?? 'public');
    const schema = relation?.schema ?? use.schema ?? unseen;
    const own = schema === 'pg_temp' || searchPath.some((name) => name === schema && name.startsWith('pg_temp_'));
    return { schema, name: use.name, system: own ? null : systemRelation(schema, use.name), own };
  },
  // The catalog shows what is committed: in its own transaction the session may have dropped or renamed what stands first,
  // above all a temporary table; and what is created is made in the path's first schema, whatever there is in others.
  otherSchemas(use, first, { catalog, searchPath }) {
    const schemas = new Set(['pg_catalog', ...searchPath].filter((schema) => schema !== first.schema));
    return [...schemas].filter((schema) => {
      const there = catalog.find(schema, use.name, searchPath) !== undefined;
      return there || (use.verb === 'ddl' && schema === made(searchPath));
    });
  },

  system: PG_SYSTEM,
  lineageOf,
  lineageOfView: ({ definition }, catalog) =>
    definition === undefined ? null : lineageOf(definition, 0, { catalog, searchPath: [] }),
  origin({ tableOid, attribute }, catalog) {
    if (tableOid === 0) return null;
    const relation = catalog.relation(tableOid);
    if (relation === undefined && tableOid >= FIRST_USER_OID) return 'unknown';
    if (attribute === 0) return { row: tableOid };
    if (relation !== undefined && attribute > 0 && !relation.columns.has(attribute)) return 'unknown';
    return { oid: tableOid, attribute };
  },
  cellMask: (strategy, { typeOid, typeModifier, format }, catalog) =>
    cellMask(strategy, typeOid, typeModifier, format, (oid) => catalog.type?.(oid)),
  detectorMask: (detector, { typeOid, typeModifier, format }, catalog) =>
    detectorMask(detector, typeOid, typeModifier, format, (oid) => catalog.type?.(oid)),
  text: { typeOid: TEXT, typeModifier: -1, format: 0 },
  copied: ({ oid, modifier }, format) => ({ typeOid: oid, typeModifier: modifier, format }),

  readCatalog: (connection, previous) =>
    withUpstream(connection, async (run) => buildCatalog(await run(CATALOG_SQL), previous)),
  emptyCatalog: () => buildCatalog(NOTHING),
  async probe(connection) {
    try {
      const [rows] = await withUpstream(connection, (run) => run('SHOW server_version'));
      return { ok: true, serverVersion: rows?.[0]?.[0] ?? undefined };
    } catch (error) {
      return { ok: false, error: error instanceof Error ? error.message : String(error) };
    }
  },
  administer: (connection, use) =>
    withUpstream(connection, (run) => use(async (sql) => (await run(sql))[0] ?? []), ADMINISTRATORS_SETTINGS),
  defaults: () => ({ searchPath: SEARCH_PATH, mode: '' }),
};

/** The schema that an unqualified name is created in. */
function made(searchPath: readonly string[]): string | undefined {
  return searchPath.find((schema) => schema !== 'pg_catalog' && !schema.startsWith('pg_temp_'));
}

async function withUpstream<T>(
  connection: Connection,
  use: (run: (sql: string) => Promise<(string | null)[][][]>) => Promise<T>,
  settings = OWN_SETTINGS,
): Promise<T> {
  const upstream = await connectUpstream(connection, settings, { timeoutMs: OWN_TIMEOUT });
  try {
    return await use((sql) => runQuery(upstream, sql));
  } finally {
    upstream.socket.on('error', () => {});
    upstream.socket.end(terminate());
  }
}
