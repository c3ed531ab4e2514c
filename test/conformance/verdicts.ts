// What the gateway does against each class of attack: one verdict a number, from which docs/conformance.md is made.
//
// The convention of test/conformance:
// - A number is a letter and a count (`A7`, `B6`): a row of the catalogue of attacks. Section A is what a statement is to PostgreSQL,
//   B its wire, C its masking; D is what a statement is to MariaDB and MySQL, E their wire and masking; F is the gateway itself. Its tests stand in
//   `a<n>-….test.ts`, `b<n>-….test.ts` and so on, against real servers behind a real gateway.
// - A test's name begins with the number: `test('B6 a refusal waits for the replies before it', …)`. One test shows one thing,
//   and its name says what. Tests in other folders are named by a verdict's `elsewhere`. A test may show only one number; `{ todo: … }` and `{ skip: … }` do not count as shown.
// - The verdict stands in `a.verdicts.ts`, `b.verdicts.ts` and so on, and says in one sentence what the tests show, not what is hoped:
//     withstood     the legitimate use works and the attack does not
//     fails closed  the attack does not work, and neither does some legitimate use beside it (`shows` says which)
//     open          something is not stopped, or is not shown (`shows` says what)
// - `node test/conformance/table.ts` writes docs/conformance.md; test/docs/conformance.test.ts fails when it is out of step, when a
//   number has no test, and when a test has no verdict.
import { A } from './a.verdicts.ts';
import { B } from './b.verdicts.ts';
import { C } from './c.verdicts.ts';
import { D } from './d.verdicts.ts';
import { E } from './e.verdicts.ts';
import { F } from './f.verdicts.ts';

export type Status = 'withstood' | 'fails closed' | 'open';

export interface Verdict {
  readonly status: Status;
  /** What is tried, in a few words. */
  readonly attack: string;
  /** What the tests show, in one sentence. */
  readonly shows: string;
  /** Files of tests in other folders of `test` that show it too, or alone. */
  readonly elsewhere?: readonly string[];
}

export const VERDICTS: Readonly<Record<string, Verdict>> = { ...A, ...B, ...C, ...D, ...E, ...F };
