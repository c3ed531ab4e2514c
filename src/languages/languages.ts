// Which language a connection speaks.
import type { Protocol } from '../types.ts';
import type { Language } from './language.ts';
import { mysql } from './mysql.ts';
import { postgres } from './postgres.ts';

export const languages: Readonly<Record<Protocol, Language>> = { postgres, mysql };

/** Kinds of statements that rules may name, on any connection. */
export const kinds: ReadonlySet<string> = new Set(Object.values(languages).flatMap((language) => [...language.kinds]));
