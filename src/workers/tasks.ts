// What runs in the pool's threads.
import { classify as classifyNow, ready } from '../sql/pg/classify.ts';
import type { Classification } from '../types.ts';

export async function classify(text: string): Promise<Classification> {
  await ready();
  return classifyNow(text);
}
