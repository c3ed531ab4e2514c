// MySQL and MariaDB as a language: their grammar, catalog, types and wire, put together.
import { MYSQL_SYSTEM } from '../mask/exposure.ts';
import { mysqlCellMask, mysqlDetectorMask } from '../mask/mysql/cells.ts';
import { buildCatalog, CATALOG_SQL, JSON_TYPE, NOTHING } from '../sql/mysql/catalog.ts';
import { classify } from '../sql/mysql/classify.ts';
import { foldLiterals } from '../sql/mysql/fold.ts';
import { KINDS } from '../sql/mysql/kinds.ts';
import { bytesOnlyInStrings, type LexMode } from '../sql/mysql/lexer.ts';
import { lineageOf } from '../sql/mysql/lineage.ts';
import { readMode, writeMode } from '../sql/mysql/mode.ts';
import { systemRelation } from '../sql/mysql/relations.ts';
import { looseSecretSpans } from '../sql/mysql/secrets.ts';
import type { BaseColumn, Catalog, Classification, Column } from '../types.ts';
import { withUpstream } from '../wire/mysql/connect.ts';
import type { ColumnForm, Language } from './language.ts';

/** enum_field_types. */
const LONGTEXT = 252;
const JSON_DOCUMENT = 245;
const VAR_STRING = 253;
/** utf8mb4_general_ci. */
const UTF8MB4 = 45;

/** For the gateway's own connections; milliseconds. */
const OWN_TIMEOUT = 10_000;

const FOREIGN_MODE = 'the sql_mode of this session makes the server read another language than MySQL’s';

export const mysql: Language = {
  kinds: KINDS,
  ready: async () => {},
  dialect: (mode, classifyLarge) => ({
    mode,
    classify: (text) => classifyIn(text, readMode(mode)),
    classifyLarge,
    readsBytes: (text) => bytesOnlyInStrings(text, readMode(mode)),
    foldLiterals,
    looseSecrets: looseSecretSpans,
  }),

  resolve(use, relation, { searchPath }) {
    const schema = relation?.schema ?? use.schema ?? searchPath[0] ?? '';
    return { schema, name: relation?.name ?? use.name, system: systemRelation(schema, use.name), own: false };
  },
  // One schema is looked into, and a temporary table hides another of its name in that one.
  otherSchemas: () => [],

  system: MYSQL_SYSTEM,
  lineageOf: (text, index, { catalog, searchPath, mode }) => {
    const lexMode = readMode(mode);
    return lexMode === null
      ? { unproven: FOREIGN_MODE }
      : lineageOf(text, index, { catalog, searchPath, mode: lexMode });
  },
  lineageOfView(view, catalog) {
    const mode = ownMode(catalog);
    if (view.definition === undefined || mode === null) return null;
    if (view.definition === '') return { unproven: 'its query is hidden from the gateway' };
    return lineageOf(view.definition, 0, { catalog, searchPath: [view.schema], mode });
  },
  origin: originOf,
  cellMask: (strategy, column, catalog) => mysqlCellMask(strategy, documentOf(column, catalog)),
  detectorMask: (detector, column, catalog) => mysqlDetectorMask(detector, documentOf(column, catalog)),
  text: { typeOid: VAR_STRING, typeModifier: -1, format: 0, charset: UTF8MB4 },
  copied: () => {
    throw new Error('the MySQL protocol copies no tables');
  },

  readCatalog: (connection, previous) =>
    withUpstream(connection, OWN_TIMEOUT, async (run) => {
      const answers = [];
      for (const sql of CATALOG_SQL) answers.push(await run(sql));
      return buildCatalog(answers, previous);
    }),
  emptyCatalog: () => buildCatalog(NOTHING),
  async probe(connection) {
    try {
      const [row] = await withUpstream(connection, OWN_TIMEOUT, (run) => run('SELECT VERSION()'));
      return { ok: true, serverVersion: row?.[0] ?? undefined };
    } catch (error) {
      return { ok: false, error: error instanceof Error ? error.message : String(error) };
    }
  },
  administer: (connection, use) => withUpstream(connection, OWN_TIMEOUT, use),
  defaults: ({ database }, { server }) => ({
    searchPath: [database],
    mode: writeMode({ sqlMode: server?.sqlMode ?? '', mariadb: server?.mariadb ?? false }),
  }),
};

function originOf({ origin }: Pick<Column, 'origin'>, catalog: Catalog): BaseColumn | null {
  if (origin === undefined || origin.table === '' || origin.column === '') return null;
  const relation = catalog.find(origin.schema, origin.table, []);
  if (relation === undefined) return null;
  for (const [attribute, name] of relation.columns) {
    if (name === origin.column.toLowerCase()) return { oid: relation.oid, attribute };
  }
  return null;
}

/** MariaDB's JSON comes as a LONGTEXT, of which its table knows that it is JSON. */
function documentOf(column: ColumnForm, catalog: Catalog): ColumnForm {
  if (column.typeOid !== LONGTEXT || catalog.server?.mariadb !== true) return column;
  const origin = originOf(column, catalog);
  const type = origin && catalog.relation(origin.oid)?.types?.get(origin.attribute);
  return type?.oid === JSON_TYPE ? { ...column, typeOid: JSON_DOCUMENT } : column;
}

/** How the server writes the queries of views out for the gateway, which has no sql_mode. */
function ownMode({ server }: Catalog): LexMode | null {
  return readMode(writeMode({ sqlMode: '', mariadb: server?.mariadb ?? false }));
}

function classifyIn(text: string, mode: LexMode | null): Classification {
  return mode === null ? { ok: false, reason: FOREIGN_MODE } : classify(text, mode);
}
