// Turns the `masking` section of the config into rules: which columns are protected, and with which strategy.

import type { KeyObject } from 'node:crypto';
import { nearest, SallyportError } from '../errors.ts';
import { DETECTORS, type DetectorName } from '../types.ts';
import { compileDetectors, type Detector } from './detectors/scan.ts';

/** What takes a protected value's place. Always a valid value of the column's own type, or NULL. */
export type Strategy =
  | { readonly kind: 'redact' }
  | { readonly kind: 'null' }
  /** Keeps this many characters at either end, stars the rest; on types that are not text it redacts. */
  | { readonly kind: 'partial'; readonly keepStart: number; readonly keepEnd: number }
  /** A token, the same for the same value; without a key (where only the config is checked) it redacts. */
  | { readonly kind: 'hash'; readonly key: KeyObject | null }
  /** As text; a type that cannot hold it gets NULL. */
  | { readonly kind: 'constant'; readonly value: string };

/** One part of a pattern: `*`, a name that must be equal, or a name written without quotes, compared without case. */
type Part = { readonly any: true } | { readonly any: false; readonly name: string; readonly exact: boolean };

export interface ColumnRule {
  /** The pattern as it was written. */
  readonly text: string;
  readonly schema: Part;
  readonly table: Part;
  readonly column: Part;
  readonly strategy: Strategy;
}

export interface Masking {
  /** The first that matches a column decides. */
  readonly columns: readonly ColumnRule[];
  /** Looks for secrets in what no column rule protects; null: none is named. */
  readonly detectors: Detector | null;
  /** What to do with values computed from a protected column. Both are enforced as a refusal today. */
  readonly derived: 'mask' | 'deny';
  /** Whether a protected column may filter, join, group or order. */
  readonly predicates: 'allow' | 'deny';
}

const KEYS = ['columns', 'detectors', 'derived', 'predicates'];
const STRATEGIES = 'redact, null, hash, partial, constant';
const REDACT: Strategy = { kind: 'redact' };

/** `*` in the schema's place means every schema of the user's: the system's own are protected only where they are named. */
const SYSTEM_SCHEMA = /^(pg_.*|information_schema)$/;

export interface MaskingOptions {
  /** Of the `hash` strategy. */
  readonly key?: KeyObject | undefined;
}

/**
 * Compiles one entry of `maskings` (`{columns: [{column, with}], detectors?, derived?, predicates?}`) as it stands in the config
 * file. Throws SallyportError SP_CONFIG naming the place and the mistake: a rule that is not understood must not be skipped.
 */
export function compileMasking(raw: unknown, options: MaskingOptions = {}): Masking {
  const source = record(raw, 'masking');
  const key = options.key ?? null;
  for (const key of Object.keys(source)) {
    if (source[key] !== undefined && !KEYS.includes(key)) throw mistake(key, 'is not supported yet');
  }
  const columns = source.columns ?? [];
  if (!Array.isArray(columns)) throw mistake('columns', 'is not a list');
  return {
    columns: columns.map((entry: unknown, i) => columnRule(entry, `columns[${i}]`, key)),
    detectors: compileDetectors(detectorNames(source.detectors ?? [])),
    derived: oneOf(source.derived ?? 'mask', ['mask', 'deny'], 'derived'),
    predicates: oneOf(source.predicates ?? 'allow', ['allow', 'deny'], 'predicates'),
  };
}

function detectorNames(raw: unknown): DetectorName[] {
  if (!Array.isArray(raw)) throw mistake('detectors', 'is not a list');
  return raw.map((name: unknown, i) => {
    const known = DETECTORS.find((detector) => detector === name);
    if (known !== undefined) return known;
    const near = typeof name === 'string' ? nearest(name, DETECTORS) : null;
    const hint = near === null ? `; there are ${DETECTORS.join(', ')}` : `, did you mean "${near}"?`;
    throw mistake(`detectors[${i}]`, `"${String(name)}" is not a detector${hint}`);
  });
}

/** Whether the rule's pattern takes in this column. Names as the catalog has them; `folded`: those of columns in lower case. */
export function matches(rule: ColumnRule, schema: string, table: string, column: string, folded = false): boolean {
  if (rule.schema.any && SYSTEM_SCHEMA.test(schema)) return false;
  if (!fits(rule.schema, schema) || !fits(rule.table, table)) return false;
  return fits(rule.column, column) || (folded && !rule.column.any && rule.column.name.toLowerCase() === column);
}

function fits(part: Part, name: string): boolean {
  if (part.any) return true;
  return part.exact ? part.name === name : part.name === name.toLowerCase();
}

function columnRule(raw: unknown, path: string, key: KeyObject | null): ColumnRule {
  const entry = record(raw, path);
  for (const key of Object.keys(entry)) {
    if (key !== 'column' && key !== 'with') throw mistake(`${path}.${key}`, 'is not known');
  }
  if (typeof entry.column !== 'string') throw mistake(`${path}.column`, 'is not a text');
  const [schema, table, column, ...more] = parsePattern(entry.column, `${path}.column`);
  if (!schema || !table || !column || more.length > 0) {
    throw mistake(`${path}.column`, `"${entry.column}" has not three parts: schema.table.column`);
  }
  return { text: entry.column, schema, table, column, strategy: strategy(entry.with, `${path}.with`, key) };
}

/**
 * Splits `schema.table.column`. A part in double quotes is taken to the letter (`""` is a quote in it); one without
 * quotes is compared without regard to case, since a rule that misses by a capital letter would protect nothing.
 */
function parsePattern(text: string, path: string): Part[] {
  const token = /(?:"((?:[^"]|"")+)"|(\*)|([^\s".*]+))(\.|$)/y;
  const parts: Part[] = [];
  let at = 0;
  let more = true;
  while (more) {
    token.lastIndex = at;
    const found = token.exec(text);
    if (!found) throw mistake(path, `"${text}" cannot be read at character ${at + 1}`);
    const [whole, quoted, star, plain, dot] = found;
    if (star !== undefined) parts.push({ any: true });
    else if (quoted !== undefined) parts.push({ any: false, name: quoted.replaceAll('""', '"'), exact: true });
    else parts.push({ any: false, name: (plain ?? '').toLowerCase(), exact: false });
    at += whole.length;
    more = dot === '.';
  }
  return parts;
}

function strategy(raw: unknown, path: string, key: KeyObject | null): Strategy {
  // YAML reads a bare `null` as no value; for a strategy that word means NULL, so an absent key must not come here.
  if (raw === undefined) throw mistake(path, 'is missing');
  if (raw === 'redact') return REDACT;
  if (raw === 'hash') return { kind: 'hash', key };
  if (raw === 'null' || raw === null) return { kind: 'null' };
  if (typeof raw !== 'object') throw mistake(path, `"${String(raw)}" is not a strategy: ${STRATEGIES}`);
  const entry = record(raw, path);
  const [kind, ...rest] = Object.keys(entry);
  if (rest.length > 0) throw mistake(path, 'has more than one strategy');
  if (kind === 'partial') return partial(entry.partial, `${path}.partial`);
  if (kind === 'constant') return constant(entry.constant, `${path}.constant`);
  throw mistake(path, `"${kind ?? ''}" is not a strategy: ${STRATEGIES}`);
}

function partial(raw: unknown, path: string): Strategy {
  const entry = record(raw, path);
  for (const key of Object.keys(entry)) {
    if (key !== 'keepStart' && key !== 'keepEnd') throw mistake(`${path}.${key}`, 'is not known');
  }
  const keep = (value: unknown, name: string): number => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1000) return value;
    throw mistake(`${path}.${name}`, 'is not a whole number from 0 to 1000');
  };
  return {
    kind: 'partial',
    keepStart: keep(entry.keepStart ?? 0, 'keepStart'),
    keepEnd: keep(entry.keepEnd ?? 0, 'keepEnd'),
  };
}

function constant(raw: unknown, path: string): Strategy {
  if (raw === null) return { kind: 'null' };
  if (typeof raw !== 'string' && typeof raw !== 'number' && typeof raw !== 'boolean') {
    throw mistake(path, 'is not a text, a number or a boolean');
  }
  const value = String(raw);
  if (value.includes('\0') || !value.isWellFormed()) throw mistake(path, 'holds a character that no text column can');
  return { kind: 'constant', value };
}

function oneOf<T extends string>(value: unknown, known: readonly T[], path: string): T {
  const found = known.find((k) => k === value);
  if (found === undefined) throw mistake(path, `"${String(value)}" is none of ${known.join(', ')}`);
  return found;
}

function record(raw: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw mistake(path, 'is not a mapping');
  return Object.fromEntries(Object.entries(raw));
}

function mistake(path: string, what: string): SallyportError {
  return new SallyportError('SP_CONFIG', `${path}: ${what}`);
}
