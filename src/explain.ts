// What would be decided of a text, with nothing run: for `sallyport explain` and the API.
import type { Config } from './config/load.ts';
import type { ExplainLine } from './control/services.ts';
import { SallyportError } from './errors.ts';
import type { ConnectionJudge } from './judge.ts';
import { judgeOf, readCatalog } from './judges.ts';
import { parseScope } from './policy/scope.ts';
import { buildCatalog, QUERIES } from './sql/pg/catalog.ts';
import { classify, ready } from './sql/pg/classify.ts';
import type { Catalog, Classification, Connection, Facts, Grant, Session } from './types.ts';

export type Explain = (text: string) => Promise<readonly ExplainLine[]>;

/** The answer to CATALOG_SQL of a database in which there is nothing. */
const NOTHING = Array.from({ length: QUERIES }, () => []);
/** Where the database cannot be asked, unqualified names are looked for here. */
const SEARCH_PATH = ['pg_catalog', 'public'];

/**
 * Explains for a connection of a config, with a grant of these scopes. The database's catalog is used where it can be
 * read; else names are resolved as written, and masking counts as if nothing matched.
 * Rejects with SP_NOT_FOUND for an unknown connection, throws for a bad scope.
 */
export async function explainer(config: Config, name: string, scopes: readonly string[]): Promise<Explain> {
  const connection = config.connections.get(name);
  if (connection === undefined) throw new SallyportError('SP_NOT_FOUND', `there is no connection "${name}"`);
  const read = async (previous: Catalog | undefined) => {
    try {
      return await readCatalog(connection, previous);
    } catch {
      return buildCatalog(NOTHING, previous);
    }
  };
  const judge = judgeOf(config, connection, read);
  await Promise.all([ready(), judge.refresh()]);
  return explainWith(judge, connection, scopes);
}

/** Explains with a judge whose catalog has been read. */
export function explainWith(judge: ConnectionJudge, connection: Connection, scopes: readonly string[]): Explain {
  const session = sessionOf(connection, scopes);
  return async (text) => {
    const classification = classify(text);
    if (!classification.ok || classification.statements.length === 0)
      return [line(text, classification, judge, session)];
    return classification.statements.map((facts) => {
      const statement = text.slice(facts.start, facts.end);
      return line(statement, { ok: true, statements: [facts] }, judge, session);
    });
  };
}

function line(
  statement: string,
  classification: Classification,
  judge: ConnectionJudge,
  session: Session,
): ExplainLine {
  const question = { session, classification, text: statement, parameters: null, searchPath: SEARCH_PATH, fresh: true };
  const ruling = judge.rule(question);
  if (ruling === 'stale') throw new SallyportError('SP_UPSTREAM', 'the catalog has not been read');
  const facts = classification.ok ? classification.statements[0] : undefined;
  const { action, rule, reason } = ruling.verdict;
  return {
    statement,
    verbs: ruling.verbs,
    relations: ruling.relations,
    functions: facts === undefined ? [] : functionNames(facts),
    verdict: { action, rule, reason },
    ...columns(judge.columnsOf(question)),
  };
}

/** Only where something is masked on this connection and rows come back. */
function columns(explained: ExplainLine['columns'] | null): Pick<ExplainLine, 'columns'> {
  return explained == null ? {} : { columns: explained };
}

/** Functions by name. Operators are functions too, but everyday ones would only be noise. */
function functionNames(facts: Facts): string[] {
  const named = facts.functions.filter(({ name, need }) => need !== 'read' || !name.startsWith('operator '));
  return [...new Set(named.map(({ schema, name }) => (schema === null ? name : `${schema}.${name}`)))];
}

function sessionOf(connection: Connection, scopes: readonly string[]): Session {
  const grant: Grant = {
    id: 'gr_explained',
    task: 'explain',
    reason: 'explain',
    identity: { issuer: 'operator', subject: 'explain', groups: [] },
    connection: connection.name,
    scopes: scopes.map(parseScope),
    requestedAt: 0,
    expiresAt: 0,
  };
  return {
    id: 'se_explained',
    protocol: connection.protocol,
    grant,
    connection,
    client: '',
    application: '',
    startedAt: 0,
  };
}
