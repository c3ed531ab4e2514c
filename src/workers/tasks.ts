// What runs in the pool's threads.
import { classify as classifyPg, ready } from '../sql/pg/classify.ts';
import type { Classification, Protocol } from '../types.ts';

export interface Text {
  readonly protocol: Protocol;
  readonly mode: string;
  readonly text: string;
}

export async function classify({ text }: Text): Promise<Classification> {
  await ready();
  return classifyPg(text);
}
