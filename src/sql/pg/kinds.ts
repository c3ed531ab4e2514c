// The names that rules may use for statements of PostgreSQL: everything that `Facts.kinds` can hold.

import { ADMINISTRATION } from './administration.ts';

/** Objects that have a schema. */
const PLACED = `aggregate collation conversion domain foreign-table function materialized-view operator operator-class
  operator-family procedure routine sequence statistics table text-search-configuration text-search-dictionary
  text-search-parser text-search-template type view`;

const NAMED = `event-trigger foreign-data-wrapper index language policy publication role rule schema server subscription tablespace
  trigger`;

const OTHERS = `alter-collation alter-domain alter-foreign-table alter-index alter-materialized-view alter-sequence alter-statistics
  alter-table alter-type alter-view analyze begin close cluster comment commit commit-prepared copy-from copy-to create-aggregate
  create-collation create-domain create-index create-materialized-view create-operator create-schema create-sequence
  create-statistics create-table create-table-as create-text-search-configuration create-text-search-dictionary
  create-text-search-parser create-text-search-template create-type create-view deallocate declare delete
  delete-without-where discard drop-column drop-constraint execute explain fetch grant insert listen lock merge move notify prepare
  prepare-transaction refresh-materialized-view reindex release reset revoke rollback rollback-prepared rollback-to
  savepoint select select-into set set-constraints set-schema show truncate unlisten update update-without-where vacuum`;

const words = (list: string): string[] => list.split(/\s+/);

export const KINDS: ReadonlySet<string> = new Set([
  ...words(OTHERS),
  ...[...ADMINISTRATION.values()].map(({ kind }) => kind),
  ...words(PLACED).flatMap((object) => [`alter-${object}`, `drop-${object}`, `rename-${object}`]),
  ...words(NAMED).flatMap((object) => [`drop-${object}`, `rename-${object}`]),
  ...words('attribute column constraint database domain-constraint').map((object) => `rename-${object}`),
  ...words('access-method cast extension transform').map((object) => `drop-${object}`),
]);
