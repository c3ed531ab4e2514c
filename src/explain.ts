// What would be decided of a text, with nothing run: for `sallyport explain` and the API.
import type { Config } from './config/load.ts';
import type { ExplainLine } from './control/services.ts';
import { SallyportError } from './errors.ts';
import type { ConnectionJudge } from './judge.ts';
import { judgeOf } from './judges.ts';
import { languages } from './languages/languages.ts';
import { parseScope } from './policy/scope.ts';
import type { Catalog, Connection, Facts, Grant, Session } from './types.ts';
import type { Question } from './wire/gate.ts';

export type Explain = (text: string) => Promise<readonly ExplainLine[]>;

/**
 * Explains for a connection of a config, with a grant of these scopes. The database's catalog is used where it can be
 * read; else names are resolved as written, and masking counts as if nothing matched.
 * Rejects with SP_NOT_FOUND for an unknown connection, throws for a bad scope.
 */
export async function explainer(config: Config, name: string, scopes: readonly string[]): Promise<Explain> {
  const connection = config.connections.get(name);
  if (connection === undefined) throw new SallyportError('SP_NOT_FOUND', `there is no connection "${name}"`);
  const language = languages[connection.protocol];
  const read = async (previous: Catalog | undefined) => {
    try {
      return await language.readCatalog(connection, previous);
    } catch {
      return language.emptyCatalog();
    }
  };
  const judge = judgeOf(config, connection, read);
  await Promise.all([language.ready(), judge.refresh()]);
  return explainWith(judge, connection, scopes);
}

/** Explains with a judge whose catalog has been read. */
export function explainWith(judge: ConnectionJudge, connection: Connection, scopes: readonly string[]): Explain {
  const language = languages[connection.protocol];
  const asked = {
    session: sessionOf(connection, scopes),
    ...judge.defaults(connection),
    parameters: null,
    fresh: true,
  };
  // Whoever explains waits for the answer: nothing else has to be served beside it.
  const { classify } = language.dialect(asked.mode, async (text) => classify(text));
  return async (text) => {
    const classification = classify(text);
    if (!classification.ok || classification.statements.length === 0)
      return [line({ ...asked, text, classification }, judge)];
    return classification.statements.map((facts) => {
      const statement = text.slice(facts.start, facts.end);
      return line({ ...asked, text: statement, classification: { ok: true, statements: [facts] } }, judge);
    });
  };
}

function line(question: Question, judge: ConnectionJudge): ExplainLine {
  const { classification, text: statement } = question;
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
