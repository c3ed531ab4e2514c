// The part of pg-copy-streams that the tests of the record use; the package has no types of its own.

declare module 'pg-copy-streams' {
  import type { Readable } from 'node:stream';
  import type { Submittable } from 'pg';

  export function to(text: string): Submittable & Readable;
}
