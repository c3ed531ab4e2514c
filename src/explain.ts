// What would be decided of a text, with nothing run: for `sallyport explain` and the API.
import { setImmediate } from 'node:timers/promises';
import type { Config } from './config/load.ts';
import type { ExplainLine } from './control/services.ts';
import { SallyportError } from './errors.ts';
import type { ConnectionJudge } from './judge.ts';
import { judgeOf } from './judges.ts';
import { languages } from './languages/languages.ts';
import { parseScope } from './policy/scope.ts';
import type { Catalog, Classification, Connection, Facts, Grant, Session } from './types.ts';
import type { Question } from './wire/gate.ts';

export type Explain = (text: string) => Promise<readonly ExplainLine[]>;

/** What an explanation may take of a gateway that serves others meanwhile. */
export interface Bounds {
  /** Statements of one text. */
  readonly statements: number;
  /** Reads a text off the event loop. */
  readonly classify: (mode: string, text: string) => Promise<Classification>;
}

/** Texts above this many characters are read off the event loop. */
const INLINE_TEXT = 32 * 1024;
/** Milliseconds that judging keeps others from being served. */
const SLICE_MS = 5;

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

/**
 * Explains with a judge whose catalog has been read. `bounds` is left out where nobody else waits. Rejects with SP_LIMIT for a text of
 * more statements.
 */
export function explainWith(
  judge: ConnectionJudge,
  connection: Connection,
  scopes: readonly string[],
  bounds?: Bounds,
): Explain {
  const language = languages[connection.protocol];
  const asked = {
    session: sessionOf(connection, scopes),
    ...judge.defaults(connection),
    parameters: null,
    fresh: true,
  };
  const { classify, classifyLarge } = language.dialect(
    asked.mode,
    async (text) => bounds?.classify(asked.mode, text) ?? classify(text),
  );
  return async (text) => {
    const classification = text.length > INLINE_TEXT ? await classifyLarge(text) : classify(text);
    if (!classification.ok || classification.statements.length === 0)
      return [line({ ...asked, text, classification }, judge)];
    if (bounds !== undefined && classification.statements.length > bounds.statements) {
      throw new SallyportError('SP_LIMIT', `more than ${bounds.statements} statements are not explained at once`, {
        hint: 'Send the text in parts.',
      });
    }
    const lines: ExplainLine[] = [];
    let since = performance.now();
    for (const facts of classification.statements) {
      const statement = text.slice(facts.start, facts.end);
      lines.push(line({ ...asked, text: statement, classification: { ok: true, statements: [facts] } }, judge));
      if (bounds === undefined || performance.now() - since < SLICE_MS) continue;
      await setImmediate();
      since = performance.now();
    }
    return lines;
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
    // What is out of the scope is not told of, beyond what the text itself names.
    ...(rule === 'scope' ? {} : columns(judge.columnsOf(question))),
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
