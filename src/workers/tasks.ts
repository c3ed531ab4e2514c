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

export async function classify({ protocol, mode, text }: Text): Promise<Classification> {
  if (protocol === 'mysql') {
    const lexMode = readMode(mode);
    return lexMode === null
      ? { ok: false, reason: 'the sql_mode of this session is not understood' }
      : classifyMysql(text, lexMode);
  }
  await ready();
  return classifyPg(text);
}
