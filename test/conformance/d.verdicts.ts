// The verdicts of section D: MariaDB and MySQL, what a statement is.
import type { Verdict } from './verdicts.ts';

export const D: Readonly<Record<string, Verdict>> = {
  D1: {
    status: 'fails closed',
    attack: 'comments whose content hangs on the server’s version',
    shows:
      'refused with any content, hints that set variables too, up to admin over the whole connection; dumps that rely on them need that',
  },
  D2: {
    status: 'withstood',
    attack: 'sql_mode, character sets, SET STATEMENT, broken bytes',
    shows:
      'how texts are read cannot be switched by a statement that is seen, a session in which code that is not seen switches it is ended before its next statement, nothing stands beside such code; texts are read by the mode that the server gives',
  },
  D3: {
    status: 'withstood',
    attack: 'comments, dashes, NUL, bare CR',
    shows:
      'statements end and comments begin for the gateway where they do for both servers; what is not closed is refused',
  },
  D4: {
    status: 'fails closed',
    attack: 'files: OUTFILE, DUMPFILE, LOAD_FILE, LOAD DATA, storage engines',
    shows:
      'the server’s files need admin over the whole connection, the client’s own (LOCAL) are refused under every grant',
  },
  D5: {
    status: 'withstood',
    attack: 'leaving the read-only session; DDL in a transaction',
    shows:
      'no spelling of READ WRITE, no setting and no reset lifts it, definitions and what commits by itself are refused',
  },
  D6: {
    status: 'withstood',
    attack: 'text from variables, compound statements, CALL, DO, routines',
    shows:
      'text that is written out is judged as what it says, everything else needs admin over the whole connection; EXECUTE runs in the database in which it was prepared, or not at all',
  },
  D7: {
    status: 'fails closed',
    attack: 'HANDLER, TABLE, VALUES, CTEs, multi-table changes, locks, definitions',
    shows:
      'tables, aliases and changes are found at every depth, what definitions refer to (foreign keys, sequences) too; HANDLER needs admin, EXPLAIN of a change what the change does',
  },
  D8: {
    status: 'fails closed',
    attack: 'locks, BENCHMARK, loadable and stored functions',
    shows:
      'functions are allow-listed: stored ones need admin, also inside views; SLEEP is let through to readers, and ends with the grant at the latest',
  },
  D9: {
    status: 'fails closed',
    attack: 'administration: replication, users, plugins, KILL, global settings',
    shows:
      'needs admin over the whole connection, admin over a database is not enough; KILL reaches sessions of the same grant, by ids of the gateway’s own',
  },
  D10: {
    status: 'fails closed',
    attack: 'names that lead elsewhere: USE, COM_INIT_DB, case, prepared statements',
    shows:
      'bare names are judged by the database that is used when they run, prepared ones by that of their time; behind USE in the same text, or by PREPARE of another database, they are refused',
  },
  D11: {
    status: 'fails closed',
    attack: 'an unknown leading keyword',
    shows: 'what is not understood needs admin over the whole connection, and is refused beside masking',
  },
};
