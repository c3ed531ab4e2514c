// Masking of one connection, put together: what its rules protect in this catalog, what they make of a statement, of a result,
// of a COPY, and of values on their way back.
import { LRUCache } from 'lru-cache';
import type { ColumnForm, Language } from './languages/language.ts';
import { exposure, onlyChanges, type TouchedRelation, touchesProtected } from './mask/exposure.ts';
import { type Flow, flowOf } from './mask/flow.ts';
import { type Protection, protect } from './mask/protect.ts';
import type { Masking, Strategy } from './mask/rules.ts';
import { maskedIn, maskedInText } from './mask/writeback.ts';
import type {
  BaseColumn,
  Catalog,
  CellMask,
  Column,
  ColumnType,
  Dependence,
  Facts,
  Lineage,
  RowPlan,
} from './types.ts';
import type { Outputs } from './wire/gate.ts';

/** How an output column is masked, and for a column's own value its type. The same for the same, so that they can be compared. */
interface Output {
  readonly strategy: Strategy | undefined;
  readonly type: ColumnType | undefined;
}

/** One output column for people. */
export interface ExplainedColumn {
  readonly column: string;
  readonly dependence: Dependence['kind'];
  /** Base columns, `schema.table.column`. */
  readonly from: readonly string[];
  /** The strategy, `none`, or `refused` where the statement is. */
  readonly mask: string;
}

/** A statement as masking sees it. */
export type Seen =
  | { readonly refused: string }
  | {
      readonly refused: null;
      /** Undefined where nothing protected is touched. */
      readonly outputs: Outputs | undefined;
      /** It writes to protected columns: values that a mask has made are refused, bound ones too. */
      readonly looksAtValues: boolean;
    };

/** Longest text whose values are followed, UTF-16 units: it is parsed a second time, on the event loop. */
const LONGEST = 64 * 1024;
const REDACT: Strategy = { kind: 'redact' };
const NULL: Strategy = { kind: 'null' };

/** How a session's names and texts are read. */
interface Reading {
  readonly searchPath: readonly string[];
  readonly mode: string;
}

interface Followed {
  readonly lineage: Lineage | null;
  readonly flow: Flow;
  readonly outputs: readonly Output[] | null;
}

export class Masks {
  readonly protection: Protection;
  readonly #masking: Masking;
  readonly #catalog: Catalog;
  readonly #language: Language;
  /** By text, statement and how it is read: a re-judged statement is not followed again. */
  readonly #followed = new LRUCache<string, Followed>({ max: 1000 });
  readonly #outputs = new Map<Strategy | undefined, Map<string, Output>>();

  constructor(masking: Masking, catalog: Catalog, language: Language) {
    this.#masking = masking;
    this.#catalog = catalog;
    this.#language = language;
    this.protection = protect(masking, catalog, (view) => {
      const lineage = language.lineageOfView(view, catalog);
      return lineage === null || 'unproven' in lineage
        ? null
        : (lineage.outputs?.map(({ dependence }) => dependence) ?? null);
    });
  }

  /** Every row is looked through for secrets. */
  get detects(): boolean {
    return this.#masking.detectors !== null;
  }

  /** A text for the client with the secrets in it replaced, or itself. */
  clean(text: string): string {
    const { detectors } = this.#masking;
    const { text: words } = this.#language;
    const mask = detectors === null ? undefined : this.#language.detectorMask(detectors, words, this.#catalog);
    const bytes = Buffer.from(text);
    const cleaned = mask?.(bytes, 0, bytes.length);
    return cleaned === undefined ? text : Buffer.from(cleaned ?? []).toString('utf8');
  }

  /** Judges the index-th statement of a text by what its values do. `values`: the bound ones as text, null before Bind. */
  see(
    text: string,
    index: number,
    facts: Facts,
    relations: readonly TouchedRelation[],
    reading: Reading,
    values: readonly string[] | null,
  ): Seen {
    const { protection } = this;
    // A COPY has no description: what detectors need of its columns comes from following it.
    const copied = this.detects && facts.copy != null;
    if (!protection.any && !copied) return { refused: null, outputs: undefined, looksAtValues: false };
    const reason = exposure(facts, relations, protection, this.#language.system);
    if (reason !== null) return { refused: reason };
    if (protection.any && facts.handles.some(({ action }) => action === 'execute')) {
      const refused = this.#executes(text, facts);
      return refused === null ? { refused, outputs: undefined, looksAtValues: true } : { refused };
    }
    if (!touchesProtected(relations, protection) && !copied)
      return { refused: null, outputs: undefined, looksAtValues: false };
    if (onlyChanges(facts)) return { refused: null, outputs: null, looksAtValues: false };
    if (text.length > LONGEST) {
      return {
        refused: `a text of more than ${LONGEST} characters is not followed beside masked columns; send it in parts`,
      };
    }
    if (facts.copy != null && facts.copy.unknown !== null) {
      return {
        refused: `COPY beside masked columns is not understood with the option ${facts.copy.unknown}; leave it out`,
      };
    }
    const { flow, lineage, outputs } = this.#follow(text, index, reading);
    if (flow.refused !== null) return { refused: flow.refused };
    const written = this.#written(facts, relations, lineage);
    const token = written.length === 0 ? null : maskedToken(text, facts, values, written);
    if (token !== null) return { refused: writtenBack(token) };
    if (written.length > 0 && facts.kinds.includes('copy-from')) {
      return { refused: 'COPY into masked columns is not followed: use INSERT, or leave these columns out' };
    }
    return { refused: null, outputs, looksAtValues: written.length > 0 };
  }

  /** What `explain` shows: each output column; null where no rows come back, or nothing is known. */
  explain(text: string, index: number, reading: Reading): ExplainedColumn[] | null {
    if (text.length > LONGEST) return null;
    const { flow, lineage } = this.#follow(text, index, reading);
    if (lineage?.outputs == null) return null;
    return lineage.outputs.map(({ name, dependence }, i) => ({
      column: name,
      dependence: dependence.kind,
      from: this.#sources(dependence),
      mask: flow.refused === null ? (flow.outputs?.[i]?.kind ?? 'none') : 'refused',
    }));
  }

  plan(columns: readonly Column[], outputs: Outputs | undefined): RowPlan | null | 'stale' | 'contradiction' {
    const strategies: (Strategy | undefined)[] = [];
    if (Array.isArray(outputs) && outputs.length !== columns.length) return 'contradiction';
    if (outputs === null) return 'contradiction';
    if (outputs === 'unproven' && this.#masking.derived === 'deny') return 'contradiction';
    for (const [i, column] of columns.entries()) {
      const origin = this.#origin(column);
      if (origin === 'unknown') return 'stale';
      const output = Array.isArray(outputs)
        ? (outputs[i] as Output).strategy
        : outputs === 'unproven'
          ? REDACT
          : undefined;
      // The database says that this is a protected column's value, the analysis that it is not.
      if (origin !== undefined && output === undefined) return 'contradiction';
      strategies.push(output);
    }
    const plan = columns.map((column, i) => this.#maskOf(strategies[i], column));
    return plan.every((mask) => mask === undefined) ? null : plan;
  }

  /** What a column rule says, or else the detectors. */
  #maskOf(strategy: Strategy | undefined, column: ColumnForm): CellMask | undefined {
    if (strategy !== undefined) return this.#language.cellMask(strategy, column, this.#catalog);
    const { detectors } = this.#masking;
    return detectors === null ? undefined : this.#language.detectorMask(detectors, column, this.#catalog);
  }

  /** The plan for COPY TO, whose columns the database does not describe: a computed value has no type here and becomes NULL. */
  copyPlan(outputs: Outputs | undefined, format: number): RowPlan | null | 'contradiction' {
    if (outputs === undefined) return this.detects ? 'contradiction' : null;
    if (!Array.isArray(outputs)) return 'contradiction';
    const plan = (outputs as readonly Output[]).map(({ strategy, type }) =>
      type === undefined
        ? this.#maskOf(strategy && NULL, { ...this.#language.text, format })
        : this.#maskOf(strategy, this.#language.copied(type, format)),
    );
    return plan.every((mask) => mask === undefined) ? null : plan;
  }

  #follow(text: string, index: number, { searchPath, mode }: Reading): Followed {
    const key = JSON.stringify([index, searchPath, mode, text]);
    const known = this.#followed.get(key);
    if (known !== undefined) return known;
    const lineage = this.#language.lineageOf(text, index, { catalog: this.#catalog, searchPath, mode });
    const followed = 'unproven' in lineage ? unfollowed(lineage.unproven) : this.#flowing(lineage);
    this.#followed.set(key, followed);
    return followed;
  }

  #flowing(lineage: Lineage): Followed {
    const flow = flowOf(lineage, this.protection, this.#masking, (column) => this.#nameOf(column));
    if (flow.refused !== null || lineage.outputs === null) return { lineage, flow, outputs: null };
    const outputs = lineage.outputs.map(({ dependence }, i) => this.#output(flow.outputs?.[i], dependence));
    return { lineage, flow, outputs };
  }

  #output(strategy: Strategy | undefined, dependence: Dependence): Output {
    const type = dependence.kind === 'direct' ? this.#typeOf(dependence.column) : undefined;
    const known = this.#outputs.get(strategy) ?? new Map<string, Output>();
    this.#outputs.set(strategy, known);
    const key = `${type?.oid} ${type?.modifier}`;
    const output = known.get(key) ?? { strategy, type };
    known.set(key, output);
    return output;
  }

  /** Why EXECUTE is refused, or null: it may write what it is given, and where its rows are stored they cannot be followed. */
  #executes(text: string, facts: Facts): string | null {
    if (facts.kinds.some((kind) => kind.startsWith('create-'))) {
      return 'this database has masked columns, and the rows of a prepared statement are not followed into a table; write its query out';
    }
    const token = maskedToken(text, facts, null, [REDACT, ...this.#masking.columns.map(({ strategy }) => strategy)]);
    return token === null ? null : writtenBack(token);
  }

  /** The strategies of the protected columns that a statement writes to. */
  #written(facts: Facts, relations: readonly TouchedRelation[], lineage: Lineage | null): Strategy[] {
    const found = new Set<Strategy>();
    for (const { column } of lineage?.writes ?? []) {
      const strategy = column === null ? undefined : this.protection.strategy(column.oid, column.attribute);
      if (strategy !== undefined) found.add(strategy);
    }
    for (const { use, relation } of relations) {
      if (use.verb !== 'write' || relation === undefined) continue;
      for (const [attribute, name] of relation.columns) {
        const assigned = facts.columns.some(
          (column) => column.place === 'assigned' && (column.name === '*' || column.name === name),
        );
        const strategy = assigned ? this.protection.strategy(relation.oid, attribute) : undefined;
        if (strategy !== undefined) found.add(strategy);
      }
    }
    return [...found];
  }

  /** How the column of a base table or view that the database names as a result's origin is masked. */
  #origin(column: Column): Strategy | 'unknown' | undefined {
    const origin = this.#language.origin(column, this.#catalog);
    if (origin === null || origin === 'unknown') return origin ?? undefined;
    if ('row' in origin) return this.protection.relation(origin.row) && NULL;
    return this.protection.strategy(origin.oid, origin.attribute);
  }

  #typeOf({ oid, attribute }: BaseColumn) {
    return this.#catalog.relation(oid)?.types?.get(attribute);
  }

  #nameOf({ oid, attribute }: BaseColumn): string {
    const relation = this.#catalog.relation(oid);
    return `${relation?.schema}.${relation?.name}.${relation?.columns.get(attribute)}`;
  }

  #sources(dependence: Dependence): string[] {
    switch (dependence.kind) {
      case 'independent':
        return [];
      case 'direct':
        return [this.#nameOf(dependence.column)];
      case 'derived':
        return dependence.from.map((column) => this.#nameOf(column));
      case 'unproven':
        return [`? (${dependence.reason})`];
    }
  }
}

function unfollowed(reason: string): Followed {
  const refused = `it touches masked columns and cannot be followed: ${reason}`;
  return { lineage: null, flow: { refused }, outputs: null };
}

function writtenBack(token: string): string {
  return `${token} is what a mask has made, not the value: writing it back would destroy the real one`;
}

function maskedToken(
  text: string,
  facts: Facts,
  values: readonly string[] | null,
  written: readonly Strategy[],
): string | null {
  const inText = maskedInText(text.slice(facts.start, facts.end), written);
  if (inText !== null) return inText;
  for (const value of values ?? []) {
    const token = maskedIn(value, written);
    if (token !== null) return token;
  }
  return null;
}
