// Runs generated statements on a server that holds the schema of lineage-world.ts, and holds what comes back against their
// lineage: a value may only show up where its column is said to flow.

import type { Lineage } from '../../../src/types.ts';
import type { MysqlFlavour } from '../../servers/mysql.ts';
import { follow } from './lineage-expect.ts';
import { generate } from './lineage-generator.ts';
import { columnsOf, MARKERS, type Result, run, type World } from './lineage-world.ts';

export interface Tally {
  /** Statements that the server ran. */
  ran: number;
  /** Those among them that are not followed. */
  unproven: number;
  /** Outputs that are direct, derived and independent. */
  readonly kinds: { direct: number; derived: number; independent: number };
  /** Cells in which a value of some column was found. */
  found: number;
  /** Columns that an output is said to hold something of, and those of them that were found in it. */
  readonly said: { all: number; found: number };
  /** One sentence a contradiction. */
  readonly wrong: string[];
  /** What the server refused, and what is not followed. */
  readonly refused: string[];
}

const hex = (text: string) => Buffer.from(text).toString('hex');
const reversed = (text: string) => [...text].reverse().join('');

/** Every way in which the generator's functions can write a value, in lower case. */
const SIGNS = MARKERS.map(({ column, code, from }) => {
  const words = code === null ? [0, 1, 2].map((row) => String(from + row)) : [code];
  const once = words.flatMap((word) => [word, hex(word), hex(word.toUpperCase())]);
  const twice = once.flatMap((word) => [word, hex(word), hex(word.toUpperCase())]);
  return {
    column,
    forms: [...new Set([...twice, ...twice.map(reversed), ...words.map((word) => hex(reversed(word)))])],
  };
});

function columnsIn(cell: string): string[] {
  const text = cell.toLowerCase();
  return SIGNS.filter(({ forms }) => forms.some((form) => text.includes(form))).map(({ column }) => column);
}

/** Runs `count` statements from a seed on; what they change is undone. */
export async function runGenerated(world: World, flavour: MysqlFlavour, seed: number, count: number): Promise<Tally> {
  const { client } = world;
  const tally: Tally = {
    ran: 0,
    unproven: 0,
    kinds: { direct: 0, derived: 0, independent: 0 },
    found: 0,
    said: { all: 0, found: 0 },
    wrong: [],
    refused: [],
  };
  await client.query(
    flavour === 'mysql' ? 'SET SESSION max_execution_time = 2000' : 'SET SESSION max_statement_time = 2',
  );
  for (let at = seed; at < seed + count; at++) {
    const { sql, target } = generate(at, flavour);
    await client.query('START TRANSACTION');
    try {
      const result = await run(client, sql).catch((error: unknown) => String(error));
      if (typeof result === 'string') {
        tally.refused.push(`seed ${at}: ${result}`);
        continue;
      }
      tally.ran++;
      const lineage = follow(world, sql);
      if ('unproven' in lineage) {
        tally.unproven++;
        tally.refused.push(`seed ${at}: not followed, ${lineage.unproven}\n    ${sql}`);
        continue;
      }
      const wrong = (text: string) => tally.wrong.push(`seed ${at}: ${text}\n    ${sql}`);
      compare(world, lineage, result, tally, wrong);
      if (target !== null) await compareStored(world, lineage, target, wrong);
    } finally {
      await client.query('ROLLBACK');
    }
  }
  return tally;
}

function compare(
  { catalog }: World,
  lineage: Lineage,
  { fields, rows }: Result,
  tally: Tally,
  wrong: (text: string) => void,
): void {
  const outputs = lineage.outputs ?? [];
  // Names are compared in the tests by hand: MariaDB gives two outputs of the same column of a UNION one name.
  if (outputs.length !== fields.length) return wrong(`${outputs.length} outputs are ${fields.length}`);
  for (const [i, { name, dependence }] of outputs.entries()) {
    if (dependence.kind === 'unproven') return wrong(`${name} is unproven`);
    tally.kinds[dependence.kind]++;
    const may = columnsOf(catalog, dependence);
    const seen = new Set<string>();
    for (const row of rows) {
      const found = columnsIn(row[i] ?? '');
      if (found.length > 0) tally.found++;
      for (const column of found) seen.add(column);
      const beyond = found.filter((column) => !may.has(column));
      if (beyond.length > 0) {
        return wrong(`${name} shows ${beyond.join(', ')} but is said to hold ${[...may].join(', ') || 'nothing'}`);
      }
    }
    if (rows.length === 0) continue;
    const said = [...may].filter((column) => SIGNS.some((sign) => sign.column === column));
    tally.said.all += said.length;
    tally.said.found += said.filter((column) => seen.has(column)).length;
  }
}

/** What stands in the changed table now came from where it is said to come from, through its other columns too. */
async function compareStored(
  world: World,
  { writes }: Lineage,
  target: string,
  wrong: (text: string) => void,
): Promise<void> {
  const { catalog, client, path } = world;
  const relation = catalog.find(null, target, path);
  if (relation === undefined) return wrong(`${target} is not known`);
  const { rows } = await run(client, `SELECT * FROM ${target}`);
  for (const [i, [attribute, column]] of [...relation.columns].entries()) {
    const may = new Set([`${target}.${column}`]);
    for (const written of writes) {
      if (written.column?.oid !== relation.oid || written.column.attribute !== attribute) continue;
      for (const from of columnsOf(catalog, written.from)) may.add(from);
    }
    for (const row of rows) {
      const beyond = columnsIn(row[i] ?? '').filter((found) => !may.has(found));
      if (beyond.length > 0) {
        return wrong(`${target}.${column} holds ${beyond.join(', ')} but is said to get ${[...may].join(', ')}`);
      }
    }
  }
}
