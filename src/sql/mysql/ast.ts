// What the grammar makes of a statement of MySQL's or MariaDB's dialect: queries and changes of rows to the last expression,
// everything else by name. Written after the two servers' reference manuals ("SQL Statements", "Expressions").
//
// Names are as they were written, without their quotes; nothing is folded here. `start` and `end` are UTF-16 units of the text.

/** Where a node stands in the text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A table, view or stored routine by name; `schema` null where the current database decides. */
export interface Name extends Span {
  readonly schema: string | null;
  readonly name: string;
}

// --- Expressions -------------------------------------------------------------------------------------------------------

export type Expression =
  | Literal
  /** `?` of a prepared statement. */
  | ({ readonly kind: 'parameter' } & Span)
  | ColumnName
  /** `@name`. */
  | ({ readonly kind: 'user-variable'; readonly name: string } & Span)
  /** `@@name`, `@@global.name`; a structured one (`@@hot.key_buffer_size`) keeps its dot in the name. */
  | ({ readonly kind: 'system-variable'; readonly scope: string | null; readonly name: string } & Span)
  /** `@name := value`. */
  | ({ readonly kind: 'assignment'; readonly variable: string; readonly value: Expression } & Span)
  | Call
  /** Unary, binary and ternary operators, words in lower case: `+`, `and`, `not`, `between`, `like`, `is null`, `->>`, `member of` … */
  | ({ readonly kind: 'operator'; readonly name: string; readonly operands: readonly Expression[] } & Span)
  /** CAST, CONVERT(x, type), BINARY x. CONVERT(x USING charset) is a cast to that charset's name. `array`: CAST(… AS type ARRAY). */
  | ({ readonly kind: 'cast'; readonly operand: Expression; readonly type: string; readonly array: boolean } & Span)
  | ({ readonly kind: 'collate'; readonly operand: Expression; readonly collation: string } & Span)
  | ({
      readonly kind: 'case';
      readonly operand: Expression | null;
      readonly whens: readonly { readonly when: Expression; readonly then: Expression }[];
      readonly otherwise: Expression | null;
    } & Span)
  /** A query in parentheses as a value, a row or the right side of IN. */
  | ({ readonly kind: 'subquery'; readonly query: Query } & Span)
  | ({ readonly kind: 'exists'; readonly query: Query } & Span)
  /** `x > ALL (…)`, `x = ANY (…)`. */
  | ({
      readonly kind: 'quantified';
      readonly operator: string;
      readonly quantifier: 'all' | 'any';
      readonly operand: Expression;
      readonly query: Query;
    } & Span)
  /** `(a, b)`, `ROW(a, b)`, the list on the right side of IN. */
  | ({ readonly kind: 'row'; readonly items: readonly Expression[] } & Span)
  /** `INTERVAL 1 DAY`; the unit in lower case. */
  | ({ readonly kind: 'interval'; readonly value: Expression; readonly unit: string } & Span)
  /** MATCH (columns) AGAINST (text …). */
  | ({ readonly kind: 'match'; readonly columns: readonly ColumnName[]; readonly against: Expression } & Span)
  /** DEFAULT, DEFAULT(column); a column null is DEFAULT alone, which stands only as a value of INSERT, REPLACE or UPDATE. */
  | ({ readonly kind: 'default'; readonly column: ColumnName | null } & Span)
  /** VALUES(column), VALUE(column) in ON DUPLICATE KEY UPDATE: the value that would have been inserted. */
  | ({ readonly kind: 'inserted'; readonly column: ColumnName } & Span)
  /** NEXT VALUE FOR s, PREVIOUS VALUE FOR s, NEXTVAL(s) of MariaDB's sequences. */
  | ({ readonly kind: 'sequence'; readonly action: 'next' | 'previous' | 'set'; readonly sequence: Name } & Span);

export interface Literal extends Span {
  readonly kind: 'literal';
  /** `temporal`: DATE '…', TIME '…', TIMESTAMP '…', and MariaDB's and ODBC's forms. `bytes`: x'…', 0x…, b'…', 0b…. */
  readonly type: 'string' | 'number' | 'bytes' | 'boolean' | 'null' | 'temporal';
  /** The value of a string, escapes undone, neighbours joined; else the text as written. */
  readonly value: string;
  /** `_latin1'…'`: the introducer without its underscore, in lower case. */
  readonly charset: string | null;
}

export interface ColumnName extends Span {
  readonly kind: 'column';
  readonly schema: string | null;
  readonly table: string | null;
  readonly name: string;
}

export interface Call extends Span {
  readonly kind: 'call';
  /** `db.f(…)`. */
  readonly schema: string | null;
  /** In lower case: names of functions are not case-sensitive. Special forms by their keyword: `extract`, `trim`, `position` … */
  readonly name: string;
  /** `COUNT(*)` has none and `star`. Keywords inside special forms (EXTRACT(unit …), TRIM(LEADING …)) are left out. */
  readonly args: readonly Expression[];
  readonly star: boolean;
  readonly distinct: boolean;
  /** GROUP_CONCAT and JSON_ARRAYAGG of MariaDB. */
  readonly orderBy: readonly OrderItem[];
  readonly limit: Limit | null;
  readonly over: Window | string | null;
  /** A name in quotes, or behind a dot, is never one of the built-in special forms. */
  readonly quoted: boolean;
}

export interface OrderItem {
  readonly value: Expression;
  readonly descending: boolean;
}

export interface Window {
  /** The named window that it is built on. */
  readonly base: string | null;
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly OrderItem[];
  /** Expressions of the frame (ROWS BETWEEN n PRECEDING …). */
  readonly frame: readonly Expression[];
}

// --- Queries -----------------------------------------------------------------------------------------------------------

export type Query = Select | SetOperation | Values | TableQuery;

/** What may stand around any query, a parenthesised one too. */
interface QueryParts extends Span {
  readonly with: With | null;
  readonly orderBy: readonly OrderItem[];
  readonly limit: Limit | null;
  /** FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE. */
  readonly locks: boolean;
  readonly into: Into | null;
}

export interface Select extends QueryParts {
  readonly kind: 'select';
  readonly distinct: boolean;
  readonly items: readonly SelectItem[];
  /** Tables joined by commas; empty without FROM, and for FROM DUAL. */
  readonly from: readonly TableReference[];
  readonly where: Expression | null;
  readonly groupBy: readonly OrderItem[];
  readonly rollup: boolean;
  readonly having: Expression | null;
  readonly windows: readonly { readonly name: string; readonly window: Window }[];
  /** PROCEDURE ANALYSE and its kin: its name, or null. */
  readonly procedure: string | null;
}

export interface SetOperation extends QueryParts {
  readonly kind: 'set-operation';
  readonly operator: 'union' | 'intersect' | 'except';
  readonly all: boolean;
  readonly left: Query;
  readonly right: Query;
}

/** VALUES ROW(1, 2), ROW(3, 4); of MariaDB VALUES (1, 2), (3, 4). */
export interface Values extends QueryParts {
  readonly kind: 'values';
  readonly rows: readonly (readonly Expression[])[];
}

/** TABLE t. */
export interface TableQuery extends QueryParts {
  readonly kind: 'table';
  readonly table: Name;
}

export type SelectItem =
  /** `*`, `t.*`, `db.t.*`. */
  | ({ readonly kind: 'star'; readonly schema: string | null; readonly table: string | null } & Span)
  | ({ readonly kind: 'item'; readonly value: Expression; readonly alias: string | null } & Span);

export interface With {
  readonly recursive: boolean;
  readonly tables: readonly {
    readonly name: string;
    readonly columns: readonly string[] | null;
    readonly query: Query;
  }[];
}

export interface Limit {
  readonly count: Expression | null;
  readonly offset: Expression | null;
}

export type Into =
  | ({ readonly kind: 'outfile' | 'dumpfile'; readonly file: string } & Span)
  /** User variables with their `@`, others are local variables of a stored routine. */
  | ({ readonly kind: 'variables'; readonly names: readonly string[] } & Span);

export type TableReference =
  | TableFactor
  | ({
      readonly kind: 'join';
      /** `cross` is JOIN without a condition, too; STRAIGHT_JOIN is `inner`. */
      readonly type: 'inner' | 'cross' | 'left' | 'right';
      readonly natural: boolean;
      readonly left: TableReference;
      readonly right: TableReference;
      readonly on: Expression | null;
      readonly using: readonly string[] | null;
    } & Span)
  /** Several in parentheses, joined by commas; ODBC's `{ OJ … }` too. */
  | ({ readonly kind: 'group'; readonly tables: readonly TableReference[] } & Span);

export type TableFactor =
  | ({
      readonly kind: 'table-name';
      readonly table: Name;
      readonly alias: string | null;
      /** PARTITION (…), FOR SYSTEM_TIME …: expressions that may hold values. Index hints are left out. */
      readonly partitions: readonly string[];
      readonly systemTime: readonly Expression[];
    } & Span)
  | ({
      readonly kind: 'derived';
      readonly lateral: boolean;
      readonly query: Query;
      readonly alias: string | null;
      readonly columns: readonly string[] | null;
    } & Span)
  /** JSON_TABLE(document, path COLUMNS …): names of its columns at all depths, in order. */
  | ({
      readonly kind: 'json-table';
      readonly document: Expression;
      readonly path: Expression;
      readonly columns: readonly string[];
      readonly alias: string;
    } & Span);

// --- Changes of rows ---------------------------------------------------------------------------------------------------

export interface Insert extends Span {
  readonly kind: 'insert';
  readonly replace: boolean;
  readonly ignore: boolean;
  /** MariaDB takes none before INSERT; MySQL takes one in front of its query only. */
  readonly table: Name;
  readonly partitions: readonly string[];
  /** Null where no columns are named. SET a = 1 is columns and one row. */
  readonly columns: readonly ColumnName[] | null;
  /** `VALUES ()` is one row without values. */
  readonly source: { readonly kind: 'rows'; readonly rows: readonly (readonly Expression[])[] } | Query;
  /** `AS new (a, b)` behind the rows: names by which ON DUPLICATE KEY UPDATE reaches the new row. */
  readonly rowAlias: { readonly name: string; readonly columns: readonly string[] | null } | null;
  readonly onDuplicate: readonly Assignment[];
  readonly returning: readonly SelectItem[] | null;
}

export interface Assignment extends Span {
  readonly column: ColumnName;
  readonly value: Expression;
}

export interface Update extends Span {
  readonly kind: 'update';
  readonly with: With | null;
  readonly ignore: boolean;
  readonly tables: readonly TableReference[];
  /** The two ends of FOR PORTION OF, or none. */
  readonly portion: readonly Expression[];
  readonly set: readonly Assignment[];
  readonly where: Expression | null;
  readonly orderBy: readonly OrderItem[];
  readonly limit: Limit | null;
  readonly returning: readonly SelectItem[] | null;
}

export interface Delete extends Span {
  readonly kind: 'delete';
  readonly with: With | null;
  readonly ignore: boolean;
  /** Of the multi-table forms: the tables or aliases whose rows go; of the plain form the one table. */
  readonly targets: readonly Name[];
  readonly from: readonly TableReference[];
  readonly multiple: boolean;
  readonly portion: readonly Expression[];
  readonly where: Expression | null;
  readonly orderBy: readonly OrderItem[];
  readonly limit: Limit | null;
  readonly returning: readonly SelectItem[] | null;
}

// --- Statements --------------------------------------------------------------------------------------------------------

export type Statement =
  | Query
  | Insert
  | Update
  | Delete
  /** EXPLAIN, DESCRIBE, ANALYZE (MariaDB) of a statement; `analyze` where the statement runs. */
  | ({ readonly kind: 'explain'; readonly analyze: boolean; readonly statement: Statement } & Span)
  /**
   * CREATE [OR REPLACE] [TEMPORARY] TABLE … [AS] query. `like`: CREATE TABLE … LIKE other. `definition` holds the tokens of the
   * columns and options, which may hold expressions.
   */
  | ({
      readonly kind: 'create-table';
      readonly temporary: boolean;
      readonly replace: boolean;
      readonly table: Name;
      readonly like: Name | null;
      readonly definition: Span | null;
      readonly query: Query | null;
    } & Span)
  | ({
      readonly kind: 'create-view';
      readonly replace: boolean;
      readonly view: Name;
      readonly columns: readonly string[] | null;
      readonly query: Query;
    } & Span)
  /** DO expressions. */
  | ({ readonly kind: 'do'; readonly values: readonly Expression[] } & Span)
  /** SET …: one entry a variable; NAMES and CHARACTER SET by those names with a string as value. */
  | ({ readonly kind: 'set'; readonly settings: readonly SetItem[] } & Span)
  | ({ readonly kind: 'call'; readonly routine: Name; readonly args: readonly Expression[] } & Span)
  /** Anything else: its tokens are for whoever knows the statement. Nothing of it is understood yet. */
  | ({ readonly kind: 'other' } & Span);

export interface SetItem extends Span {
  /** `user` for `@name`; `session` also for what is written without a scope; `default` is what a routine's own variable would be. */
  readonly scope: 'user' | 'session' | 'global' | 'persist' | 'persist_only';
  readonly name: string;
  /** Null is DEFAULT. A bare word (`SET sql_mode = ANSI`) is a string. */
  readonly value: Expression | null;
}
