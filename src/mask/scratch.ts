// The bytes that masks answer in: one buffer for all of them, since an answer is only read before the next call.

const SCRATCH_BYTES = 8192;

const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
/** Made once per length. */
const views: Buffer[] = [];

/** Bytes to write an answer of that length into: shared, or, for long ones, new. */
export function scratchOf(length: number): Buffer {
  if (length > SCRATCH_BYTES) return Buffer.allocUnsafe(length);
  let view = views[length];
  if (!view) {
    view = scratch.subarray(0, length);
    views[length] = view;
  }
  return view;
}
