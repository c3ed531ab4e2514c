// The pool for work that would stall the event loop: one task is one large text or one batch, never a row.
import { Piscina } from 'piscina';
import type { Classification } from '../types.ts';
import type { Text } from './tasks.ts';

export interface Pool {
  /** Understands a text off the event loop. Never rejects: what takes too long or breaks its worker is not understood. */
  classify(text: Text): Promise<Classification>;
  close(): Promise<void>;
}

/** How long one text may take, milliseconds: the grammar needs about 0.3 s for a megabyte. */
const LONGEST_MS = 10_000;

export function startPool(threads: number): Pool {
  const pool = new Piscina({
    filename: new URL('./tasks.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: 30_000,
    maxQueue: 1_000,
    resourceLimits: { maxOldGenerationSizeMb: 512, stackSizeMb: 4 },
  });
  pool.on('error', () => {}); // a worker that died outside a task; the next task gets a new one
  return {
    async classify(text) {
      try {
        return (await pool.run(text, { name: 'classify', signal: AbortSignal.timeout(LONGEST_MS) })) as Classification;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        return { ok: false, reason: `a text of ${text.text.length} characters could not be read: ${why}` };
      }
    },
    close: () => pool.close({ force: true }),
  };
}
