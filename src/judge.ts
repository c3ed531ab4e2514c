// Binds policy, masking and the catalog of one connection into what the gate asks of it.

import { SallyportError } from './errors.ts';
import type { Language, World } from './languages/language.ts';
import type { Masking } from './mask/rules.ts';
import { type ExplainedColumn, Masks } from './masks.ts';
import { decide, type RelationTarget, verbsOf } from './policy/decide.ts';
import type { Policy } from './policy/rules.ts';
import type {
  Catalog,
  CatalogRelation,
  Column,
  Connection,
  Facts,
  FunctionUse,
  Need,
  Parameter,
  RelationUse,
  RowPlan,
  SettingUse,
  Verdict,
} from './types.ts';
import type { Judge, Outputs, Question, Ruling } from './wire/gate.ts';

export interface JudgeOptions {
  readonly language: Language;
  readonly policy: Policy | null;
  readonly masking: Masking | null;
  /** Reads the database's catalog. `previous` keeps its epoch where nothing has changed. */
  readonly readCatalog: (previous: Catalog | undefined) => Promise<Catalog>;
}

/** Every judge and every catalog counts on: an epoch is never used twice. */
let epochs = 0;

/** What a statement's names lead to in one session. */
interface Found {
  readonly use: RelationUse;
  readonly relation: CatalogRelation | undefined;
  readonly target: RelationTarget;
}

const PATH_UNKNOWN: Verdict = {
  action: 'deny',
  rule: 'scope',
  reason: 'it names relations without their schema while the search path is being changed',
  hint: 'Write schema.name, or end the transaction or pipeline that changes search_path first.',
};

/** The SQLSTATE-free core: everything that a verdict on this connection depends on besides grant and session. */
export class ConnectionJudge implements Judge {
  readonly looksAtValues: boolean;
  readonly masks: boolean;
  readonly protects: boolean;
  #epoch = ++epochs;
  readonly #o: JudgeOptions;
  #catalog: Catalog | undefined;
  #masks: Masks | null = null;
  /** A question has come since the last reading. */
  #used = false;
  #reading: Promise<void> | null = null;
  /** Something has changed since the last reading began. */
  #outdated = false;

  constructor(options: JudgeOptions) {
    this.#o = options;
    this.looksAtValues = options.policy?.looksAtValues ?? false;
    this.protects = options.masking !== null && options.masking.columns.length > 0;
    this.masks = this.protects || (options.masking?.detectors ?? null) !== null;
  }

  get epoch(): number {
    return this.#epoch;
  }

  rule(question: Question): Ruling | 'stale' {
    this.#used = true;
    const catalog = this.#catalog;
    if (catalog === undefined || (this.#outdated && !question.fresh)) return 'stale';
    const { classification, searchPath, session, parameters, mode } = question;
    const world: World = { catalog, searchPath: searchPath ?? [], mode };
    const written = classification.ok ? classification.statements : [];
    const found = new Map<RelationUse, Found>();
    let lasting = true;
    for (const facts of written) {
      // EXECUTE looks the names of its statement up again.
      const looksUp = facts.relations.some((use) => use.schema === null) || executes(facts);
      if (looksUp && searchPath === null) return refused(PATH_UNKNOWN, written);
      for (const use of facts.relations) {
        const relation = catalog.find(use.schema, use.name, world.searchPath);
        const target = this.#o.language.resolve(use, relation, world);
        if (relation === undefined && target.system === null) {
          if (!question.fresh) return 'stale';
          lasting = false;
        }
        found.set(use, { use, relation, target });
      }
    }
    const statements = written.map((facts) => completed(facts, found, world, this.#o.language));
    const verdict = decide({
      classification: classification.ok ? { ok: true, statements } : classification,
      text: question.text,
      values: parameters === null ? null : parameters.flatMap(valueText),
      scopes: session.grant.scopes,
      connection: session.connection.name,
      policy: this.#o.policy,
      resolve: (use) => found.get(use)?.target ?? UNKNOWN,
      functionNeed: (use) => functionNeed(use, catalog),
    });
    const relations = [...new Set([...found.values()].map(({ target }) => `${target.schema}.${target.name}`))];
    const verbs = [...new Set(statements.flatMap(verbsOf))];
    if (verdict.action === 'deny')
      return {
        verdict,
        verbs,
        relations,
        needsPlan: false,
        protects: false,
        looksAtValues: false,
        outputs: [],
        lasting,
      };
    const seen = this.#see(question, statements, found);
    if ('action' in seen) {
      // Not kept: it may go by a value in the text.
      return {
        verdict: seen,
        verbs,
        relations,
        needsPlan: false,
        protects: false,
        outputs: [],
        looksAtValues: false,
        lasting: false,
      };
    }
    return { verdict, verbs, relations, ...seen, lasting };
  }

  plan(columns: readonly Column[], outputs: Outputs | undefined): RowPlan | null | 'stale' | 'contradiction' {
    if (this.#masks === null) return this.masks ? 'stale' : null;
    return this.#masks.plan(columns, outputs);
  }

  clean(text: string): string {
    return this.#masks?.clean(text) ?? text;
  }

  copyPlan(outputs: Outputs | undefined, format: number): RowPlan | null | 'contradiction' {
    if (this.#masks === null) return this.masks ? 'contradiction' : null;
    return this.#masks.copyPlan(outputs, format);
  }

  /** What `explain` shows of the only statement of a text: its output columns, or null. Empty before the catalog was read. */
  columnsOf({ text, searchPath, mode }: Question): readonly ExplainedColumn[] | null {
    return this.#masks?.protection.any ? this.#masks.explain(text, 0, { searchPath: searchPath ?? [], mode }) : null;
  }

  /** What a session on this connection begins with. Throws SP_UPSTREAM where the catalog was not read. */
  defaults(connection: Connection): { readonly searchPath: readonly string[]; readonly mode: string } {
    if (this.#catalog === undefined) throw new SallyportError('SP_UPSTREAM', 'the catalog has not been read');
    return this.#o.language.defaults(connection, this.#catalog);
  }

  /** What the database says of itself, where that is asked for; undefined before the catalog was read. */
  get server(): Catalog['server'] {
    return this.#catalog?.server;
  }

  mayBind(types: readonly number[]): boolean {
    return types.every((oid) => !this.#catalog?.checkedTypes?.has(oid));
  }

  async refresh(): Promise<void> {
    // A reading that is under way began before whatever made the caller ask: wait for it, then read anew.
    if (this.#reading !== null) await this.#reading.catch(() => {});
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    await this.#reading;
  }

  /**
   * Reads the catalog again if anything was asked since the last time; called every few seconds, so that what others rename
   * or create is seen. Where the database cannot be asked, no statement gets through to it either: the next reading tells.
   */
  look(): void {
    if (this.#used && this.#reading === null) this.refresh().catch(() => {});
  }

  changed(): void {
    this.#outdated = true;
    this.#epoch = ++epochs;
  }

  /** Rules as written that match no column; for `check` and the log. Empty before the catalog was read. */
  get unmatched(): readonly string[] {
    return this.#masks?.protection.unmatched ?? [];
  }

  async #read(): Promise<void> {
    this.#outdated = this.#used = false;
    const before = this.#catalog;
    let catalog: Catalog;
    try {
      catalog = await this.#o.readCatalog(before);
    } catch (error) {
      this.#outdated = true;
      throw error;
    }
    if (catalog.epoch === before?.epoch) return;
    this.#catalog = catalog;
    this.#masks = this.#o.masking === null ? null : new Masks(this.#o.masking, catalog, this.#o.language);
    this.#epoch = ++epochs;
  }

  /** What masking makes of the statements: the refusal of the first that is refused, or how their rows are masked. */
  #see(
    { classification, text, searchPath, parameters, mode }: Question,
    statements: readonly Facts[],
    found: ReadonlyMap<RelationUse, Found>,
  ): Verdict | Pick<Ruling, 'needsPlan' | 'protects' | 'outputs' | 'looksAtValues'> {
    const masks = this.#masks;
    if (masks === null || !(masks.protection.any || masks.detects)) {
      return { needsPlan: false, protects: false, outputs: [], looksAtValues: false };
    }
    if (!classification.ok) {
      return masked(`it is not understood, and could read masked columns: ${classification.reason}`);
    }
    const values = parameters === null ? null : parameters.flatMap(valueText);
    const outputs: (Outputs | undefined)[] = [];
    let looksAtValues = false;
    for (const [index, facts] of statements.entries()) {
      const relations = facts.relations.flatMap((use) => found.get(use) ?? []);
      const seen = masks.see(text, index, facts, relations, { searchPath: searchPath ?? [], mode }, values);
      if (seen.refused !== null) return masked(seen.refused);
      outputs.push(seen.outputs);
      looksAtValues ||= seen.looksAtValues;
    }
    // FETCH and EXECUTE return rows of statements that were judged before.
    const stored = statements.some((facts) => facts.handles.length > 0);
    const protects = stored || outputs.some((output) => output !== undefined);
    return { needsPlan: protects || masks.detects, protects, outputs, looksAtValues };
  }
}

const UNKNOWN: RelationTarget = { schema: '?', name: '?', system: 'never', own: false };

function masked(reason: string): Verdict {
  return {
    action: 'deny',
    rule: 'masking',
    reason,
    hint: 'Read masked columns as they are (their values arrive masked) or leave them out.',
  };
}

function refused(verdict: Verdict, statements: readonly Facts[]): Ruling {
  return {
    verdict,
    verbs: [...new Set(statements.flatMap(verbsOf))],
    relations: [],
    needsPlan: false,
    protects: false,
    looksAtValues: false,
    outputs: [],
    lasting: false,
  };
}

/** Whether the statement runs one that was prepared, whose names the server may look up anew. */
function executes(facts: Facts): boolean {
  return facts.handles.some(({ action }) => action === 'execute');
}

/**
 * The facts with what the text does not show: relations that an unqualified name would lead to if the one it leads to were
 * gone, functions behind a dot, functions that a view runs.
 */
function completed(facts: Facts, found: Map<RelationUse, Found>, world: World, language: Language): Facts {
  const { catalog } = world;
  if (catalog.resetWidens) facts = { ...facts, settings: facts.settings.map(widening) };
  const others = facts.relations.flatMap((use) => alternatives(use, found, world, language));
  const called = (facts.fields ?? [])
    .filter((name) => catalog.fieldFunctions?.has(name) || /^(pg|lo)_/.test(name))
    .map((name): FunctionUse => ({ schema: null, name, need: 'admin' }));
  const run = [...facts.relations, ...others].flatMap((use) => found.get(use)?.relation?.calls ?? []);
  if (others.length + called.length + run.length === 0) return facts;
  return {
    ...facts,
    relations: [...facts.relations, ...others],
    functions: [...facts.functions, ...called, ...run],
  };
}

/** Where DISCARD ALL does not bring back the role that the login started in, it is as good as RESET ROLE. */
function widening(use: SettingUse): SettingUse {
  return use.name === 'session_authorization' ? { ...use, need: 'admin' } : use;
}

/** Further relations that an unqualified name can come to mean. Nothing takes the place of the system's own. */
function alternatives(
  use: RelationUse,
  found: Map<RelationUse, Found>,
  world: World,
  language: Language,
): RelationUse[] {
  const first = found.get(use);
  if (use.schema !== null || first === undefined) return [];
  if (first.relation !== undefined && first.target.system !== null) return [];
  return language.otherSchemas(use, first.target, world).map((schema) => {
    const other: RelationUse = { ...use, schema };
    const relation = world.catalog.find(schema, use.name, world.searchPath);
    found.set(other, { use: other, relation, target: language.resolve(other, relation, world) });
    return other;
  });
}

/** A call by a name that somebody has made outside the system's schemas may reach that one. */
function functionNeed(use: FunctionUse, catalog: Catalog): Need {
  if (use.need === 'never' || use.schema !== null) return use.need;
  const operator = /^operator (.+)$/.exec(use.name)?.[1];
  const made = operator === undefined ? catalog.userFunctions.has(use.name) : catalog.userOperators.has(operator);
  return made ? 'admin' : use.need;
}

/** A bound value as text, for patterns: text format as it is, binary format in every reading that it has. */
function valueText({ bytes }: Parameter): string[] {
  if (bytes === null) return [];
  return [Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')];
}
