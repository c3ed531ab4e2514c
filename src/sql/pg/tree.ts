// Reading libpg_query's JSON tree: a node is `{ Type: fields }`, a field that is zero, false or empty is left out.

export type Fields = { readonly [field: string]: unknown };

/** Thrown inside the classifier only: the statement has something that is not understood, so it is refused as a whole. */
export class NotUnderstood extends Error {}

export interface Node {
  readonly type: string;
  readonly fields: Fields;
}

/** Takes the type off a node. */
export function nodeOf(value: unknown): Node {
  const node = fieldsOf(value);
  let type: string | undefined;
  for (const key in node) {
    if (type !== undefined) throw new NotUnderstood('a part of the statement has an unknown shape');
    type = key;
  }
  if (type === undefined) throw new NotUnderstood('a part of the statement is missing');
  return { type, fields: fieldsOf(node[type]) };
}

export function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new NotUnderstood('a part of the statement has an unknown shape');
  }
  return value as Fields;
}

/** The fields of an optional struct, or null. */
export function optional(value: unknown): Fields | null {
  return value === undefined ? null : fieldsOf(value);
}

export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new NotUnderstood('a part of the statement has an unknown shape');
  return value;
}

/** The text of a string field, or null where it is left out. */
export function textOf(value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value !== 'string') throw new NotUnderstood('a part of the statement has an unknown shape');
  return value;
}

/** A list of `String` nodes: the parts of a dotted name. */
export function namesOf(value: unknown): string[] {
  return listOf(value).map(nameOf);
}

/** The text of one `String` node. */
export function nameOf(value: unknown): string {
  const { type, fields } = nodeOf(value);
  if (type !== 'String') throw new NotUnderstood(`${type} where a name belongs`);
  return textOf(fields.sval) ?? '';
}

/** The text of a string literal node, or null for anything else. */
export function literalOf(value: unknown): string | null {
  const node = bare(value);
  if (node?.type !== 'A_Const') return null;
  const sval = optional(node.fields.sval);
  return sval === null ? null : (textOf(sval.sval) ?? '');
}

/** Casts that leave a literal's text as it is; others cut it, or make an object's name of its number. */
const PLAIN_CASTS: ReadonlySet<string> = new Set(['text', 'varchar', 'regclass']);

/** A literal seen through casts that do not change it (`'orders_id_seq'::regclass`), or null. */
export function castLiteralOf(value: unknown): string | null {
  let node = bare(value);
  while (node?.type === 'TypeCast') {
    const type = fieldsOf(node.fields.typeName);
    const { schema, name } = qualified(namesOf(type.names));
    const system = schema === null || schema === 'pg_catalog';
    if (!system || !PLAIN_CASTS.has(name) || type.typmods !== undefined || type.arrayBounds !== undefined) return null;
    node = bare(node.fields.arg);
  }
  return node === null ? null : literalOf({ [node.type]: node.fields });
}

/** The value of an integer literal, or null for anything else. */
export function integerOf(value: unknown): number | null {
  const node = bare(value);
  if (node?.type !== 'A_Const') return null;
  const ival = optional(node.fields.ival);
  if (ival === null) return null;
  return typeof ival.ival === 'number' ? ival.ival : 0;
}

function bare(value: unknown): Node | null {
  return value === undefined ? null : nodeOf(value);
}

/** The parts of a name from the right: `[catalog.][schema.]name`. The catalog can only be the session's own. */
export function qualified(parts: readonly string[]): { schema: string | null; name: string } {
  const name = parts.at(-1);
  if (name === undefined || parts.length > 3) throw new NotUnderstood('a name has too many parts');
  return { schema: parts.at(-2) ?? null, name };
}

/** Throws unless the node has no other fields than these (a list of names in one string). */
export function only(type: string, fields: Fields, names: string): void {
  const known = names.split(' ');
  for (const field in fields)
    if (!known.includes(field)) throw new NotUnderstood(`${type} is not known to the gateway in this form`);
}
