// What a walk over one statement has gathered so far, and the scopes that names are looked up in.

import type {
  ColumnPlace,
  ColumnUse,
  CopyForm,
  FunctionUse,
  HandleUse,
  Need,
  RelationUse,
  SettingUse,
  Verb,
} from '../../types.ts';
import { type Fields, textOf } from './tree.ts';

export type Secretive = 'no' | 'password' | 'all-strings';

export interface Walk {
  readonly kinds: string[];
  readonly needs: Need[];
  readonly relations: RelationUse[];
  readonly functions: FunctionUse[];
  readonly settings: SettingUse[];
  readonly columns: ColumnUse[];
  /** Names behind a dot, which may call a function. */
  readonly fields: Set<string>;
  readonly handles: HandleUse[];
  copy: CopyForm | undefined;
  columnsHidden: boolean;
  opaque: string | null;
  valueBlind: boolean;
  /** The statement may hold secrets, which its tokens have to be searched for. */
  secretive: Secretive;
  /** Where literals begin that hold secrets by what they are given to; offsets as in the tree. */
  readonly secretLiterals: number[];
  /** Grows with every column reference, also with those that were seen before. */
  columnRefs: number;
  /** The INTO clause of a SELECT INTO, where it was looked at. */
  into: Fields | null;
  /** The use of pg_settings that shows in the text which settings it gets. */
  settingsByName: Fields | null;
  /** The schema that CREATE SCHEMA's own elements are made in. */
  schema: string | null;
  /** Entries above, so that each is kept once. */
  readonly seen: Set<string>;
}

export function startWalk(): Walk {
  return {
    kinds: [],
    needs: [],
    relations: [],
    functions: [],
    settings: [],
    columns: [],
    fields: new Set(),
    handles: [],
    copy: undefined,
    columnsHidden: false,
    opaque: null,
    valueBlind: false,
    secretive: 'no',
    secretLiterals: [],
    columnRefs: 0,
    into: null,
    settingsByName: null,
    schema: null,
    seen: new Set(),
  };
}

/** What a query can see: the names of the relations in its FROM, and of its CTEs; then what is around it. */
export interface Scope {
  readonly parent: Scope | null;
  /** Relations: a bare name may be a whole row of one. */
  readonly rows: Set<string>;
  /** Subqueries and CTEs: rows too, but of what has been looked at already. */
  readonly derived: Set<string>;
  /** Functions in FROM. */
  readonly values: Set<string>;
  readonly ctes: Set<string>;
}

export function openScope(parent: Scope | null): Scope {
  return { parent, rows: new Set(), derived: new Set(), values: new Set(), ctes: new Set() };
}

export function isCte(scope: Scope | null, name: string): boolean {
  for (let s = scope; s !== null; s = s.parent) if (s.ctes.has(name)) return true;
  return false;
}

/** Whether a bare name can be a whole row of a relation in sight. */
export function isRow(scope: Scope | null, name: string): boolean {
  for (let s = scope; s !== null; s = s.parent) if (s.rows.has(name)) return true;
  return false;
}

/** Whether a name before a dot is a row for certain; that of a function in FROM may be a value of any type. */
export function isRowOrDerived(scope: Scope | null, name: string): boolean {
  for (let s = scope; s !== null; s = s.parent) {
    if (s.values.has(name)) return false;
    if (s.rows.has(name) || s.derived.has(name)) return true;
  }
  return false;
}

export function addKind(walk: Walk, kind: string): void {
  if (!walk.kinds.includes(kind)) walk.kinds.push(kind);
}

export function addNeed(walk: Walk, need: Need): void {
  if (!walk.needs.includes(need)) walk.needs.push(need);
}

export function addRelation(walk: Walk, schema: string | null, name: string, verb: Verb): void {
  if (first(walk, `r\0${schema ?? ''}\0${name}\0${verb}\0${schema === null}`))
    walk.relations.push({ schema, name, verb });
}

/** Everything in every schema: where what a statement reaches cannot be told from its text (`DROP … CASCADE`). */
export function addEverything(walk: Walk, verb: Verb): void {
  addRelation(walk, '*', '*', verb);
}

/** A relation that a statement names as its object, never as a CTE. */
export function addTarget(walk: Walk, relation: Fields, verb: Verb): { schema: string | null; name: string } {
  const name = textOf(relation.relname) ?? '';
  const schema = textOf(relation.schemaname);
  addRelation(walk, schema, name, verb);
  return { schema, name };
}

/** A relation that a statement makes: a temporary one is in the session's own schema, one of CREATE SCHEMA in that one. */
export function addCreated(walk: Walk, relation: Fields): void {
  const schema = textOf(relation.schemaname) ?? (relation.relpersistence === 't' ? 'pg_temp' : walk.schema);
  addRelation(walk, schema, textOf(relation.relname) ?? '', 'ddl');
}

export function addFunction(walk: Walk, schema: string | null, name: string, need: Need): void {
  if (first(walk, `f\0${schema ?? ''}\0${name}\0${need}`)) walk.functions.push({ schema, name, need });
}

export function addSetting(walk: Walk, use: SettingUse): void {
  walk.settings.push(use);
}

export function addColumn(walk: Walk, qualifier: string | null, name: string, place: ColumnPlace): void {
  if (first(walk, `c\0${qualifier ?? ''}\0${name}\0${place}\0${qualifier === null}`))
    walk.columns.push({ qualifier, name, place });
}

function first(walk: Walk, key: string): boolean {
  if (walk.seen.has(key)) return false;
  walk.seen.add(key);
  return true;
}

/** Understands one kind of statement; `inner` understands a whole statement inside it. */
export type StatementHandler = (walk: Walk, fields: Fields, inner: (walk: Walk, value: unknown) => void) => void;
