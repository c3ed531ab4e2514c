// A text of PostgreSQL SQL, understood as statements with what each of them needs and touches, or not at all.

import type { Classification, Facts } from '../../types.ts';
import { parse, startParser } from './parser.ts';
import { unfit } from './prescan.ts';
import { secretSpans } from './secrets.ts';
import { statement } from './statements.ts';
import { type Fields, NotUnderstood } from './tree.ts';
import { startWalk } from './walk.ts';

/** Loads the parser; `classify` refuses everything before. Rejects with SP_NOT_FOUND where it is not the one expected. */
export function ready(): Promise<void> {
  return startParser();
}

/**
 * Understands one text as the server would with standard_conforming_strings on and client_encoding UTF8. Never throws. An
 * empty text has no statements. Costs about 0.3 ms per KiB: texts beyond some ten KiB belong off the event loop.
 */
export function classify(text: string): Classification {
  const reason = unfit(text);
  if (reason !== null) return { ok: false, reason };
  if (text === '') return { ok: true, statements: [] };
  const parsed = parse(text);
  if (!parsed.ok) return parsed;
  try {
    const place = parsed.ascii ? (offset: number) => offset : utf16Offsets(text);
    const statements = parsed.statements.map((raw, index) => facts(text, raw, index, parsed.statements.length, place));
    return { ok: true, statements };
  } catch (error) {
    if (error instanceof NotUnderstood) return { ok: false, reason: error.message };
    if (error instanceof RangeError) return { ok: false, reason: 'the statement is nested too deeply' };
    return { ok: false, reason: 'the statement could not be understood' };
  }
}

function facts(text: string, raw: Fields, index: number, count: number, place: (offset: number) => number): Facts {
  const from = typeof raw.stmt_location === 'number' ? raw.stmt_location : 0;
  const length = typeof raw.stmt_len === 'number' ? raw.stmt_len : null;
  if (index < count - 1 && length === null) throw new NotUnderstood('the ends of the statements are not known');
  const first = place(from);
  const end = length === null ? text.length : place(from + length);
  const start = first + (/^\s*/.exec(text.slice(first, end))?.[0].length ?? 0);
  const walk = startWalk();
  statement(walk, raw.stmt);
  const secrets = secretSpans(text, start, end, walk.secretive, walk.secretLiterals.map(place));
  return {
    start,
    end,
    kinds: walk.kinds,
    needs: walk.needs,
    relations: walk.relations,
    functions: walk.functions,
    settings: walk.settings,
    columns: walk.columns,
    fields: walk.fields.size === 0 ? undefined : [...walk.fields],
    handles: walk.handles,
    copy: walk.copy,
    columnsHidden: walk.columnsHidden,
    opaque: walk.opaque,
    // Secrets stand elsewhere where literals have other lengths.
    valueBlind: walk.valueBlind && secrets.length === 0,
    secrets,
  };
}

/** From offsets in UTF-8 bytes to offsets in the string; they must come in ascending order. */
function utf16Offsets(text: string): (offset: number) => number {
  let bytes = 0;
  let units = 0;
  return (offset) => {
    if (offset < bytes) {
      bytes = 0;
      units = 0;
    }
    while (bytes < offset && units < text.length) {
      const point = text.codePointAt(units) ?? 0;
      bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      units += point < 0x10000 ? 1 : 2;
    }
    return units;
  };
}
