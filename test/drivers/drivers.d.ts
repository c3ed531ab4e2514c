// The parts of pg-cursor and pg-copy-streams that the driver tests use; the packages have no types of their own.

declare module 'pg-copy-streams' {
  import type { Writable } from 'node:stream';
  import type { Submittable } from 'pg';

  export function from(text: string): Submittable & Writable & { readonly rowCount: number };
}

declare module 'pg-cursor' {
  import type { Submittable } from 'pg';

  class Cursor<Row = unknown> implements Submittable {
    constructor(text: string, values?: readonly unknown[]);
    submit: Submittable['submit'];
    read(rows: number): Promise<Row[]>;
    close(): Promise<void>;
  }

  // biome-ignore lint/style/noDefaultExport: it is what the package exports
  export { Cursor as default };
}
