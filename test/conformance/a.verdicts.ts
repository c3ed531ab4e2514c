// The verdicts of section A: PostgreSQL, what a statement is.
import type { Verdict } from './verdicts.ts';

export const A: Readonly<Record<string, Verdict>> = {
  A1: {
    status: 'withstood',
    attack: 'allowed and denied statements in one text',
    shows:
      'one refused statement refuses the whole text before any byte of it is sent, a transaction that is open stays as it was; 349 ordinary statements are all allowed to a reader',
  },
  A2: {
    status: 'withstood',
    attack: 'the lexer and the server disagreeing: string syntax, encodings, broken bytes',
    shows:
      'string syntax and encoding cannot be switched under any grant, a session in which they change unseen is ended, bytes that are not UTF-8 are refused and share no verdict with what they look like',
  },
  A3: {
    status: 'withstood',
    attack: 'spellings: Unicode escapes, quotes, comments, dollar quotes, look-alikes',
    shows:
      'every spelling of a function is that function, unfinished comments and strings are refused, look-alikes are other names; harmless functions work in the same spellings',
  },
  A4: {
    status: 'fails closed',
    attack: 'functions anywhere: clauses, dots, operators, casts, domains, views, parameter types',
    shows:
      'a call is found in every clause, behind a dot on any value, in operators, casts, domains, view bodies and types of parameters; where somebody has made an operator such as +, in whichever schema, every use of that name needs admin, and so does a view that calls a volatile function of somebody’s',
  },
  A5: {
    status: 'fails closed',
    attack: 'SQL inside a string',
    shows:
      'functions that run SQL, or read a relation, that a string names are refused whatever the string says, ts_rewrite and crosstab over harmless queries too',
  },
  A6: {
    status: 'withstood',
    attack: 'changes inside CTEs, COPY, EXPLAIN, PREPARE and cursors; row locks',
    shows:
      'a change is one at every depth and under every spelling of EXPLAIN, a scope to write one relation does not let it read or change others, reading in the same places works',
  },
  A7: {
    status: 'withstood',
    attack: 'SELECT INTO, CREATE … AS, DO, CALL, CREATE FUNCTION',
    shows:
      'making needs ddl in every form, code that cannot be seen needs admin; under a reader’s grant temporary tables are left to the database session being read-only',
  },
  A8: {
    status: 'withstood',
    attack: 'effects that a read-only transaction does not stop',
    shows:
      'what writes files, WAL, locks, notifications, large objects, sequences or statistics is refused; in a session that is not read-only, every function of the server, 400 random texts and 800 broken ones leave the database as it was',
  },
  A9: {
    status: 'fails closed',
    attack: 'settings and roles that would make a session more than it is',
    shows:
      'no spelling makes a reader write or be another role, resets lead back to what the gateway began with, comfort settings work; SHOW ALL, and pg_settings but by the names of settings that hold no secret, need admin',
  },
  A10: {
    status: 'withstood',
    attack: 'what outlives the grant or reaches the server',
    shows:
      'roles, databases, privileges, extensions, libraries and system settings need admin over the whole connection; admin over a schema is not enough',
  },
  A11: {
    status: 'fails closed',
    attack: 'the search path moved under a statement, names hidden or cut',
    shows:
      'whatever moves the path (SET, set_config, savepoints, the end of a transaction, EXECUTE, FETCH) is seen before the next name is looked up, EXECUTE is judged as what was prepared, temporary tables hide nothing; a bare name that further schemas of the path have too needs a scope on each, and a name is made by PREPARE or by Parse, not by both',
  },
  A12: {
    status: 'withstood',
    attack: 'the database dialling out; prepared transactions',
    shows: 'subscriptions, servers, user mappings, dblink and PREPARE TRANSACTION need admin over the whole connection',
  },
  A13: {
    status: 'withstood',
    attack: 'deep nesting, megabytes of text, unknown syntax',
    shows:
      'what is too deep, too long or not in the grammar is refused, other sessions are answered while a large text is judged, and the gateway goes on',
  },
};
