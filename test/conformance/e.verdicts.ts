// The verdicts of section E: MariaDB and MySQL, the wire and masking.
import type { Verdict } from './verdicts.ts';

export const E: Readonly<Record<string, Verdict>> = {
  E1: {
    status: 'withstood',
    attack: 'payloads of 16 MiB and more',
    shows:
      'packets that continue a text are part of it and judged with it, whatever they begin with; beyond the limit the session ends',
  },
  E2: {
    status: 'fails closed',
    attack: 'every command of the protocol',
    shows:
      'all but those that are known are refused by name and never sent on, COM_CHANGE_USER too; a reset connection is set up again before its next command',
  },
  E3: {
    status: 'withstood',
    attack: 'several statements, several results, both ends of rows',
    shows:
      'COM_SET_OPTION lets in only what is allowed, results of CALL and rows that begin with 0xfe are told apart in both forms',
  },
  E4: {
    status: 'withstood',
    attack: 'prepared statements, long data, cursors',
    shows:
      'texts are judged when they are prepared, values when they are bound, also in pieces; closed ones, unknown ids and cursors of an ended grant lead nowhere',
  },
  E5: {
    status: 'fails closed',
    attack: 'pipelines, capabilities, compression',
    shows: 'commands are answered in their order, refusals in their place; compression is not offered',
  },
  E6: {
    status: 'withstood',
    attack: 'a hostile database, login plugins, files of the client',
    shows:
      'what no honest database says ends that session alone, files are asked of nobody, the credential is in no error; wrong secrets and unknown logins read alike',
  },
  E7: {
    status: 'withstood',
    attack: 'masks of every type, results that lie about their tables',
    shows: 'each column is masked by what it depends on, in text, in binary and in cursors, and keeps its type',
  },
  E8: {
    status: 'fails closed',
    attack: 'errors, warnings, plans, variables and ids that carry values',
    shows:
      'words that may quote a value are withheld, also later and where nothing was protected; carrying one into a variable, an id, a table or a setting is refused',
  },
  E9: {
    status: 'withstood',
    attack: 'sequence ids, LAST_INSERT_ID, affected rows',
    shows: 'they are the database’s own, a refusal has the id that follows and changes none of them',
  },
};
