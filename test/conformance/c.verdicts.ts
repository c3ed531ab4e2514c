// The verdicts of section C: PostgreSQL, masking.
import type { Verdict } from './verdicts.ts';

export const C: Readonly<Record<string, Verdict>> = {
  C1: {
    status: 'withstood',
    attack: 'expressions, aggregates and windows over a protected column',
    shows:
      'a column’s own value gets its own mask, what is computed from it is redacted in its type or refused, what does not depend on it comes as it is',
  },
  C2: {
    status: 'withstood',
    attack: '`*`, subqueries, CTEs, joins, set operations, views of views, RETURNING',
    shows: 'each output column is masked by the base columns that it depends on, by whatever way they come',
  },
  C3: {
    status: 'withstood',
    attack: 'whole rows, row constructors, JSON builders',
    shows: 'what holds a protected column is redacted or refused whole',
  },
  C4: {
    status: 'fails closed',
    attack: 'cursors, EXECUTE, portals, COPY in every format',
    shows:
      'rows are masked by the statement that the name stands for when it runs, COPY by the same plan; rows of a name that is not known are redacted whole',
  },
  C5: {
    status: 'fails closed',
    attack: 'laundering into tables, views, settings, notifications',
    shows:
      'carrying a protected value to where it is no longer protected is refused, by any road; so is COPY FROM into protected columns, whose values are not followed',
  },
  C6: {
    status: 'fails closed',
    attack: 'errors, notices and notifications that quote values',
    shows:
      'of statements that touch protected columns only words that name objects come through, notification payloads not at all',
  },
  C7: {
    status: 'withstood',
    attack: 'oracles: filters, joins, groupings and orderings',
    shows: 'refused under `predicates: deny`; under `allow` they run, and tell by which rows there are',
  },
  C8: {
    status: 'withstood',
    attack: 'the system’s own copies: statistics, activity, large objects',
    shows: 'relations that hold copies of values are refused beside masking, other catalogs come as they are',
  },
  C9: {
    status: 'withstood',
    attack: 'masks that break a type',
    shows: 'drivers decode masked cells, and the server takes them back as values of their type',
  },
  C10: {
    status: 'fails closed',
    attack: 'a masked value written back',
    shows:
      'masks of text are recognised in literals and bound values and refused; a redacted number or date cannot be told from a meant one',
  },
};
