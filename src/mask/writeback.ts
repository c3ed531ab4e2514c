// Recognises what a mask has made when it comes back: written into a protected column it would destroy the real value.
//
// Only masks of text can be told from values. A redacted number is 0 and a redacted date a date: nobody can say whether that
// was read here or meant.
import type { Strategy } from './rules.ts';

const REDACTED = '[redacted]';
/** `partial` hides three characters at least. */
const STARS = '***';
const TOKEN = /(?<![0-9A-Za-z_-])h_[0-9A-Za-z_-]{22}(?![0-9A-Za-z_-])/;

/** What of a bound value looks like one of these strategies' work, or null. */
export function maskedIn(value: string, strategies: Iterable<Strategy>): string | null {
  return seen(value, strategies, (constant) => value === constant);
}

/** The same for the literals of a statement's text. */
export function maskedInText(text: string, strategies: Iterable<Strategy>): string | null {
  const written = (constant: string, quote: string) =>
    text.includes(quote + constant.replaceAll(quote, quote + quote) + quote);
  // MySQL's strings may stand in double quotes too.
  return seen(text, strategies, (constant) => written(constant, "'") || written(constant, '"'));
}

function seen(text: string, strategies: Iterable<Strategy>, isConstant: (constant: string) => boolean): string | null {
  for (const strategy of strategies) {
    switch (strategy.kind) {
      case 'redact':
        if (text.includes(REDACTED)) return REDACTED;
        break;
      case 'partial':
        if (text.includes(STARS)) return STARS;
        break;
      case 'constant':
        if (isConstant(strategy.value)) return strategy.value;
        break;
      case 'null':
        break;
      default:
        if (TOKEN.test(text)) return TOKEN.exec(text)?.[0] ?? null;
    }
  }
  return null;
}
