// Stretches of the week in a time zone: whether one is open, and when it opens next. Daylight saving is Intl's business:
// an instant is turned into what a clock on the wall there shows, and that is compared; nothing is added up.

/**
 * Open from `from` (included) to `to` (excluded), both `HH:MM`, on each of the days. Where `to` is not after `from` it is of
 * the day that follows: `days` are those on which a stretch begins.
 */
export interface Hours {
  readonly days: readonly string[];
  readonly from: string;
  readonly to: string;
  /** Of the IANA database. */
  readonly timeZone: string;
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const MINUTE = 60_000;
const DAY = 86_400_000;
/** No change of a zone's offset moves a clock by more, in minutes. */
const LONGEST_CHANGE = 180;

/** What a clock on the wall shows. */
interface Local {
  /** Milliseconds since the epoch, were the clock one of UTC; to the minute. */
  readonly shown: number;
  /** 0 is Monday. */
  readonly day: number;
  /** Of the day. */
  readonly minute: number;
}

/** Whether the instant, in milliseconds since the epoch, is inside. */
export function isOpen(hours: Hours, at: number): boolean {
  const { day, minute } = localTime(hours.timeZone, at);
  const [from, to] = [minutes(hours.from), minutes(hours.to)];
  const begins = (index: number) => hours.days.includes(DAYS[(index + 7) % 7] ?? '');
  if (from < to) return begins(day) && minute >= from && minute < to;
  return (begins(day) && minute >= from) || (begins(day - 1) && minute < to);
}

/** When it opens next after an instant at which it is closed, in milliseconds since the epoch; null: not within two weeks. */
export function opensNext(hours: Hours, at: number): number | null {
  const { shown, minute } = localTime(hours.timeZone, at);
  const midnight = shown - minute * MINUTE;
  for (let day = -1; day <= 14; day++) {
    const wanted = midnight + day * DAY + minutes(hours.from) * MINUTE;
    // Around a change of the clock the same time of day comes twice, or not at all.
    const offsets = [offsetAt(hours.timeZone, wanted - DAY), offsetAt(hours.timeZone, wanted + DAY)];
    for (const instant of offsets.map((offset) => wanted - offset).sort((a, b) => a - b)) {
      if (instant > at && isOpen(hours, instant)) return firstOpen(hours, instant, at);
    }
  }
  return null;
}

/** `mon, tue, wed 08:00-18:00 Europe/Berlin` */
export function hoursText({ days, from, to, timeZone }: Hours): string {
  return `${days.length === DAYS.length ? '' : `${days.join(', ')} `}${from}-${to} ${timeZone}`;
}

/** `mon 2026-11-23 08:00 Europe/Berlin (2026-11-23T07:00:00Z)` */
export function instantText(timeZone: string, at: number): string {
  const { shown, day } = localTime(timeZone, at);
  const [date, time] = new Date(shown).toISOString().slice(0, 16).split('T');
  return `${DAYS[day]} ${date} ${time} ${timeZone} (${new Date(at).toISOString().slice(0, 19)}Z)`;
}

/** A time of day that a change of the clock leaves out is read as one after it; the stretch is open since the change. */
function firstOpen(hours: Hours, instant: number, after: number): number {
  let first = instant;
  for (let back = 1; back <= LONGEST_CHANGE; back++) {
    const earlier = instant - back * MINUTE;
    if (earlier <= after || !isOpen(hours, earlier)) break;
    first = earlier;
  }
  return first;
}

function minutes(time: string): number {
  const [hour, minute] = time.split(':').map(Number);
  return (hour ?? 0) * 60 + (minute ?? 0);
}

/** How far the clocks of the zone are ahead of UTC's, in milliseconds. */
function offsetAt(timeZone: string, at: number): number {
  return localTime(timeZone, at).shown - Math.floor(at / MINUTE) * MINUTE;
}

interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** What was asked for last, which is mostly asked for again: minutes since the epoch. */
  readonly asked: number;
  readonly answer: Local;
}

/** Making a format takes a hundred times as long as using it, and that a hundred times as long as all else here. */
const zones = new Map<string, Zone>();

function localTime(timeZone: string, at: number): Local {
  const asked = Math.floor(at / MINUTE);
  const zone = zones.get(timeZone);
  if (zone?.asked === asked) return zone.answer;
  const format = zone?.format ?? formatOf(timeZone);
  const answer = shownBy(format, at);
  zones.set(timeZone, { format, asked, answer });
  return answer;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric' },
  });
}

function shownBy(format: Intl.DateTimeFormat, at: number): Local {
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(at)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = part;
  const shown = Date.UTC(year, month - 1, day, hour, minute);
  // The day of the epoch was a Thursday.
  return { shown, day: (Math.floor(shown / DAY) + 3) % 7, minute: hour * 60 + minute };
}
