// The thread that seals: takes one request at a time from the recorder and answers it. Hashing and LMDB are here, off the loop.

import { parentPort, workerData } from 'node:worker_threads';
import { openSealer, type Position, type Recovered, type Sealer, type SegmentEnd } from './sealer.ts';

export type SealerRequest =
  | { readonly type: 'recover' }
  | { readonly type: 'seal'; readonly ends: readonly SegmentEnd[] }
  | { readonly type: 'close' };

export type SealerReply =
  | { readonly type: 'recovered'; readonly recovered: Recovered }
  | { readonly type: 'sealed'; readonly position: Position }
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly reason: string };

let sealer: Sealer | undefined;

async function answer(request: SealerRequest): Promise<SealerReply> {
  // Opened here and not above, so that what prevents it is answered, and tried again with the next request.
  sealer ??= openSealer(workerData.dir);
  switch (request.type) {
    case 'recover':
      return { type: 'recovered', recovered: sealer.recover() };
    case 'seal':
      return { type: 'sealed', position: sealer.seal(request.ends) };
    case 'close':
      await sealer.close();
      return { type: 'closed' };
  }
}

parentPort?.on('message', async (request: SealerRequest) => {
  try {
    parentPort?.postMessage(await answer(request));
  } catch (error) {
    const failed: SealerReply = { type: 'failed', reason: sentence(error) };
    parentPort?.postMessage(failed);
  }
});

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
