// What differs between the databases that the gateway stands before: how a text is read, where a name leads, where values flow,
// how a cell of a type is masked, how the database itself is asked. One object each, made in a file of its own; everything
// above it (judge, masks, explain, main) works by these alone.

import type { Detector } from '../mask/detectors/scan.ts';
import type { System } from '../mask/exposure.ts';
import type { Strategy } from '../mask/rules.ts';
import type { RelationTarget } from '../policy/decide.ts';
import type {
  BaseColumn,
  Catalog,
  CatalogRelation,
  CellMask,
  Classification,
  Column,
  ColumnType,
  Connection,
  Lineage,
  RelationUse,
} from '../types.ts';
import type { Dialect } from '../wire/gate.ts';

/** Where the names of one statement are looked up. */
export interface World {
  readonly catalog: Catalog;
  readonly searchPath: readonly string[];
  /** How the session's texts are read, as `Dialect.mode` has it. */
  readonly mode: string;
}

export interface Probe {
  readonly ok: boolean;
  readonly serverVersion?: string | undefined;
  readonly error?: string | undefined;
}

/** Of one statement, cells as text. */
export type Rows = readonly (readonly (string | null)[])[];

export interface Language {
  /** Kinds of statements that rules may name. */
  readonly kinds: ReadonlySet<string>;
  /** Resolves when texts can be read. */
  ready(): Promise<void>;
  /** How the texts of a session with this `mode` are read. `classifyLarge` reads off the event loop. */
  dialect(mode: string, classifyLarge: (text: string) => Promise<Classification>): Dialect;

  /** Where a name leads, `relation` being what the catalog has for it. */
  resolve(use: RelationUse, relation: CatalogRelation | undefined, world: World): RelationTarget;
  /** Further schemas that an unqualified name may lead to before the statement runs, as this session may have changed things. */
  otherSchemas(use: RelationUse, first: RelationTarget, world: World): readonly string[];

  readonly system: System;
  /** The lineage of the index-th statement of a text. Never throws. */
  lineageOf(text: string, index: number, world: World): Lineage | { readonly unproven: string };
  /** The lineage of a view's query as the catalog has it; null where there is none. */
  lineageOfView(view: CatalogRelation, catalog: Catalog): Lineage | { readonly unproven: string } | null;
  /** The column of a table or view that the database names as a result column's origin. */
  origin(column: Column, catalog: Catalog): Origin;
  cellMask(strategy: Strategy, column: ColumnForm, catalog: Catalog): CellMask;
  detectorMask(detector: Detector, column: ColumnForm, catalog: Catalog): CellMask | undefined;
  /** A column of plain text, as words of the database's own are looked at. */
  readonly text: ColumnForm;
  /** A stored column as COPY TO brings it in format 0 (text, CSV) or 1 (binary). */
  copied(type: ColumnType, format: number): ColumnForm;

  /** Reads the catalog over a connection of the gateway's own, opened for it. Rejects with SP_UPSTREAM. */
  readCatalog(connection: Connection, previous: Catalog | undefined): Promise<Catalog>;
  /** The catalog of a database in which there is nothing. */
  emptyCatalog(): Catalog;
  /** Logs in to a connection's database and out again. */
  probe(connection: Connection): Promise<Probe>;
  /** Opens a session of the gateway's own that may write, as the connection's user, for `use`. Rejects with SP_UPSTREAM. */
  administer<T>(connection: Connection, use: (run: (sql: string) => Promise<Rows>) => Promise<T>): Promise<T>;
  /** What a session begins with that says nothing about it. */
  defaults(connection: Connection, catalog: Catalog): { readonly searchPath: readonly string[]; readonly mode: string };
}

/** What a mask goes by. */
export type ColumnForm = Pick<
  Column,
  'typeOid' | 'typeModifier' | 'format' | 'flags' | 'charset' | 'decimals' | 'origin'
>;

/** `unknown`: the catalog does not have it, though it should. `row`: the whole row of that relation. */
export type Origin =
  | BaseColumn
  | { readonly row: number }
  | 'unknown'
  /** Computed, or the database says nothing. */
  | null;
