// How fast detectors read: cells of realistic text columns through all of them, next to a loop of JavaScript regexes over strings.

import { pathToFileURL } from 'node:url';
import { compileDetectors } from '../src/mask/detectors/scan.ts';
import { DETECTORS } from '../src/types.ts';

const ROWS = 4000;
const ROUNDS = 5;

/** What such a loop would look for; simpler than the detectors are, without their checksums and context. */
const REGEXES: readonly RegExp[] = [
  /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/,
  /\b(?:\d[ -]?){13,19}\b/,
  /\b\d{3}-\d{2}-\d{4}\b/,
  /\+?\(?\d{1,4}\)?(?:[ .-]?\d{2,4}){2,4}/,
  /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/,
  /\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}\b/i,
  /\beyJ[\w-]+\.[\w-]+\.[\w-]*/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/,
  /\bgh[pousr]_\w{36}\b|\bgithub_pat_\w{82}\b/,
  /\w+:\/\/[^\s:@/]*:[^\s@]+@|\bpassword=\S+/i,
];

const NAMES = [
  'Ada Lovelace',
  'Grace Hopper',
  'Edsger Dijkstra',
  'Barbara Liskov',
  'Kristen Nygaard',
  'Małgorzata Nowak',
];
const STREETS = [
  '12 St James Square',
  'Storgata 4 B',
  '1600 Amphitheatre Parkway',
  'Rua Augusta 1508, apto 42',
  'Hauptstraße 7',
];
const WORDS =
  'the order was shipped late and customer asked for a refund because of damaged box; support agreed to send another one today'.split(
    ' ',
  );

/** Eight text columns as tables have them; one cell in about two hundred holds something that is found. */
function cells(): Buffer[] {
  const all: Buffer[] = [];
  for (let row = 0; row < ROWS; row++) {
    const words = (n: number) => Array.from({ length: n }, (_, i) => WORDS[(row * 7 + i * i) % WORDS.length]).join(' ');
    const planted = row % 25 === 0 ? ' write to ada.lovelace@example.com' : '';
    all.push(
      Buffer.from(NAMES[row % NAMES.length] ?? ''),
      Buffer.from(`${STREETS[row % STREETS.length]}, ${10_000 + row} Oslo`),
      Buffer.from(`2024-0${1 + (row % 9)}-17 10:0${row % 10}:00.${100_000 + row}+00`),
      Buffer.from(`${(row * 2654435761).toString(16).padStart(12, '0')}-4a5b-11ee-be56-0242ac120002`),
      Buffer.from(`ORD-2024-${100_000 + row}`),
      Buffer.from(`${words(40)}.${planted}`),
      Buffer.from(
        JSON.stringify({ id: row, sku: `A-${row}`, tags: words(5).split(' '), price: row / 100, note: words(9) }),
      ),
      Buffer.from(`https://shop.example.com/orders/${row}?page=2&sort=date#items`),
    );
  }
  return all;
}

export interface DetectorSpeed {
  /** Megabytes (10^6) a second of this thread's time. */
  readonly detectors: number;
  readonly regexes: number;
  readonly ratio: number;
}

/** Measures for about two seconds: the best of interleaved rounds. */
export function detectorSpeed(): DetectorSpeed {
  const detector = compileDetectors(DETECTORS);
  if (detector === null) throw new Error('no detector is on');
  const all = cells();
  const bytes = all.reduce((sum, cell) => sum + cell.length, 0);
  // As rows come: the cells lie in one buffer.
  const buffer = Buffer.concat(all);
  const scan = (): number => {
    let found = 0;
    let at = 0;
    for (const cell of all) {
      if (detector.scan(buffer, at, at + cell.length) !== null) found++;
      at += cell.length;
    }
    return found;
  };
  const match = (): number => {
    let found = 0;
    let at = 0;
    for (const cell of all) {
      const text = buffer.toString('utf8', at, at + cell.length);
      for (const regex of REGEXES) if (regex.test(text)) found++;
      at += cell.length;
    }
    return found;
  };
  const best = { scan: Number.POSITIVE_INFINITY, match: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round++) {
    best.scan = Math.min(best.scan, seconds(scan, 8));
    best.match = Math.min(best.match, seconds(match, 2));
  }
  const detectors = bytes / best.scan / 1e6;
  const regexes = bytes / best.match / 1e6;
  return { detectors, regexes, ratio: detectors / regexes };
}

/** Processor time of one run, so that another process on the same core is not counted. */
function seconds(run: () => number, times: number): number {
  const before = process.threadCpuUsage();
  for (let n = 0; n < times; n++) if (run() === 0) throw new Error('nothing was found');
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1e6 / times;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { detectors, regexes, ratio } = detectorSpeed();
  console.log(`all detectors   ${detectors.toFixed(0).padStart(6)} MB/s a core`);
  console.log(`regexes         ${regexes.toFixed(0).padStart(6)} MB/s a core`);
  console.log(`ratio           ${ratio.toFixed(2).padStart(6)}`);
}
