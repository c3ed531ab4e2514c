// Random statements over the schema of lineage-world.ts: queries nested in one another whose names hide each other, and changes
// that put their values elsewhere. Most of them run.

import type { MysqlFlavour } from '../../servers/mysql.ts';

export interface Generated {
  readonly sql: string;
  /** The table that it changes, or null. */
  readonly target: string | null;
}

type Random = (below: number) => number;

/** Numerical Recipes' linear congruential generator. */
function seeded(seed: number): Random {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const STORED: Readonly<Record<string, readonly string[]>> = {
  people: ['id', 'name', 'email', 'salary', 'low'],
  orders: ['id', 'person', 'note', 'code'],
  items: ['id', 'name', 'label'],
  contacts: ['id', 'address', 'loud'],
  mixed: ['what'],
  made: ['email', 'seven'],
};
const ALIASES = ['a', 'p', 'o', 'people', 'orders', 'x'];
const COLUMNS = ['id', 'name', 'email', 'note', 'v', 'w'];

interface Table {
  readonly alias: string;
  readonly columns: readonly string[];
}

type Sight = readonly (readonly Table[])[];

class Generator {
  readonly #pick: Random;
  readonly #mysql: boolean;
  /** CTEs in sight that may be used: those of the nearest WITH. */
  #ctes: Table[] = [];
  /** Names of all CTEs around. */
  #hidden: string[] = [];

  constructor(seed: number, flavour: MysqlFlavour) {
    this.#pick = seeded(seed);
    this.#mysql = flavour === 'mysql';
  }

  one<T>(list: readonly T[]): T {
    return list[this.#pick(list.length)] as T;
  }

  chance(percent: number): boolean {
    return this.#pick(100) < percent;
  }

  statement(): Generated {
    const kind = this.#pick(100);
    if (kind < 78) return { sql: this.query(3, 1 + this.#pick(3), []).sql, target: null };
    const key = 'row_number() OVER ()';
    const [a, b] = [this.query(2, 1, []), this.query(1, 1, [])];
    const put = this.chance(50) ? 'INSERT' : 'REPLACE';
    if (kind < 84) {
      const source = `SELECT ${key}, d.${a.names[0]}, 'k' FROM (${a.sql}) d`;
      return { sql: `${put} INTO targets (id, a, b) ${source}`, target: 'targets' };
    }
    if (kind < 90) {
      const [column = ''] = a.names;
      const update = this.one([`VALUES(a)`, `concat(targets.b, 'k')`, `d.${column}`, `(${b.sql} LIMIT 1)`]);
      const source = `SELECT t.id, d.${column} FROM targets t, (${a.sql}) d`;
      return { sql: `INSERT INTO targets (id, a) ${source} ON DUPLICATE KEY UPDATE b = ${update}`, target: 'targets' };
    }
    if (kind < 96) {
      const [column = ''] = a.names;
      const more = this.chance(50) ? `, ${this.one(['a = b', 'a = concat(b, a)', 'b = a'])}` : '';
      return {
        sql: `UPDATE targets t, (${a.sql}) d SET t.b = d.${column}${more.replace(/\b[ab]\b/g, 't.$&')}`,
        target: 'targets',
      };
    }
    return {
      sql: `UPDATE targets SET b = (${b.sql} LIMIT 1), a = ${this.one(['b', "concat('k', a)", 'id'])}`,
      target: 'targets',
    };
  }

  /** A query of `width` columns. Names are those of its result. */
  query(depth: number, width: number, outer: Sight): { sql: string; names: readonly string[] } {
    if (depth > 0 && this.chance(12)) {
      const [left, right] = [this.query(depth - 1, width, outer), this.query(depth - 1, width, outer)];
      const operator = this.one(['UNION', 'UNION ALL', 'UNION ALL', 'EXCEPT', 'INTERSECT']);
      return { sql: `(${left.sql}) ${operator} (${right.sql})`, names: left.names };
    }
    const [before, hidden] = [this.#ctes, this.#hidden];
    const withs = depth > 1 && this.chance(25) ? this.#with(depth) : '';
    const { sql, names } = this.#select(depth, width, outer);
    this.#ctes = before;
    this.#hidden = hidden;
    return { sql: withs + sql, names };
  }

  #with(depth: number): string {
    const name = this.one(['c', 'd', 'orders', 'p'].filter((one) => !this.#hidden.includes(one)));
    this.#ctes = [];
    if (this.chance(25)) {
      this.#hidden = [name, ...this.#hidden];
      const { sql, names } = this.query(depth - 1, 2, []);
      const [first = '', second = ''] = names;
      this.#ctes = [{ alias: name, columns: ['n', 'v', 'w'] }];
      const start = `SELECT 1, cast(s.${first} AS char(200)), cast(s.${second} AS char(200)) FROM (${sql}) s`;
      return `WITH RECURSIVE ${name}(n, v, w) AS (${start} UNION ALL SELECT n + 1, w, ${this.one(['v', "'k'", 'w'])} FROM ${name} WHERE n < 3) `;
    }
    const { sql, names } = this.query(depth - 1, 2, []);
    const listed = this.chance(40) ? ['v', 'email'] : null;
    this.#ctes = [{ alias: name, columns: listed ?? names }];
    this.#hidden = [name, ...this.#hidden];
    return `WITH ${name}${listed === null ? '' : `(${listed.join(', ')})`} AS (${sql}) `;
  }

  #select(depth: number, width: number, outer: Sight): { sql: string; names: readonly string[] } {
    const { sql: from, tables } = this.#from(depth, outer);
    const sight: Sight = [tables, ...outer];
    const names: string[] = [];
    const items: string[] = [];
    const grouped = this.chance(15);
    for (let i = 0; i < width; i++) {
      const value = this.#value(depth, sight, grouped || this.chance(8));
      const free = COLUMNS.filter((name) => !names.includes(name));
      const name = this.one(free);
      names.push(name);
      items.push(`${value} AS ${name}`);
    }
    let sql = `SELECT ${this.chance(6) ? 'DISTINCT ' : ''}${items.join(', ')} FROM ${from}`;
    if (this.chance(20)) sql += ` WHERE ${this.#condition(depth, sight)}`;
    if (grouped) sql += ` GROUP BY ${this.chance(50) ? this.#column(sight) : '1 = 1'}`;
    if (this.chance(6)) sql += ` HAVING ${this.one(names)} IS NOT NULL`;
    if (this.chance(20)) sql += ` ORDER BY ${this.one([...names, '1', this.#column(sight)])}`;
    return { sql, names };
  }

  #from(depth: number, outer: Sight): { sql: string; tables: readonly Table[] } {
    const tables: Table[] = [];
    let sql = '';
    const count = 1 + (this.chance(35) ? 1 : 0) + (this.chance(10) ? 1 : 0);
    for (let i = 0; i < count; i++) {
      const free = ALIASES.filter((alias) => !tables.some((table) => table.alias === alias));
      const { text, table } = this.#table(depth, this.one(free), [tables, ...outer], i > 0);
      if (i === 0) sql = text;
      else {
        const both = tables.length === 1 && tables[0]?.columns.filter((name) => table.columns.includes(name));
        const [shared] = both || [];
        const join = this.one(['LEFT JOIN', 'RIGHT JOIN', 'JOIN']);
        const lateral = text.startsWith('LATERAL') && join === 'RIGHT JOIN';
        if (shared !== undefined && this.chance(40) && !lateral) {
          sql += this.chance(30) ? ` NATURAL ${join} ${text}` : ` ${join} ${text} USING (${shared})`;
        } else if (this.chance(40) && !lateral) sql += ` ${join} ${text} ON ${this.one(['1 = 1', '1 = 0', '2 > 1'])}`;
        else sql += this.chance(50) ? `, ${text}` : ` CROSS JOIN ${text}`;
      }
      tables.push(table);
    }
    return { sql, tables };
  }

  #table(depth: number, alias: string, outer: Sight, mayLook: boolean): { text: string; table: Table } {
    const kind = this.#pick(100);
    const [cte] = this.#ctes;
    if (cte !== undefined && kind < 40) {
      const one = this.one(this.#ctes);
      return { text: `${one.alias} AS ${alias}`, table: { alias, columns: one.columns } };
    }
    if (depth > 0 && kind < 60) {
      const lateral = this.#mysql && mayLook && this.chance(50);
      const { sql, names } = this.query(
        depth - 1,
        2,
        lateral ? outer : this.#mysql && this.chance(30) ? outer.slice(1) : [],
      );
      return { text: `${lateral ? 'LATERAL ' : ''}(${sql}) AS ${alias}`, table: { alias, columns: names } };
    }
    const stored = this.one(Object.keys(STORED).filter((name) => !this.#hidden.includes(name)));
    const columns = STORED[stored] ?? [];
    if (!STORED[alias] && this.chance(20)) return { text: `shop.${stored} ${alias}`, table: { alias, columns } };
    return { text: `${stored} AS ${alias}`, table: { alias, columns } };
  }

  /** A column that is in sight, near or far, with and without its table. */
  #column(sight: Sight): string {
    const level = sight.find((tables) => tables.length > 0 && this.chance(80)) ?? sight[0] ?? [];
    const table = level.length === 0 ? undefined : this.one(level);
    if (table === undefined) return "'k'";
    const column = this.one(table.columns);
    const written = this.chance(15) ? column.toUpperCase() : column;
    const alone = level.filter(({ columns }) => columns.includes(column)).length === 1;
    return this.chance(alone ? 55 : 5) ? written : `${table.alias}.${written}`;
  }

  #value(depth: number, sight: Sight, aggregate: boolean): string {
    const column = () => this.#column(sight);
    if (aggregate) {
      const inner = this.#scalar(0, sight);
      return this.one([
        `max(${inner})`,
        `group_concat(${inner} ORDER BY ${column()} SEPARATOR '')`,
        `count(${inner})`,
        'count(*)',
        `min(DISTINCT ${inner})`,
        `json_arrayagg(${inner})`,
      ]);
    }
    if (this.chance(6)) {
      const call = this.one([`max(${column()})`, `lag(${column()})`, `first_value(${column()})`]);
      return `${call} OVER (${this.chance(50) ? `PARTITION BY ${column()} ` : ''}ORDER BY ${column()})`;
    }
    return this.#scalar(depth, sight);
  }

  #scalar(depth: number, sight: Sight): string {
    const kind = this.#pick(100);
    const column = () => this.#column(sight);
    const inner = () => (this.chance(70) ? column() : this.#scalar(Math.max(0, depth - 1), sight));
    if (kind < 45) return column();
    if (kind < 50) return this.one(["'k'", '7', 'NULL', 'TRUE', '@nothing']);
    if (kind < 78) {
      return this.one([
        () => `concat(${inner()}, 'k', ${inner()})`,
        () => `upper(${inner()})`,
        () => `reverse(${inner()})`,
        () => `hex(${inner()})`,
        () => `coalesce(${inner()}, ${inner()})`,
        () => `if(${inner()} IS NULL, ${inner()}, ${inner()})`,
        () => `CASE WHEN ${inner()} = 'k' THEN 1 ELSE ${inner()} END`,
        () => `cast(${inner()} AS char(300))`,
        () => `json_object('k', ${inner()})`,
        () => `replace(${inner()}, 'k', ${inner()})`,
        () => `${inner()} IN (SELECT id FROM people)`,
        () => `date_format('2020-01-01', ${inner()})`,
      ])();
    }
    if (depth === 0) return column();
    if (kind < 94) return `(${this.query(depth - 1, 1, sight).sql} LIMIT 1)`;
    return `EXISTS (${this.query(depth - 1, 1, sight).sql})`;
  }

  #condition(depth: number, sight: Sight): string {
    const column = () => this.#column(sight);
    return this.one([
      () => `${column()} IS NOT NULL`,
      () => `${column()} <> 'k'`,
      () => `${column()} <=> ${column()}`,
      () => (depth === 0 ? '1 = 1' : `${column()} NOT IN (${this.query(depth - 1, 1, sight).sql})`),
    ])();
  }
}

export function generate(seed: number, flavour: MysqlFlavour): Generated {
  return new Generator(seed, flavour).statement();
}
