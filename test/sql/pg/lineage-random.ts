// Runs generated statements on a server that holds the schema of lineage-world.ts, and holds what comes back against their
// lineage: a value may only show up where its column is said to flow.

import type { Client } from 'pg';
import { lineageOf } from '../../../src/sql/pg/lineage.ts';
import type { Catalog, Lineage } from '../../../src/types.ts';
import { generate } from './generator.ts';
import { brief, columnsOf, contradiction, MARKERS, nameOf, PATH } from './lineage-world.ts';

export interface Tally {
  /** Statements that the server ran. */
  ran: number;
  /** Those among them of which nothing, or not each output, was known. */
  unproven: number;
  /** Outputs that are direct, derived and independent. */
  readonly kinds: { direct: number; derived: number; independent: number };
  /** Cells in which a value of some column was found. */
  found: number;
  /** One sentence a contradiction. */
  readonly wrong: string[];
  readonly refused: string[];
}

interface Sign {
  readonly column: string;
  readonly forms: readonly string[];
}

const hex = (text: string) => Buffer.from(text).toString('hex');
const reversed = (text: string) => [...text].reverse().join('');

/** Every way in which the generator's functions can write a value, in lower case. */
const SIGNS: readonly Sign[] = MARKERS.flatMap(({ column, code, from }) => {
  const words = code === null ? [0, 1, 2, 3].map((row) => String(from + row)) : [code];
  const forms = words
    .flatMap((word) => [word, reversed(word)])
    .flatMap((word) => [word, hex(word), hex(word.toUpperCase())]);
  return [{ column, forms: [...forms, ...forms.map(reversed), ...forms.map(hex)] }];
});

function columnsIn(cell: string): string[] {
  const text = cell.toLowerCase();
  return SIGNS.filter(({ forms }) => forms.some((form) => text.includes(form))).map(({ column }) => column);
}

/** A partition's columns hold its parent's values. */
function home(column: string): string {
  return column.replace(/^shop\.events_\d/, 'shop.events');
}

function allowed(catalog: Catalog, dependence: Parameters<typeof columnsOf>[1]): Set<string> {
  return new Set([...columnsOf(catalog, dependence)].map(home));
}

/** All values of each column of the schema, as text. */
async function baseValues(client: Client, catalog: Catalog): Promise<Map<string, ReadonlySet<string | null>>> {
  const values = new Map<string, ReadonlySet<string | null>>();
  for (const relation of catalog.relations()) {
    if (!['m', 'p', 'r', 'v'].includes(relation.kind)) continue;
    for (const column of relation.columns.values()) {
      const name = `${relation.schema}.${relation.name}`;
      const { rows } = await client.query<{ v: string | null }>(`SELECT ${column}::text AS v FROM ${name}`);
      values.set(`${name}.${column}`, new Set(rows.map(({ v }) => v)));
    }
  }
  return values;
}

/** Runs `count` statements from a seed on; what they change is undone. */
export async function runGenerated(client: Client, catalog: Catalog, seed: number, count: number): Promise<Tally> {
  const tally: Tally = {
    ran: 0,
    unproven: 0,
    kinds: { direct: 0, derived: 0, independent: 0 },
    found: 0,
    wrong: [],
    refused: [],
  };
  const values = await baseValues(client, catalog);
  await client.query("SET statement_timeout = '2s'");
  for (let at = seed; at < seed + count; at++) {
    const { sql, target } = generate(at);
    await client.query('BEGIN');
    try {
      const result = await client
        .query<(string | null)[]>({ text: sql, rowMode: 'array', types: { getTypeParser: () => String } })
        .catch((error: unknown) => String(error));
      if (typeof result === 'string') {
        tally.refused.push(`seed ${at}: ${result}`);
        continue;
      }
      tally.ran++;
      const wrong = (text: string) => tally.wrong.push(`seed ${at}: ${text}\n    ${sql}`);
      const lineage = lineageOf(sql, 0, { catalog, searchPath: PATH });
      if ('unproven' in lineage) {
        tally.unproven++;
        tally.refused.push(`seed ${at}: unproven, ${lineage.unproven}`);
        continue;
      }
      compare(catalog, lineage, result, values, target !== null || sql.includes('RETURNING'), tally, wrong);
      if (target !== null) await compareStored(client, catalog, lineage, target, wrong);
    } finally {
      await client.query('ROLLBACK');
    }
  }
  return tally;
}

interface Result {
  readonly fields: readonly { readonly name: string; readonly tableID: number; readonly columnID: number }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

function compare(
  catalog: Catalog,
  lineage: Lineage,
  result: Result,
  values: ReadonlyMap<string, ReadonlySet<string | null>>,
  changed: boolean,
  tally: Tally,
  wrong: (text: string) => void,
): void {
  const outputs = lineage.outputs ?? [];
  const [named, described] = [
    outputs.map((output) => output.name).join(),
    result.fields.map((field) => field.name).join(),
  ];
  if (named !== described) return wrong(`outputs ${named} are ${described}`);
  for (const [i, { name, dependence }] of outputs.entries()) {
    const field = result.fields[i];
    const against = field === undefined ? 'no such column' : contradiction(catalog, dependence, field);
    if (against !== null) wrong(`${name}: ${against}`);
    if (dependence.kind === 'unproven') {
      tally.unproven++;
      continue;
    }
    tally.kinds[dependence.kind]++;
    const may = allowed(catalog, dependence);
    const base = dependence.kind === 'direct' && !changed ? values.get(nameOf(catalog, dependence.column)) : undefined;
    for (const row of result.rows) {
      const cell = row[i] ?? null;
      if (cell === null) continue;
      const found = columnsIn(cell);
      if (found.length > 0) tally.found++;
      const beyond = found.filter((column) => !may.has(column));
      if (beyond.length > 0)
        return wrong(`${name} shows ${beyond.join(', ')} but is said to hold ${[...may].join(', ') || 'nothing'}`);
      if (base !== undefined && !base.has(cell))
        return wrong(`${name} is said to be a column whose value ${cell} is not`);
    }
  }
}

/** What stands in the changed relation now came from where it is said to come from. */
async function compareStored(
  client: Client,
  catalog: Catalog,
  lineage: Lineage,
  target: string,
  wrong: (text: string) => void,
): Promise<void> {
  const [schema, name] = target.includes('.') ? target.split('.') : ['public', target];
  const relation = catalog.find(schema ?? null, name ?? '', PATH);
  if (relation === undefined) return wrong(`${target} is not known`);
  const result = await client.query<(string | null)[]>({
    text: `TABLE ${target}`,
    rowMode: 'array',
    types: { getTypeParser: () => String },
  });
  for (const [i, [attribute, column]] of [...relation.columns].entries()) {
    const sources = [attribute, ...(relation.generatedFrom.get(attribute) ?? [])];
    const may = new Set(sources.map((source) => nameOf(catalog, { oid: relation.oid, attribute: source })));
    for (const written of lineage.writes) {
      if (written.column?.oid !== relation.oid || !sources.includes(written.column.attribute)) continue;
      for (const from of allowed(catalog, written.from)) may.add(from);
    }
    for (const row of result.rows) {
      const beyond = columnsIn(row[i] ?? '').filter((found) => !may.has(found));
      if (beyond.length > 0)
        return wrong(`${target}.${column} holds ${beyond.join(', ')} but is said to get ${[...may].join(', ')}`);
    }
  }
}

/**
 * Makes views of generated queries, and answers one sentence for each of them that is not said to hold what its query does.
 * Adds views to the database; `made` is how many.
 */
export async function viewsOfGenerated(
  client: Client,
  read: (client: Client) => Promise<Catalog>,
  seed: number,
  count: number,
): Promise<{ made: number; wrong: string[] }> {
  const before = await read(client);
  const flows = (catalog: Catalog, sql: string, own: string): string => {
    const lineage = lineageOf(sql, 0, { catalog, searchPath: PATH });
    if ('unproven' in lineage) return lineage.unproven;
    // A view's column with nothing below it is a column of its own.
    const words = (lineage.outputs ?? []).map(({ dependence }) => brief(catalog, dependence));
    return words.map((word) => (word.startsWith(`=${own}.`) ? '-' : word)).join(' ');
  };
  const made: { name: string; sql: string }[] = [];
  for (let at = seed; at < seed + count; at++) {
    const { sql, target } = generate(at);
    const lineage = lineageOf(sql, 0, { catalog: before, searchPath: PATH });
    if (target !== null || 'unproven' in lineage) continue;
    const name = `made_${at}`;
    const columns = (lineage.outputs ?? []).map((_, i) => `o${i}`).join(', ');
    // The server refuses some: columns without a type, changes inside.
    const refused = await client.query(`CREATE VIEW ${name}(${columns}) AS ${sql}`).then(
      () => false,
      () => true,
    );
    if (!refused) made.push({ name, sql });
  }
  const catalog = await read(client);
  const wrong = made.flatMap(({ name, sql }) => {
    const [query, view] = [flows(catalog, sql, name), flows(catalog, `TABLE ${name}`, name)];
    return query === view ? [] : [`${name}: ${view} instead of ${query}\n    ${sql}`];
  });
  return { made: made.length, wrong };
}
