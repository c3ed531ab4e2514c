// The loop's side of the sealer: starts its thread, keeps one request under way, knows how far the journal is sealed.

import { Worker } from 'node:worker_threads';
import { SallyportError } from '../errors.ts';
import type { Position, Recovered, SegmentEnd } from './sealer.ts';
import type { SealerReply, SealerRequest } from './sealer-worker.ts';

export interface Sealing {
  /** Seals what earlier runs left. Rejects with SP_RECORD. */
  recover(): Promise<Recovered>;
  /** Resolves when the segments are sealed up to these ends. Rejects with SP_RECORD; a later call tries again. */
  seal(ends: readonly SegmentEnd[]): Promise<Position>;
  close(): Promise<void>;
}

interface Waiting {
  resolve(reply: SealerReply): void;
  reject(error: SallyportError): void;
}

export function startSealing(dir: string): Sealing {
  let worker: Worker | undefined;
  let waiting: Waiting | undefined;
  // Requests are answered one at a time, in order.
  let tail: Promise<unknown> = Promise.resolve();

  function lost(reason: string, cause?: unknown): void {
    worker = undefined;
    const waiter = waiting;
    waiting = undefined;
    waiter?.reject(new SallyportError('SP_RECORD', `the thread that seals the record ended: ${reason}`, { cause }));
  }

  function start(): Worker {
    // The compiled package has the file under its compiled name.
    const url = new URL(`./sealer-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
    // It is given nothing of the environment: passwords may stand there.
    const started = new Worker(url, { workerData: { dir }, env: {} });
    started.unref();
    started.on('message', (reply: SealerReply) => {
      const waiter = waiting;
      waiting = undefined;
      worker?.unref();
      if (reply.type === 'failed') waiter?.reject(new SallyportError('SP_RECORD', reply.reason));
      else waiter?.resolve(reply);
    });
    started.on('error', (error) => {
      if (worker === started) lost(error.message, error);
    });
    started.on('exit', (code) => {
      if (worker === started) lost(`exit code ${code}`);
    });
    return started;
  }

  function ask(request: SealerRequest): Promise<SealerReply> {
    const reply = tail.then(
      () =>
        new Promise<SealerReply>((resolve, reject) => {
          waiting = { resolve, reject };
          worker ??= start();
          // While somebody waits, the process does not end for want of other work.
          worker.ref();
          worker.postMessage(request);
        }),
    );
    tail = reply.catch(() => undefined);
    return reply;
  }

  return {
    async recover(): Promise<Recovered> {
      const reply = await ask({ type: 'recover' });
      if (reply.type !== 'recovered') throw outOfTurn();
      return reply.recovered;
    },
    async seal(ends): Promise<Position> {
      const reply = await ask({ type: 'seal', ends });
      if (reply.type !== 'sealed') throw outOfTurn();
      return reply.position;
    },
    async close(): Promise<void> {
      await tail;
      const running = worker;
      if (running === undefined) return;
      await ask({ type: 'close' }).catch(() => undefined);
      worker = undefined;
      await running.terminate();
    },
  };
}

function outOfTurn(): SallyportError {
  return new SallyportError('SP_RECORD', 'the thread that seals the record answered out of turn');
}
