// What a walk over one statement has gathered so far.
import type {
  ColumnPlace,
  ColumnUse,
  FunctionUse,
  HandleUse,
  Need,
  RelationUse,
  SettingUse,
  Verb,
} from '../../types.ts';
import type { Name } from './ast.ts';
import { NotParsed } from './grammar/cursor.ts';
import type { LexMode } from './lexer.ts';
import { isCertain, sameTable } from './names.ts';

export class Walk {
  readonly mode: LexMode;
  readonly kinds: string[] = [];
  readonly needs: Need[] = [];
  readonly relations: RelationUse[] = [];
  readonly functions: FunctionUse[] = [];
  readonly settings: SettingUse[] = [];
  readonly columns: ColumnUse[] = [];
  readonly handles: HandleUse[] = [];
  opaque: string | null = null;
  valueBlind = true;
  /** The statement has to do with logins: its strings may be passwords. */
  logins = false;
  /** A text that it prepares holds secrets: so do its own strings. */
  textIsSecret = false;
  /** Column references so far, those that were seen before too. */
  columnRefs = 0;
  readonly #seen = new Set<string>();

  constructor(mode: LexMode) {
    this.mode = mode;
  }

  kind(...kinds: readonly string[]): void {
    for (const kind of kinds) if (!this.kinds.includes(kind)) this.kinds.push(kind);
  }

  need(need: Need): void {
    if (!this.needs.includes(need)) this.needs.push(need);
  }

  /** A table or view by name, never a CTE. */
  relation({ schema, name }: Pick<Name, 'schema' | 'name'>, verb: Verb): void {
    if (this.#first(`r\0${schema ?? '\0'}\0${name}\0${verb}`)) this.relations.push({ schema, name, verb });
  }

  call(schema: string | null, name: string, need: Need): void {
    if (this.#first(`f\0${schema ?? '\0'}\0${name}\0${need}`)) this.functions.push({ schema, name, need });
  }

  /** Names of columns mind no case; one that the server may read otherwise can be any. */
  column(qualifier: string | null, written: string, place: ColumnPlace): void {
    const name = isCertain(written) ? written.toLowerCase() : '*';
    if (this.#first(`c\0${qualifier ?? '\0'}\0${name}\0${place}`)) this.columns.push({ qualifier, name, place });
  }

  /** Its body cannot be seen into. */
  hidden(what: string): void {
    this.opaque ??= what;
    this.need('admin');
  }

  #first(key: string): boolean {
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}

/** The CTEs that a query sees, by name as written: those around it too. */
export interface Scope {
  readonly parent: Scope | null;
  readonly ctes: Set<string>;
  /** Those of WITH RECURSIVE whose turn has not come: one server knows them already, the other does not. */
  readonly later: Set<string>;
  /** It is the query of a CTE. */
  readonly body: boolean;
}

export function openScope(parent: Scope | null, body = false): Scope {
  return { parent, ctes: new Set(), later: new Set(), body };
}

/** Whether a name without a schema is a CTE's. Throws NotParsed where the servers may see that differently. */
export function isCte(scope: Scope | null, name: string): boolean {
  let [nested, body] = [false, false];
  for (let s = scope; s !== null; s = s.parent) {
    if (s.ctes.has(name)) {
      // One server or the other reads the table of that name in some such places.
      if (nested) throw new NotParsed(`${name} is that of an outer WITH inside another WITH: define it there again`, 0);
      return true;
    }
    for (const later of s.later) {
      if (sameTable(later, name, false) !== false) {
        throw new NotParsed(`${name} stands before its own query in WITH RECURSIVE: put that first`, 0);
      }
    }
    for (const cte of s.ctes) {
      if (sameTable(cte, name, false) === null) {
        throw new NotParsed(`it is not certain whether ${name} is the ${cte} of WITH: write both alike`, 0);
      }
    }
    nested ||= body || s.ctes.size > 0;
    body = s.body;
  }
  return false;
}
