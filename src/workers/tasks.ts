// What runs in the pool's threads.
import { classify as classifyMysql } from '../sql/mysql/classify.ts';
import { readMode } from '../sql/mysql/mode.ts';
import { classify as classifyPg, ready } from '../sql/pg/classify.ts';
import type { Classification, Protocol } from '../types.ts';

export interface Text {
  readonly protocol: Protocol;
  readonly mode: string;
  readonly text: string;
}

/** Statements of one text: what is known of each is copied to the event loop, which serves nobody meanwhile (65 ms for so many). */
const MOST = 10_000;

export async function classify(text: Text): Promise<Classification> {
  const found = await read(text);
  if (!found.ok || found.statements.length <= MOST) return found;
  return { ok: false, reason: `the text has more than ${MOST} statements; send it in parts` };
}

async function read({ protocol, mode, text }: Text): Promise<Classification> {
  if (protocol === 'mysql') {
    const lexMode = readMode(mode);
    return lexMode === null
      ? { ok: false, reason: 'the sql_mode of this session is not understood' }
      : classifyMysql(text, lexMode);
  }
  await ready();
  return classifyPg(text);
}
