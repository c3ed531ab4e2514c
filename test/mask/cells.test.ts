// Detectors inside cells: what they find is gone, the rest stays, and a real PostgreSQL takes the value as one of its type.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { Client } from 'pg';
import { detectorMask } from '../../src/mask/detectors/cell.ts';
import { compileDetectors, type Detector } from '../../src/mask/detectors/scan.ts';
import { OID } from '../../src/mask/pg-types.ts';
import { DETECTORS, type DetectorName } from '../../src/types.ts';
import type { PostgresServer } from '../servers/postgres.ts';
import { startPostgres } from '../servers/postgres.ts';
import { accepted, onWire } from './wire.ts';

let server: PostgresServer;
let client: Client;

before(async () => {
  server = await startPostgres({ sql: `CREATE TYPE pair AS (a int, b text); CREATE DOMAIN mail AS varchar(30)` });
  client = new Client({ connectionString: server.connectionString });
  await client.connect();
});

after(async () => {
  await client.end();
  await server.stop();
});

function detectorOf(names: readonly DetectorName[]): Detector {
  const detector = compileDetectors(names);
  assert.ok(detector);
  return detector;
}

const all = detectorOf(DETECTORS);
const LEFT = Symbol('left as it is');
const CARD = '4111111111111111';

/** The masked text; LEFT where the mask leaves it, or where the type has none. */
function masked(text: string, oid: number, modifier = -1): string | null | typeof LEFT {
  // Around it the cells of other columns, which would read on.
  const cell = Buffer.from(text);
  const buffer = Buffer.concat([Buffer.from('a12'), cell, Buffer.from('21a')]);
  const before = Buffer.from(buffer);
  const value = detectorMask(all, oid, modifier, 0)?.(buffer, 3, 3 + cell.length);
  assert.deepEqual(buffer, before, 'a mask does not write into the row');
  return value === undefined ? LEFT : value === null ? null : Buffer.from(value).toString();
}

const CASES: readonly (readonly [type: string, value: string, expected: string | null | typeof LEFT])[] = [
  ['text', 'write to ada@example.com or +44 20 7946 0018.', 'write to [email] or [phone].'],
  ['text', 'nothing to see', LEFT],
  ['text', '', LEFT],
  ['text', 'é ada@example.com ü', 'é [email] ü'],
  [
    'text',
    '{"mail": "ada\\u0040example.com", "card": 4111111111111111}',
    '{"mail": "[email]", "card": "[credit-card]"}',
  ],
  ['text', '[4111111111111111, 1]', '["[credit-card]", 1]'],
  ['text', '{not json} 4111111111111111', '{not json} [credit-card]'],
  ['text', 'DOMAIN\\nada@example.com', 'DOMAIN[email]'],
  ['text', 'C:\\users\\ada', LEFT],
  ['varchar(100)', 'to a@b.co', 'to [email]'],
  ['varchar(9)', 'to a@b.co', 'to ******'],
  ['varchar(17)', '{"ssn":123456789}', '{"ssn":0        }'],
  ['char(12)', 'a@b.co', '[email]     '],
  ['char(6)', 'a@b.co', '******'],
  ['char(7)', 'a@b.co', '[email]'],
  ['char(20)', '203.0.113.7 x', '[ip-address] x      '],
  ['name', `${'n'.repeat(54)}, a@b.co`, `${'n'.repeat(54)}, [email]`],
  ['name', `${'n'.repeat(55)}, a@b.co`, `${'n'.repeat(55)}, ******`],
  ['mail', 'ada.lovelace.king@example.com', '[email]'],
  ['json', '{"a": "x\\nada@example.com", "b": 1}', '{"a": "x\\n[email]", "b": 1}'],
  ['json', `{"a\\/b":"http:\\/\\/u:p@h\\/x", "n": -${CARD}}`, '{"a\\/b":"[connection-string]", "n": "[credit-card]"}'],
  ['json', '{"ssn": 123456789, "id": 123456789}', '{"ssn": "[us-ssn]", "id": 123456789}'],
  ['json', '{"ada@example.com": null}', '{"[email]": null}'],
  ['json', '"{\\"mail\\": \\"ada\\\\u0040example.com\\"}"', '"{\\"mail\\": \\"[email]\\"}"'],
  ['json', '"\\ud83d\\ude00 \\u00e9da@example.com"', '"\\ud83d\\ude00 [email]"'],
  ['json', '{"password=": "x", "host=": "y"}', LEFT],
  ['json', CARD, '"[credit-card]"'],
  ['jsonb', '{"a": "ada@example.com", "b": [1, "203.0.113.7"]}', '{"a": "[email]", "b": [1, "[ip-address]"]}'],
  ['jsonb', '{"a": "nothing"}', LEFT],
  [
    'bytea',
    `\\x${Buffer.from('to ada@example.com').toString('hex')}`,
    `\\x${Buffer.from('to [email]').toString('hex')}`,
  ],
  ['bytea', `\\xff${Buffer.from('ada@example.com').toString('hex')}`, LEFT],
  ['int8', CARD, '0'],
  ['int8', '4111111111111112', LEFT],
  ['int8', '-4111111111111111', LEFT],
  ['numeric', '378282246310005', '0'],
  ['numeric', `${CARD}.00`, '0'],
  ['numeric', `${CARD}.25`, LEFT],
  ['numeric', 'NaN', LEFT],
  ['inet', '203.0.113.7', '0.0.0.0'],
  ['cidr', '203.0.113.0/24', '0.0.0.0/32'],
  ['xml', '<a>ada@example.com</a>', '<redacted/>'],
  ['xml', '<a>ada</a>', LEFT],
  ['tsvector', "'ada@example.com'", ''],
  ['pair', '(1,"to ada@example.com")', null],
  ['pair', '(1,ada)', LEFT],
  ['text[]', '{a,"b, ada@example.com",NULL,"q\\"ada@x.org\\\\"}', '{a,"b, [email]",NULL,"q\\"[email]\\\\"}'],
  ['text[]', '{{a},{b}}', LEFT],
  ['text[]', '[2:3]={"ada@example.com",b}', '[2:3]={[email],b}'],
  ['varchar(6)[]', '{a@b.co,b}', '{******,b}'],
  ['json[]', '{"{\\"a\\": \\"ada@example.com\\"}",NULL}', '{"{\\"a\\": \\"[email]\\"}",NULL}'],
  ['jsonb[]', '{"{\\"a\\": \\"ada@example.com\\"}",NULL}', '{"{\\"a\\": \\"[email]\\"}",NULL}'],
  ['int8[]', `{1,${CARD},NULL}`, '{1,0,NULL}'],
  ['inet[]', '{203.0.113.7,NULL}', '{0.0.0.0,NULL}'],
];

test('every type keeps its type, in text and in binary', async () => {
  for (const [type, value, expected] of CASES) {
    for (const binary of [false, true]) {
      const name = `${type} ${value}, ${binary ? 'binary' : 'text'}`;
      const { oid, modifier, bytes } = await onWire(client, type, value, binary);
      const answer = detectorMask(all, oid, modifier, binary ? 1 : 0)?.(bytes, 0, bytes.length);
      if (expected === LEFT) assert.equal(answer, undefined, name);
      else {
        const base = type.replace(/\(\d+\)/, '').replace(/^char$/, 'bpchar');
        assert.equal(await accepted(client, base, answer, binary), expected, name);
      }
    }
  }
});

test('bytea in its old output format', async () => {
  await client.query('SET bytea_output = escape');
  const { oid, bytes } = await onWire(client, 'bytea', 'C:\\\\x\\303\\251 ada@example.com', false);
  assert.match(bytes.toString(), /^C:\\\\x\\303/);
  const answer = detectorMask(all, oid, -1, 0)?.(bytes, 0, bytes.length);
  assert.equal(String(answer), `\\x${Buffer.from('C:\\xé [email]').toString('hex')}`);
  await client.query('RESET bytea_output');
});

test('columns whose values hold no secrets are not looked at; numbers and addresses only by their own detectors', () => {
  for (const oid of [OID.bool, OID.int4, OID.float8, OID.date, OID.timestamptz, OID.uuid, OID.tsrange, 1007, 1115]) {
    assert.equal(detectorMask(all, oid, -1, 0), undefined);
  }
  const email = detectorOf(['email']);
  for (const oid of [OID.int8, OID.numeric, OID.inet, 1016, 1041])
    assert.equal(detectorMask(email, oid, -1, 1), undefined);
  assert.equal(detectorMask(all, OID.text, -1, 2)?.(Buffer.from('x'), 0, 1), null, 'an unknown format');
});

test('a number at the edge of its cell does not reach into the next', () => {
  assert.equal(masked(CARD, OID.json), '"[credit-card]"');
  assert.equal(masked(`[${CARD},1]`, OID.json), '["[credit-card]",1]');
});

test('a composite’s field and hstore’s value are seen behind their length, whatever byte it is', () => {
  for (let length = 16; length < 128; length++) {
    const text = Buffer.from(CARD.padEnd(length, ' x'));
    const head = Buffer.alloc(12);
    head.writeInt32BE(1, 0);
    head.writeInt32BE(OID.text, 4);
    head.writeInt32BE(length, 8);
    const row = Buffer.concat([head, text]);
    assert.equal(detectorMask(all, 99_999, -1, 1)?.(row, 0, row.length), null, `a text of ${length} bytes`);
    const pair = Buffer.concat([head.subarray(0, 4), Buffer.from([0, 0, 0, 1, 0x6b, 0, 0, 0, length]), text]);
    assert.equal(detectorMask(all, 99_999, -1, 1)?.(pair, 0, pair.length), null, `a value of ${length} bytes`);
  }
});

const SECRETS = [
  'ada.lovelace@example.com',
  '4111-1111-1111-1111',
  'AKIAIOSFODNN7EXAMPLE',
  '203.0.113.77',
  'postgres://u:hunter2@h/d',
];
const secret = fc.constantFrom(...SECRETS);
const plainText = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll('\0', ''));
/** Behind `v` the numbers of an address are a version's. */
const beforeSecret = plainText.map((text) => text.replace(/v(?=\W*$)/i, 'w'));
const withSecret = fc.tuple(beforeSecret, secret, plainText).map(([before, s, behind]) => `${before} "${s}" ${behind}`);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constant(Number(CARD)),
    fc.constant(null),
    plainText,
    withSecret,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(plainText, withSecret), tie('value'), { maxKeys: 4 }),
  ),
})).value;

/** The same document with some of its characters, inside strings, written as escapes. */
function escaped(document: string, every: number): string {
  let inString = false;
  let out = '';
  for (let at = 0; at < document.length; at++) {
    const character = document[at] ?? '';
    if (character === '\\') {
      out += document.slice(at, at + 2);
      at++;
    } else if (character === '"') {
      inString = !inString;
      out += character;
    } else if (inString && character === '/' && at % 2 === 0) out += '\\/';
    else if (inString && at % every === 0) out += `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    else out += character;
  }
  return out;
}

/** What is left when the values are taken away. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value === 'object' && value !== null) return Object.values(value).length > 0;
  return 0;
}

test('a JSON document stays one, of the same shape, with nothing of a secret in it, however it is escaped', async () => {
  const documents: string[] = [];
  fc.assert(
    fc.property(json, fc.integer({ min: 1, max: 9 }), fc.constantFrom(OID.json, OID.text), (value, every, oid) => {
      const document = escaped(JSON.stringify(value), every);
      const answer = masked(document, oid);
      const left = answer === LEFT ? document : (answer ?? '');
      if (typeof value === 'object' && value !== null) {
        const parsed: unknown = JSON.parse(left);
        assert.deepEqual(shape(parsed), shape(JSON.parse(document)));
        const plain = JSON.stringify(parsed);
        for (const s of [...SECRETS, CARD]) assert.ok(!plain.includes(s), `${document} → ${left}`);
        if (documents.length < 200) documents.push(left);
      }
      for (const s of SECRETS) assert.ok(!left.includes(s));
    }),
    { numRuns: 1500 },
  );
  // Lone surrogates, which JavaScript can write, are no JSON to PostgreSQL.
  const whole = documents.filter((document) => !/\\u(d[89a-f]|0000)/i.test(document));
  const { rows } = await client.query<{ n: string }>('SELECT count(t::json) AS n FROM unnest($1::text[]) t', [whole]);
  assert.equal(Number(rows[0]?.n), whole.length);
});

test('an array keeps its elements, each masked as it would be by itself', async () => {
  const element = fc.option(fc.oneof(plainText, withSecret, fc.constantFrom('NULL', '', '{', '"', '\\', ',')), {
    freq: 6,
  });
  const arrays = fc.sample(fc.array(element, { maxLength: 5 }), { numRuns: 60, seed: 7 });
  for (const elements of arrays) {
    const expected = elements.map((text) => {
      const answer = text === null ? null : masked(text, OID.text);
      return answer === LEFT ? text : answer;
    });
    for (const binary of [false, true]) {
      const literal = await client.query<{ t: string }>('SELECT $1::text[]::text AS t', [elements]);
      const { bytes } = await onWire(client, 'text[]', literal.rows[0]?.t ?? '', binary);
      const answer = detectorMask(all, 1009, -1, binary ? 1 : 0)?.(bytes, 0, bytes.length);
      if (answer === undefined) assert.deepEqual(expected, elements);
      else {
        const back = await accepted(client, 'text[]', answer, binary);
        const { rows } = await client.query<{ e: (string | null)[] }>('SELECT $1::text[] AS e', [back]);
        assert.deepEqual(rows[0]?.e, expected);
      }
    }
  }
});

test('any bytes: never a throw, never a secret, and what is masked is masked', () => {
  const oids = [OID.text, OID.json, OID.bytea, OID.jsonb, OID.numeric, OID.int8, 1009, 199, 1016, 99_999];
  const noise = fc.uint8Array({ maxLength: 60 });
  fc.assert(
    fc.property(
      noise,
      secret,
      noise,
      fc.constantFrom(...oids),
      fc.constantFrom(0, 1),
      (left, s, right, oid, format) => {
        const cell = Buffer.concat([left, Buffer.from(`\n${s}\n`), right]);
        const answer = detectorMask(all, oid, -1, format)?.(cell, 0, cell.length);
        if (oid === OID.text) assert.ok(answer && !Buffer.from(answer).includes(s));
      },
    ),
    { numRuns: 3000 },
  );
});

test('within the limit of its column, whatever is found in it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(plainText, fc.constantFrom('a@b.co', '1.2.3.4', CARD)), { maxLength: 4 }),
      fc.boolean(),
      (parts, padded) => {
        const value = parts.join(' ').trimEnd();
        const limit = Math.max(1, [...value].length);
        const cell = padded ? value.padEnd(value.length + (limit - [...value].length)) : value;
        const answer = masked(cell, padded ? OID.bpchar : OID.varchar, limit + 4);
        if (typeof answer === 'string') {
          const length = [...answer].length;
          assert.ok(padded ? length === limit : length <= limit, `${cell} → ${answer}`);
          assert.ok(!answer.includes('a@b.co') && !answer.includes('1.2.3.4') && !answer.includes(CARD));
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('masking what is masked leaves it', () => {
  fc.assert(
    fc.property(withSecret, withSecret, (a, b) => {
      const once = masked(`${a} ${b}`, OID.text);
      assert.ok(typeof once === 'string');
      assert.equal(masked(once, OID.text), LEFT, once);
    }),
  );
});
