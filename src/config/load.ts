// The config file, read whole or refused whole: YAML to one frozen Config, every mistake with its path and line.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { SallyportError } from '../errors.ts';
import type { Connection, Role } from '../types.ts';
import { crossMistakes, warningsOf } from './cross.ts';
import { type Mistake, suggestion } from './mistakes.ts';
import { createReferences, type References } from './references.ts';
import {
  type ConfigFile,
  fileSchema,
  type HoursData,
  type IssuerData,
  type MaskingData,
  type RuleData,
  type Validators,
} from './schema.ts';

export interface AccessRule {
  readonly groups: readonly string[];
  readonly connections: readonly string[];
  readonly scopes: readonly string[];
  readonly maxTtlMs: number;
  readonly approval: 'auto' | 'required';
  readonly approvers?: { readonly groups: readonly string[] } | undefined;
  readonly hours?: HoursData | undefined;
  readonly maxActive?: number | undefined;
  readonly maxConsecutive?: number | undefined;
}

export interface Config {
  /** Absolute path of the file. */
  readonly path: string;
  readonly connections: ReadonlyMap<string, Connection>;
  readonly access: readonly AccessRule[];
  /** Rules in the file's order; compiled by src/policy. `timeout` is milliseconds. */
  readonly policies: ReadonlyMap<string, readonly RuleData[]>;
  /** Compiled by src/mask. */
  readonly maskings: ReadonlyMap<string, MaskingData>;
  readonly identity: {
    readonly issuers: readonly IssuerData[];
    /** The groups that have a role. */
    readonly roles: Readonly<Partial<Record<Role, readonly string[] | undefined>>>;
  };
  /** What is allowed but probably not meant, or not acted upon yet. */
  readonly warnings: readonly Mistake[];
}

export type Reading =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

export interface ReadOptions extends Validators {
  /** Where `${env:…}` looks; the process's own by default. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /** Whether a password whose reference points at nothing is a mistake; true by default. Who dials nothing may do without. */
  readonly proveSecrets?: boolean | undefined;
}

const DEFAULT_PORTS = { postgres: 5432, mysql: 3306 } as const;

export const HOW_TO_START = `write one with a connection and who may be granted what, for example:

connections:
  analytics:
    protocol: postgres
    host: 127.0.0.1
    database: analytics
    user: svc_sallyport
    password: \${env:ANALYTICS_PASSWORD}
access:
  - groups: [agents]
    connections: [analytics]
    scopes: ["db:analytics:read"]
    maxTtl: 30m
`;

/** Reads, validates and freezes. Never throws: what is wrong comes back as mistakes, all of them. */
export function readConfig(path: string, options: ReadOptions = {}): Reading {
  const absolute = resolve(path);
  let text: string;
  try {
    text = readFileSync(absolute, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    const message =
      code === 'ENOENT'
        ? `there is no config file at ${absolute} (SALLYPORT_CONFIG names it); ${HOW_TO_START}`
        : `the config file ${absolute} cannot be read (${code})`;
    return { ok: false, mistakes: [{ path: '', message }] };
  }
  return parseConfig(text, absolute, options);
}

/** As readConfig, from a text; `path` says what relative paths are relative to. */
export function parseConfig(text: string, path: string, options: ReadOptions = {}): Reading {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const mistakes = document.errors.map(({ message, pos }) => ({
      path: '',
      message,
      line: lines.linePos(pos[0]).line,
    }));
    return { ok: false, mistakes };
  }
  const data = safeToJs(document);
  if (!data.ok) return { ok: false, mistakes: [{ path: '', message: data.message }] };
  if (data.value === null)
    return { ok: false, mistakes: [{ path: '', message: `the file is empty; ${HOW_TO_START}` }] };

  const references = createReferences(options.environment ?? process.env, dirname(path));
  const parsed = fileSchema(references, options.proveSecrets ?? true).safeParse(data.value, { reportInput: true });
  const found = parsed.success ? crossMistakes(parsed.data, options) : parsed.error.issues.flatMap(fromIssue);
  const authorities = parsed.success ? readAuthorities(parsed.data, dirname(path)) : { pems: new Map(), mistakes: [] };
  const placed = [...found, ...authorities.mistakes].map((mistake) => place(mistake, document, lines));
  if (!parsed.success || placed.length > 0) return { ok: false, mistakes: placed };
  return {
    ok: true,
    config: build(parsed.data, path, references, authorities.pems, (mistake) => place(mistake, document, lines)),
  };
}

/** A mistake before it has its words for the place. */
export interface Found {
  readonly at: readonly PropertyKey[];
  readonly message: string;
}

function build(
  file: ConfigFile,
  path: string,
  references: References,
  authorities: ReadonlyMap<string, string>,
  place: (found: Found) => Mistake,
): Config {
  const connections = new Map<string, Connection>();
  for (const [name, data] of Object.entries(file.connections)) {
    const secret = (written: string) => () => {
      const found = references.resolve(written);
      if (found.ok) return found.value;
      throw new SallyportError('SP_CONFIG', `the password of connection ${name}: ${found.message}`);
    };
    const { provisioned } = data;
    connections.set(
      name,
      Object.freeze({
        name,
        protocol: data.protocol,
        host: data.host,
        port: data.port ?? DEFAULT_PORTS[data.protocol],
        database: data.database,
        user: data.user,
        password: secret(data.password?.written ?? ''),
        tls: Object.freeze({ mode: data.tls?.mode ?? 'prefer', ca: authorities.get(name) }),
        policy: data.policy,
        masking: data.masking,
        provisioned: provisioned && {
          user: provisioned.user,
          password: secret(provisioned.password?.written ?? ''),
        },
      }),
    );
  }
  return Object.freeze({
    path,
    connections,
    access: Object.freeze(file.access.map(({ maxTtl, ...rule }) => Object.freeze({ ...rule, maxTtlMs: maxTtl }))),
    policies: new Map(Object.entries(file.policies).map(([name, policy]) => [name, policy.rules])),
    maskings: new Map(Object.entries(file.masking)),
    identity: { issuers: file.identity?.issuers ?? [], roles: file.identity?.roles ?? {} },
    warnings: warningsOf(file).map(place),
  });
}

/** The CA files' content by connection, so that a missing or wrong file is found now and not at the first dial. */
function readAuthorities(file: ConfigFile, folder: string): { pems: Map<string, string>; mistakes: Found[] } {
  const pems = new Map<string, string>();
  const mistakes: Found[] = [];
  for (const [name, { tls }] of Object.entries(file.connections)) {
    if (tls?.ca === undefined) continue;
    const at = ['connections', name, 'tls', 'ca'];
    try {
      const pem = readFileSync(resolve(folder, tls.ca), 'utf8');
      if (pem.includes('-----BEGIN CERTIFICATE-----')) pems.set(name, pem);
      else mistakes.push({ at, message: `${tls.ca} holds no PEM certificate` });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : 'unreadable';
      mistakes.push({ at, message: `${tls.ca} cannot be read (${code})` });
    }
  }
  return { pems, mistakes };
}

function safeToJs(document: Document): { ok: true; value: unknown } | { ok: false; message: string } {
  try {
    return { ok: true, value: document.toJS() };
  } catch (error) {
    // Too many aliases, or an alias without its anchor.
    return { ok: false, message: error instanceof Error ? error.message : 'not readable as YAML' };
  }
}

/** zod's issue in this project's words. Values are quoted only where they stand for one of a few known words. */
function fromIssue(issue: z.core.$ZodIssue): Found[] {
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return issue.keys.map((key, index) => ({ at: [...issue.path, key], message: messages[index] ?? 'unknown key' }));
  }
  if (issue.code === 'invalid_value') {
    const known = issue.values.map(String);
    if (issue.input === undefined) return [{ at: issue.path, message: `is missing; one of ${known.join(', ')}` }];
    const near = typeof issue.input === 'string' ? suggestion(issue.input, known) : '';
    return [{ at: issue.path, message: `is not one of ${known.join(', ')}${near.startsWith('; did') ? near : ''}` }];
  }
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return [{ at: issue.path, message: 'is missing' }];
    if (!issue.message.startsWith('Invalid input')) return [{ at: issue.path, message: issue.message }];
    const quote = issue.expected === 'string' && typeof issue.input !== 'object' ? '; put it in quotes' : '';
    return [{ at: issue.path, message: `expected ${expectedWords[issue.expected] ?? issue.expected}${quote}` }];
  }
  if (issue.code === 'invalid_key')
    return [{ at: issue.path, message: issue.issues[0]?.message ?? 'not a valid name' }];
  return [{ at: issue.path, message: issue.message }];
}

const expectedWords: Readonly<Record<string, string>> = {
  string: 'a text',
  object: 'keys with values',
  record: 'names with values',
  array: 'a list',
  int: 'a whole number',
  number: 'a number',
};

function place(found: Found, document: Document, lines: LineCounter): Mistake {
  return { path: pathText(found.at), message: found.message, line: lineOf(found.at, document, lines) };
}

/** `access[0].scopes[1]` */
function pathText(at: readonly PropertyKey[]): string {
  return at.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

/** The line of the last part of the path that is there. */
function lineOf(at: readonly PropertyKey[], document: Document, lines: LineCounter): number | undefined {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  for (const part of at) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (pair === undefined || !isScalar(pair.key)) break;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof part === 'number') {
      const item = node.items[part];
      if (!isScalar(item) && !isMap(item) && !isSeq(item)) break;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else break;
  }
  return lines.linePos(offset).line;
}
