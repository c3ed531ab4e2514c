// The verdicts of section A: PostgreSQL, what a statement is.
import type { Verdict } from './verdicts.ts';

export const A: Readonly<Record<string, Verdict>> = {};
