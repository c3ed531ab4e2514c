// The last words of a PostgreSQL session.
import type { EndReason } from '../listen.ts';
import type { LastWords } from '../session.ts';
import { errorResponse, terminate } from './messages.ts';

export const lastWords: LastWords = {
  farewell,
  violated: (message) => errorResponse({ severity: 'FATAL', code: '08P01', message }),
  goodbye: terminate,
};

/** The FATAL that ends a session (SQLSTATE class 57, operator intervention). */
function farewell({ kind, message, hint }: EndReason): Buffer {
  const code = {
    grant: '57P01',
    shutdown: '57P01',
    idle: '57P05',
    record: '58030',
    config: '57P01',
    upstream: '08006',
  }[kind];
  return errorResponse({ severity: 'FATAL', code, message, hint });
}
