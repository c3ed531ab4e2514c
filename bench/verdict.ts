// How long a verdict on a text takes that was never seen: classify and decide, in this process, nothing cached.

import { parse } from 'yaml';
import { decide } from '../src/policy/decide.ts';
import { compilePolicy, type RuleConfig } from '../src/policy/rules.ts';
import { parseScope } from '../src/policy/scope.ts';
import { classify as classifyMysql } from '../src/sql/mysql/classify.ts';
import { lexMode } from '../src/sql/mysql/lexer.ts';
import { classify as classifyPg, ready } from '../src/sql/pg/classify.ts';
import type { Classification } from '../src/types.ts';
import { CORPUS, MYSQL_CORPUS } from './corpus.ts';
import { median } from './measure.ts';
import type { Protocol } from './targets/target.ts';

const RULES = `
- { name: no-drop-database, when: { statement: [drop-database] }, then: deny }
- { name: destructive, when: { statement: [drop-table, truncate, delete-without-where] }, then: deny }
- { name: secrets-in-sql, when: { matches: 'AKIA[0-9A-Z]{16}' }, then: deny }
`;

const WARMUP_ROUNDS = 20;
const ROUNDS = 50;

/** The median over the corpus of each statement's median, in µs. */
export async function coldVerdict(protocol: Protocol): Promise<number> {
  await ready();
  const classify = protocol === 'mysql' ? mysqlClassify() : classifyPg;
  const corpus = protocol === 'mysql' ? MYSQL_CORPUS : CORPUS;
  const scopes = [parseScope('db:bench:read+write+ddl')];
  const policy = compilePolicy('careful', parse(RULES) as RuleConfig[]);
  const judge = (text: string) =>
    decide({
      classification: classify(text),
      text,
      values: null,
      scopes,
      connection: 'bench',
      policy,
      resolve: ({ schema, name }) => ({ schema: schema ?? 'public', name, system: null, own: false }),
      functionNeed: ({ need }) => need,
    });
  const times = corpus.map((): number[] => []);
  let number = 1_000_000;
  for (let round = 0; round < WARMUP_ROUNDS + ROUNDS; round++) {
    for (const [index, statement] of corpus.entries()) {
      const text = statement.replaceAll('?', String(number++));
      const begin = performance.now();
      const { action, reason } = judge(text);
      const micros = (performance.now() - begin) * 1000;
      if (action !== 'allow') throw new Error(`${text}: ${reason}`);
      if (round >= WARMUP_ROUNDS) times[index]?.push(micros);
    }
  }
  return median(times.map(median));
}

/** With the sql_mode that a MySQL 8 comes with. */
function mysqlClassify(): (text: string) => Classification {
  const mode = lexMode('ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', false);
  if (mode === null) throw new Error('the sql_mode is not known');
  return (text) => classifyMysql(text, mode);
}
