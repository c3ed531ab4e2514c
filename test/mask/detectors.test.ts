// Detectors against their corpora, one by one and all together, and against random texts with secrets planted in them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileDetectors, type Detector } from '../../src/mask/detectors/scan.ts';
import { DETECTORS, type DetectorName } from '../../src/types.ts';

interface Sample {
  readonly line: string;
  readonly text: Buffer;
  readonly expected: readonly (readonly [start: number, end: number])[];
}

/** A corpus: `+ text with «finding»` or `- text`, see the files' heads. */
function corpus(name: DetectorName): Sample[] {
  const lines = readFileSync(new URL(`corpus/${name}.txt`, import.meta.url), 'utf8').split('\n');
  return lines.flatMap((line) => {
    if (!/^[+-] /.test(line)) return [];
    const expected: [number, number][] = [];
    let text = '';
    for (const part of line
      .slice(2)
      .replaceAll('\\n', '\n')
      .replaceAll('\\t', '\t')
      .split(/([«»])/)) {
      if (part === '«') expected.push([Buffer.byteLength(text), 0]);
      else if (part === '»') expected.at(-1)?.splice(1, 1, Buffer.byteLength(text));
      else text += part;
    }
    assert.equal(line.startsWith('+'), expected.length > 0, line);
    return [{ line, text: Buffer.from(text), expected }];
  });
}

function detectorOf(names: readonly DetectorName[]): Detector {
  const detector = compileDetectors(names);
  assert.ok(detector);
  return detector;
}

const all = detectorOf(DETECTORS);

function found(detector: Detector, text: Buffer): string[] {
  // Around it, what must not be read: in a row other cells stand there.
  const buffer = Buffer.concat([Buffer.from('a0'), text, Buffer.from('0a')]);
  const findings = detector.scan(buffer, 2, 2 + text.length) ?? [];
  return findings.map(({ start, end }) => buffer.toString('utf8', start, end));
}

for (const name of DETECTORS) {
  test(`${name}: finds each positive of its corpus to the letter, and no negative`, () => {
    const samples = corpus(name);
    const positives = samples.filter(({ expected }) => expected.length > 0);
    assert.ok(positives.length >= 30 && samples.length - positives.length >= 30);
    const detector = detectorOf([name]);
    for (const { line, text, expected } of samples) {
      const secrets = expected.map(([start, end]) => text.toString('utf8', start, end));
      assert.deepEqual(found(detector, text), secrets, line);
      // A string of JSON or an element of an array is a text like any other.
      for (const [before, behind] of [
        ['"', '"'],
        ['{', ',x}'],
        ['{x,', '}'],
      ] as const) {
        const inside = found(detector, Buffer.concat([Buffer.from(before), text, Buffer.from(behind)]));
        if (expected.length > 0) assert.ok(inside.length > 0, `${before}${line}${behind}`);
      }
    }
  });
}

test('all together find at least what each finds by itself', () => {
  for (const name of DETECTORS) {
    for (const { line, text, expected } of corpus(name)) {
      const findings = all.scan(text, 0, text.length) ?? [];
      for (const [start, end] of expected) {
        assert.ok(
          findings.some((finding) => finding.start <= start && finding.end >= end),
          line,
        );
      }
    }
  }
});

test('findings come in order, apart from each other, inside the stretch', () => {
  const pieces = DETECTORS.flatMap((name) => corpus(name)).map(({ text }) => text.toString());
  const glue = fc.constantFrom('', ' ', ',', '"', '@', ':', '=', '/', '\\', '.', '-', '_', '1', 'é');
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...pieces), glue), { maxLength: 6 }), fc.nat(20), (parts, cut) => {
      const text = Buffer.from(parts.flat().join(''));
      const start = Math.min(cut, text.length);
      const findings = all.scan(text, start, text.length);
      assert.notEqual(findings?.length, 0);
      let last = start - 1;
      for (const finding of findings ?? []) {
        assert.ok(finding.start > last && finding.end > finding.start && finding.end <= text.length);
        last = finding.end;
      }
    }),
    { numRuns: 500 },
  );
});

/** One secret of each kind, and what may stand next to it. */
const SECRETS: Readonly<Record<DetectorName, string>> = {
  'private-key': '-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END PRIVATE KEY-----',
  jwt: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
  'github-token': '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',
  'aws-access-key': 'AKIAIOSFODNN7EXAMPLE',
  'connection-string': 'postgres://bob:s3cret@db.internal/app',
  iban: 'DE89 3704 0044 0532 0130 00',
  'credit-card': '4111 1111 1111 1111',
  'us-ssn': '123-45-6789',
  email: 'ada.lovelace@example.com',
  'ip-address': '203.0.113.7',
  phone: '+44 20 7946 0018',
};

test('a planted secret is found in any text, whatever stands around it', () => {
  const words = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(...'0123456789 .-:@/+()=_eyJAKIgh'), maxLength: 40 }),
  );
  const edge = fc.constantFrom(' ', '\n', '"', '<', '>', '\t', "'", ';', '|');
  fc.assert(
    fc.property(words, edge, fc.constantFrom(...DETECTORS), edge, words, (before, left, name, right, behind) => {
      // What reads on: a longer key, number or version; the word `version` before an address.
      const text = `${before}\n${left}${SECRETS[name]}${right}\n${behind}`;
      const start = Buffer.byteLength(`${before}\n${left}`);
      const end = start + Buffer.byteLength(SECRETS[name]);
      const buffer = Buffer.from(text);
      for (const detector of [all, detectorOf([name])]) {
        const findings = detector.scan(buffer, 0, buffer.length) ?? [];
        assert.ok(
          findings.some((finding) => finding.start <= start && finding.end >= end),
          JSON.stringify(text),
        );
      }
    }),
    { numRuns: 2000 },
  );
});

test('random bytes are read to their end and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      all.scan(bytes, 0, bytes.length);
      // The same with more of what detectors look closer at.
      const keen = bytes.map((byte) => '0123456789 .-:@/+()=_eyJAKIGgh"\\%{}'.charCodeAt(byte % 37));
      all.scan(keen, 0, keen.length);
    }),
    { numRuns: 3000 },
  );
});

test('a text of nothing but candidates takes time in proportion to its length', () => {
  const candidates = [
    '@',
    '%40',
    '://a:',
    'password=',
    "password='",
    'password={',
    '1.',
    'a:',
    '+1 ',
    '4111 ',
    'eyJ.',
    '_ghp_',
  ];
  const more = [
    '-----BEGIN PRIVATE KEY-----',
    'eyJhbGciOiJIUzI1NiJ9.',
    'AKIA',
    'DE89',
    '\\u0040',
    'a@a.',
    'ssn ',
    '=',
    '\\',
  ];
  for (const candidate of [...candidates, ...more]) {
    const size = 1 << 18;
    const text = Buffer.alloc(size, candidate);
    // A machine of any speed: what costs the square would take hours.
    all.scan(text, 0, text.length);
  }
});

test('no detector is nothing to do', () => {
  assert.equal(compileDetectors([]), null);
  assert.deepEqual(compileDetectors(['phone', 'email'])?.names, ['email', 'phone']);
});
