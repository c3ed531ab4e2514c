// The COPY masker against a model of what a server writes, and against a server: for random tables, forms, plans and splits.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { Client } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { RowPlan } from '../../../src/types.ts';
import { announces, type CopyMasker, copyMasker } from '../../../src/wire/pg/copy.ts';
import { type PostgresServer, startPostgres } from '../../servers/postgres.ts';
import {
  form as anyForm,
  BINARY,
  CSV,
  copied,
  drained,
  type Form,
  isLoneMark,
  MASKS,
  masked,
  message,
  options,
  pieces,
  type Table,
  TEXT,
} from './copying.ts';

function start(form: Form, plan: RowPlan): CopyMasker {
  const masker = copyMasker(form, plan);
  assert.ok(masker !== null, JSON.stringify(form));
  return masker;
}

/** What leaves for these payloads, or null where they are malformed. */
function run(masker: CopyMasker, payloads: readonly Buffer[]): Buffer[] | null {
  for (const payload of payloads) {
    const bytes = message(payload);
    if (masker.message(bytes, 0, bytes.length) < 0) return null;
  }
  return drained(masker);
}

function splitAt(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const ends = [...offsets.map((offset) => offset % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

/** What should leave: masked cells are quoted for what they hold now, and `\.` always. */
function expected(form: Form, names: readonly string[], table: Table, plan: RowPlan): Buffer[] {
  const quotes = (column: number, value: string) =>
    plan[column] === undefined ? form.forced || isLoneMark(names, value) : value === '\\.';
  return pieces(form, names, masked(form, table, plan).table, quotes);
}

test('a row a message: each leaves as a message of its own, masked by the plan', () => {
  fc.assert(
    fc.property(copied, anyForm, fc.boolean(), ({ names, table, plan }, form, together) => {
      const masker = start(form, plan);
      const messages = pieces(form, names, table).map(message);
      const buffer = Buffer.concat(together ? messages : []);
      let count = 0;
      let at = 0;
      for (const one of messages) {
        const n = together ? masker.message(buffer, at, at + one.length) : masker.message(one, 0, one.length);
        assert.ok(n >= 0);
        count += n;
        at += one.length;
      }
      assert.deepEqual(drained(masker), expected(form, names, table, plan));
      assert.ok(masker.empty);
      assert.ok(masker.complete);
      assert.equal(masker.rows, table.length);
      assert.equal(count, masked(form, table, plan).count);
    }),
    { numRuns: 1000 },
  );
});

test('rows split anywhere, drained at any moment', () => {
  const splits = fc.array(fc.nat(), { maxLength: 8 });
  fc.assert(
    fc.property(copied, anyForm, splits, fc.boolean(), ({ names, table, plan }, form, offsets, often) => {
      const masker = start(form, plan);
      const out: Buffer[] = [];
      for (const payload of splitAt(Buffer.concat(pieces(form, names, table)), offsets)) {
        const bytes = Buffer.concat([Buffer.alloc(3, 1), message(payload), Buffer.alloc(3, 2)]);
        assert.ok(masker.message(bytes, 3, bytes.length - 3) >= 0);
        assert.deepEqual(
          [...bytes.subarray(0, 3), ...bytes.subarray(-3)],
          [1, 1, 1, 2, 2, 2],
          'nothing beside is written to',
        );
        if (often) out.push(...drained(masker));
      }
      out.push(...drained(masker));
      assert.deepEqual(Buffer.concat(out), Buffer.concat(expected(form, names, table, plan)));
      assert.ok(masker.complete);
      assert.equal(masker.rows, table.length);
    }),
    { numRuns: 1000 },
  );
});

const NASTY: Table = [
  ['secret', 'a,b', null, 'line\nend'],
  ['', '\\N', 'quo"te', 'back\\slash'],
  ['\\.', 'tab\there', null, 'é€😀'],
];
const NASTY_NAMES = ['a', 'b,"c"', 'd\ne', 'f'];
const NASTY_PLAN: RowPlan = [MASKS.reversed, MASKS.special, MASKS.word, undefined];
const NASTY_FORMS: readonly Form[] = [
  TEXT,
  { ...TEXT, delimiter: '|', header: true },
  CSV,
  { ...CSV, header: true, forced: true },
  { ...CSV, quote: "'", escape: '\\', null: 'NULL' },
  BINARY,
];

test('split at every offset, and byte by byte, no protected byte leaves before its cell is masked', () => {
  for (const form of NASTY_FORMS) {
    const whole = Buffer.concat(pieces(form, NASTY_NAMES, NASTY));
    const wanted = Buffer.concat(expected(form, NASTY_NAMES, NASTY, NASTY_PLAN));
    for (let offset = 0; offset <= whole.length; offset++) {
      const out = run(start(form, NASTY_PLAN), [whole.subarray(0, offset), whole.subarray(offset)]);
      assert.ok(out !== null);
      assert.deepEqual(Buffer.concat(out), wanted, `${options(form, 'TO')} at ${offset}`);
      // What has left by then is the beginning of what will have left.
      const cut = start(form, NASTY_PLAN);
      const before = Buffer.concat(run(cut, [whole.subarray(0, offset)]) ?? []);
      assert.deepEqual(before, wanted.subarray(0, before.length));
      assert.equal(cut.complete && offset > 0, whole.length === offset || isLineEnd(form, whole, offset));
    }
    const bytes = [...whole].map((_, i) => whole.subarray(i, i + 1));
    const out = run(start(form, NASTY_PLAN), bytes) ?? [];
    assert.deepEqual(Buffer.concat(out), wanted);
    assert.ok(
      out.every((payload) => payload.length > 0),
      'a message of which nothing is left does not leave',
    );
  }
});

/** Text and CSV may end behind every line, but not behind a newline inside quotes. */
function isLineEnd(form: Form, whole: Buffer, offset: number): boolean {
  if (form.format === 'binary') return false;
  const ends: number[] = [];
  for (const piece of pieces(form, NASTY_NAMES, NASTY)) ends.push((ends.at(-1) ?? 0) + piece.length);
  assert.equal(ends.at(-1), whole.length);
  return ends.includes(offset);
}

test('where no length changes, the messages leave in the buffer in which they came', () => {
  for (const [form, row] of [
    [TEXT, 'secret\topen\n'],
    [CSV, 'secret,"o,n"\n'],
  ] as const) {
    const masker = start(form, [MASKS.reversed, undefined]);
    const one = message(Buffer.from(row));
    const buffer = Buffer.concat([one, one]);
    masker.message(buffer, 0, one.length);
    masker.message(buffer, one.length, buffer.length);
    const passed: [Buffer, number, number][] = [];
    masker.drain((...span) => passed.push(span));
    assert.equal(passed.length, 1);
    assert.equal(passed[0]?.[0], buffer);
    assert.equal(buffer.toString('utf8', 5, one.length), row.replace('secret', 'terces'));
  }
});

test('a mask that leaves a cell leaves every byte of it, also over two messages', () => {
  const leave = () => undefined;
  for (const form of NASTY_FORMS) {
    const whole = Buffer.concat(pieces(form, NASTY_NAMES, NASTY));
    for (let offset = 0; offset <= whole.length; offset++) {
      const out = run(start(form, [leave, leave, leave, leave]), [whole.subarray(0, offset), whole.subarray(offset)]);
      assert.deepEqual(Buffer.concat(out ?? []), whole);
    }
  }
});

test('how a masked cell is written tells nothing of the value that it stands for', () => {
  const plan = [MASKS.word];
  const rows = (form: Form, values: readonly string[]) =>
    values.map((value) => Buffer.concat(run(start(form, plan), pieces(form, ['x'], [[value]])) ?? []).toString());
  // A delimiter or quote of one's choice, and quotes forced.
  assert.deepEqual(rows({ ...CSV, delimiter: 'e' }, ['secret', 'bcd']), ['"[redacted]"\n', '"[redacted]"\n']);
  assert.deepEqual(rows({ ...CSV, delimiter: 's' }, ['secret', 'bcd']), ['[redacted]\n', '[redacted]\n']);
  assert.deepEqual(rows({ ...CSV, quote: 's', escape: 's' }, ['secret', 'bcd']), ['[redacted]\n', '[redacted]\n']);
  assert.deepEqual(rows({ ...CSV, forced: true }, ['se,ret', '\n']), ['[redacted]\n', '[redacted]\n']);
  // A NULL string that a value can have too: it is masked, whether it was that value or NULL.
  assert.deepEqual(rows({ ...TEXT, null: 'secret' }, ['secret', 'bcd']), ['[redacted]\n', '[redacted]\n']);
  assert.deepEqual(rows({ ...TEXT, null: '\\\\N' }, ['\\N', 'bcd']), ['[redacted]\n', '[redacted]\n']);
  assert.deepEqual(rows({ ...CSV, null: 'secret' }, ['secret', 'bcd']), ['[redacted]\n', '[redacted]\n']);
});

test('the marker that ends the data passes, and nothing may follow it', () => {
  for (const form of [TEXT, CSV, { ...CSV, quote: "'" }]) {
    for (const plan of [[MASKS.word], [MASKS.word, undefined], [undefined]]) {
      const row = Buffer.from(plan.length === 1 ? 'a\n' : `a${form.delimiter}b\n`);
      const end = Buffer.from('\\.\n');
      const whole = Buffer.concat(run(start(form, plan), [row, end]) ?? []).toString();
      assert.ok(whole.endsWith('\n\\.\n'), whole);
      for (let i = 0; i <= 3; i++) {
        const masker = start(form, plan);
        assert.equal(Buffer.concat(run(masker, [row, end.subarray(0, i), end.subarray(i)]) ?? []).toString(), whole);
        assert.ok(masker.complete);
        assert.equal(masker.rows, 1);
      }
      assert.equal(run(start(form, plan), [end, row]), null);
      assert.equal(run(start(form, plan), [Buffer.concat([end, row])]), null);
    }
  }
});

test('escapes that a server need not use are understood', () => {
  const seen: string[] = [];
  const masker = start(TEXT, [
    (buffer, from, to) => {
      seen.push(buffer.toString('latin1', from, to));
      return null;
    },
  ]);
  const lines = ['\\101\\x42\\x4g\\7\\1234', '\\q\\N.\\8\\xg', '\\b\\f\\n\\r\\t\\v\\\\\\\t', '\\.x'];
  for (const line of lines) assert.ok(run(masker, [Buffer.from(`${line}\n`)]) !== null);
  assert.deepEqual(seen, ['AB\x04g\x07S4', 'qN.8xg', '\b\f\n\r\t\v\\\t', '.x']);
});

test('rows without columns', () => {
  assert.deepEqual(run(start({ ...TEXT, header: true }, []), [Buffer.from('\n'), Buffer.from('\n\n')])?.length, 2);
  assert.equal(run(start(TEXT, []), [Buffer.from('a\n')]), null);
  const masker = start(BINARY, []);
  assert.equal(run(masker, pieces(BINARY, [], [[], []]))?.length, 3);
  assert.equal(masker.rows, 2);
});

test('data that is not what a server writes is refused', () => {
  const refused = (form: Form, columns: number, ...payloads: (string | Buffer)[]) => {
    const plan = Array.from({ length: columns }, (_, i) => (i === 0 ? MASKS.word : undefined));
    const buffers = payloads.map((payload) => Buffer.from(payload));
    assert.equal(run(start(form, plan), buffers), null, `${form.format}: ${payloads.join(' | ')}`);
  };
  for (const data of ['a\n', 'a\tb\tc\n', '\n', 'a\tb\r\n', 'a\tb\\\n', 'a\\\n\tb\n', 'a\0\tb\n'])
    refused(TEXT, 2, data);
  refused({ ...TEXT, header: true }, 2, 'a\n');
  refused(TEXT, 2, 'a\tb\t', 'c');
  for (const data of ['a\n', 'a,b,c\n', 'a"b,c\n', '"a"b,c\n', '"a" ,c\n', 'a,b\r\n', '"a\0",b\n', 'a,"b"c\n']) {
    refused(CSV, 2, data);
  }
  refused({ ...CSV, escape: '\\' }, 2, '"a\\b",c\n');
  refused({ ...CSV, escape: '\\' }, 2, '"a""b",c\n');
  const [head = Buffer.alloc(0)] = pieces(BINARY, [], []);
  const header = head.subarray(0, 19);
  for (let at = 0; at < 19; at++) {
    const wrong = Buffer.from(header);
    wrong[at] = (wrong[at] ?? 0) ^ 1;
    // The lower half of the flags is for readers to ignore.
    if (at === 13 || at === 14) assert.notEqual(run(start(BINARY, [undefined]), [wrong]), null);
    else refused(BINARY, 1, wrong);
  }
  const binary = (...numbers: number[]) => Buffer.concat([header, Buffer.from(numbers)]);
  refused(BINARY, 1, binary(0, 0));
  refused(BINARY, 1, binary(0, 2));
  refused(BINARY, 1, binary(0xff, 0xfe));
  refused(BINARY, 1, binary(0, 1, 0xff, 0xff, 0xff, 0xfe));
  refused(BINARY, 1, binary(0, 1, 0x80, 0, 0, 0));
  refused(BINARY, 1, binary(0xff, 0xff, 0));
  refused(BINARY, 1, binary(0xff, 0xff), Buffer.from([0]));
});

test('a protected cell of more than 64 MiB is refused, another passes', () => {
  const part = Buffer.alloc(1024 * 1024, 'x');
  const masks = [start(TEXT, [MASKS.word]), start(CSV, [MASKS.word]), start(TEXT, [undefined])];
  const taken = masks.map((masker) => {
    let n = 0;
    while (n < 66) {
      const bytes = message(part);
      if (masker.message(bytes, 0, bytes.length) < 0) break;
      masker.drain(() => {});
      n++;
    }
    return n;
  });
  assert.deepEqual(taken, [64, 64, 66]);
  const [head = Buffer.alloc(0)] = pieces(BINARY, [], []);
  const long = Buffer.concat([head.subarray(0, 19), Buffer.from([0, 1, 4, 0, 0, 1])]);
  assert.equal(run(start(BINARY, [MASKS.word]), [long]), null);
  assert.notEqual(run(start(BINARY, [undefined]), [long]), null);
});

test('damaged data is refused or leaves as messages, and never throws', () => {
  fc.assert(
    fc.property(
      copied,
      anyForm,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      ({ names, table, plan }, form, place, change) => {
        const whole = Buffer.concat(pieces(form, names, table));
        if (whole.length === 0) return;
        const at = place % whole.length;
        whole[at] = (whole[at] ?? 0) ^ change;
        run(start(form, plan), [whole.subarray(0, at), whole.subarray(at)]);
      },
    ),
  );
  const bytes = message(Buffer.from('a\n'));
  const masker = start(TEXT, [undefined]);
  for (let end = 0; end < bytes.length; end++) assert.equal(masker.message(bytes, 0, end), -1);
  assert.equal(masker.message(bytes, 0, bytes.length + 1), -1);
  assert.equal(masker.message(Buffer.concat([Buffer.from('D'), bytes.subarray(1)]), 0, bytes.length), -1);
});

test('forms that could not be read for certain are refused', () => {
  const refused: readonly Form[] = [
    { ...TEXT, unknown: 'format' },
    { ...BINARY, unknown: 'default' },
    { ...CSV, encoding: 'LATIN1' },
    { ...BINARY, encoding: '' },
    ...['', '||', '\n', '\r', '\0', 'é', '\\', '.', 'a', '7'].map((delimiter) => ({ ...TEXT, delimiter })),
    ...['', ',,', '\n', '"'].map((delimiter) => ({ ...CSV, delimiter })),
    { ...CSV, quote: '' },
    { ...CSV, escape: '\n' },
    ...['a\tb', '\\', 'a\\', '\n', '\r'].map((written) => ({ ...TEXT, null: written })),
    ...['a,b', '"', 'a"', '\n', '\r'].map((written) => ({ ...CSV, null: written })),
  ];
  for (const form of refused) assert.equal(copyMasker(form, [MASKS.word]), null, JSON.stringify(form));
  for (const encoding of ['utf8', 'UTF-8', 'utf_8', 'Unicode'])
    assert.ok(copyMasker({ ...CSV, encoding }, []) !== null);
});

test('the server announces the form that was read from the statement, or another one', () => {
  const said = (overallFormat: number, formats: number[], form: Form, columns: number) =>
    announces({ overallFormat, formats }, form, columns);
  assert.ok(said(0, [0, 0], TEXT, 2));
  assert.ok(said(0, [], CSV, 0));
  assert.ok(said(1, [1], BINARY, 1));
  assert.ok(!said(0, [0, 0], TEXT, 1));
  assert.ok(!said(0, [0], BINARY, 1));
  assert.ok(!said(1, [1], CSV, 1));
  assert.ok(!said(0, [1], TEXT, 1));
});

// --- A real server ---------------------------------------------------------------------------------------------------------

let server: PostgresServer;
let client: Client;

before(async () => {
  server = await startPostgres();
  client = new Client({ connectionString: server.connectionString });
  await client.connect();
});

after(async () => {
  await client.end();
  await server.stop();
});

async function read(sql: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of client.query(copyTo(sql))) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function written(table: string, form: Form, bytes: Buffer): Promise<void> {
  const stream = client.query(copyFrom(`COPY ${table} FROM STDIN ${options(form, 'FROM')}`));
  stream.end(bytes);
  await once(stream, 'finish');
}

test('a server writes what the model does, and reads back what was masked', async () => {
  const one = fc.tuple(copied, anyForm, fc.array(fc.nat(), { maxLength: 4 }));
  for (const [{ table, plan }, form, offsets] of fc.sample(one, 150)) {
    const names = plan.map((_, i) => `c"${i},${form.delimiter}\n`);
    const columns = names.map((name) => `"${name.replaceAll('"', '""')}" text`);
    await client.query(`DROP TABLE IF EXISTS t, u; CREATE TABLE t (${columns}); CREATE TABLE u (LIKE t)`);
    for (const cells of table) {
      await client.query(`INSERT INTO t VALUES (${cells.map((_, i) => `$${i + 1}`)})`, [...cells]);
    }
    const about = `${options(form, 'TO')} ${JSON.stringify(table)}`;
    const whole = await read(`COPY t TO STDOUT ${options(form, 'TO')}`);
    assert.deepEqual(whole.toString('latin1'), Buffer.concat(pieces(form, names, table)).toString('latin1'), about);
    const out = run(start(form, plan), splitAt(whole, offsets));
    assert.ok(out !== null, about);
    await written('u', form, Buffer.concat(out));
    const rows = await client.query<(string | null)[]>({ text: 'TABLE u', rowMode: 'array' });
    const isNull = (cell: string | null) => form.format === 'text' && form.null === '' && cell === '';
    const wanted = masked(form, table, plan).table.map((cells) => cells.map((cell) => (isNull(cell) ? null : cell)));
    assert.deepEqual(rows.rows, wanted, about);
  }
});
