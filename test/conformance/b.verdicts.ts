// The verdicts of section B: PostgreSQL, the wire.
import type { Verdict } from './verdicts.ts';

export const B: Readonly<Record<string, Verdict>> = {};
