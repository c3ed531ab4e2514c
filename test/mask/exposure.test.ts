// Which statements are refused because values could come out out of sight, going by their facts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exposure, PG_SYSTEM } from '../../src/mask/exposure.ts';
import { protect } from '../../src/mask/protect.ts';
import { compileMasking } from '../../src/mask/rules.ts';
import type { ColumnPlace, ColumnUse, Facts, FunctionUse, Need, Verb } from '../../src/types.ts';
import { catalogOf } from './catalog.ts';

const catalog = catalogOf(
  [
    { name: 'customers', columns: ['id', 'name', 'email'] },
    { name: 'orders', columns: ['id', 'customer', 'note'] },
    { name: 'contacts', kind: 'v', columns: ['id'], reads: [20001] },
  ],
  ['lower', 'mine', 'note'],
  ['+++'],
);
const COLUMNS = [{ column: 'public.customers.email', with: 'redact' }];

function facts(kind: string, columns: readonly ColumnUse[], more: Partial<Facts> = {}): Facts {
  const none = { needs: [], relations: [], functions: [], settings: [], handles: [], secrets: [] };
  return {
    start: 0,
    end: 0,
    kinds: [kind],
    ...none,
    columns,
    columnsHidden: false,
    opaque: null,
    valueBlind: true,
    ...more,
  };
}

/** A column written `[qualifier.]name`. */
function use(text: string, place: ColumnPlace): ColumnUse {
  const [name = '', qualifier] = text.split('.').reverse();
  return { qualifier: qualifier ?? null, name, place };
}

function call(name: string, need: Need = 'read', schema: string | null = null): FunctionUse {
  return { schema, name, need };
}

/** Relations as `name` (read) or `name:verb`; one that the catalog does not have is undefined. */
function reason(of: Facts, relations: readonly string[], config: object = {}): string | null {
  const masking = compileMasking({ columns: COLUMNS, ...config });
  const touched = relations.map((text) => {
    const [name = '', verb = 'read'] = text.split(':');
    return {
      use: { schema: null, name, verb: verb as Verb },
      relation: catalog.find('public', name, []),
    };
  });
  return exposure(of, touched, protect(masking, catalog), PG_SYSTEM);
}

test('what can be followed is no concern of this', () => {
  const passes = (of: Facts, ...relations: string[]) => assert.equal(reason(of, relations), null);
  passes(facts('select', [use('email', 'output'), use('*', 'expression')]), 'customers');
  passes(facts('select', [use('id', 'output')]), 'contacts');
  passes(facts('select', [use('email', 'expression')], { columnsHidden: true }), 'customers', 'orders');
  passes(facts('update', [use('email', 'assigned'), use('id', 'predicate')]), 'customers:write');
  passes(facts('copy-to', [use('*', 'expression')]), 'customers');
  passes(facts('copy-from', [use('*', 'assigned')]), 'customers:write');
  passes(facts('drop-table', []), 'customers:ddl');
  passes(facts('drop-view', []), 'contacts:ddl');
  passes(facts('drop-schema', []), '*:ddl');
  passes(facts('alter-table', [use('name', 'expression')]), 'customers:ddl');
  passes(facts('select', []), 'customers', '*:write');
  passes(facts('select', [use('anything', 'expression')]), 'absent');
});

test('changes of a protected relation, and the system’s copies of values, are refused by name', () => {
  const refused = (of: Facts, relations: string[], words: RegExp) => assert.match(reason(of, relations) ?? '', words);
  refused(facts('alter-table', [use('*', 'expression')]), ['customers:ddl'], /public\.customers \(email\)/);
  refused(facts('alter-table', [use('email', 'expression')]), ['customers:ddl'], /masked columns of public\.customers/);
  refused(facts('alter-anything', []), ['customers:ddl'], /change of its definition/);
  refused(facts('alter-view', []), ['contacts:ddl'], /change of its definition/);
  refused(facts('alter-anything', []), ['*:ddl'], /which relations/);
  refused(facts('rename-schema', []), [], /ask a person to rename it/);
  refused(facts('execute', []), ['*:read'], /which relations/);
  refused(facts('select', []), ['pg_stats'], /pg_stats holds copies/);
});

test('a name behind a dot that could be a function of the database on a whole row is refused', () => {
  const dotted = (column: string, ...relations: string[]) =>
    reason(facts('select', [use(column, 'output')]), relations);
  assert.match(dotted('c.mine', 'customers') ?? '', /c\.mine could call its function mine/);
  assert.match(dotted('o.mine', 'orders') ?? '', /mine/, 'its body may read what the statement does not touch');
  assert.match(dotted('c.note', 'customers', 'orders') ?? '', /note/, 'another table has a column of that name');
  assert.match(dotted('t.note', 'orders', 'absent') ?? '', /note/);
  assert.equal(dotted('o.note', 'orders'), null);
  assert.equal(dotted('mine', 'customers'), null);
});

test('what runs out of sight is refused wherever anything is masked', () => {
  const of = (...functions: FunctionUse[]) => reason(facts('select', [], { functions }), []);
  assert.equal(of(call('upper'), call('nextval', 'write'), call('lower', 'read', 'pg_catalog')), null);
  assert.match(of(call('lower')) ?? '', /lower could read them out of sight/);
  assert.match(of(call('operator +++')) ?? '', /operator \+\+\+/);
  assert.equal(of(call('operator +'), call('cast mood')), null);
  assert.match(of(call('f', 'admin', 's')) ?? '', /s\.f could read/);
  assert.match(of(call('lo_get', 'write')) ?? '', /lo_get/);
  assert.match(of(call('loread', 'write')) ?? '', /loread/);
  assert.match(reason(facts('do', [], { opaque: 'DO' }), []) ?? '', /what DO does/);
  const nothing = { columns: [] };
  assert.equal(reason(facts('do', [], { opaque: 'DO', functions: [call('mine')] }), ['pg_stats'], nothing), null);
});
