// The log (pino) and the metrics (prom-client). What is counted per statement is a plain number, copied when it is scraped.

import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { Counter, Gauge, Registry } from 'prom-client';
import type { Protocol } from './types.ts';

export type { Logger } from 'pino';

export interface LogOptions {
  readonly level: string;
  /** `auto` is pretty where standard output is a terminal. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** Standard output by default. */
  readonly destination?: DestinationStream | undefined;
}

const SECRET_KEYS = ['password', 'secret', 'token', 'authorization', 'verifiers', 'key', 'dsn'];

/** A logger that blanks whatever stands under a key that names a secret, three levels deep. */
export function createLogger({ level, format, destination }: LogOptions): Logger {
  const isPretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY === true);
  const stream =
    destination ??
    (isPretty
      ? pretty({ sync: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname', singleLine: true })
      : pino.destination({ dest: 1, sync: true }));
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    },
    stream,
  );
}

/** Counted by the gateway as it goes; every one only grows but `sessionsOpen`. */
export interface Tally {
  sessionsOpen: number;
  sessionsStarted: number;
  statementsAllowed: number;
  statementsDenied: number;
  /** Statements whose rule asks for a person. */
  statementsHeld: number;
  bytesFromClients: number;
  bytesToClients: number;
  cellsMasked: number;
  recordErrors: number;
}

export interface Metrics {
  readonly tally: Tally;
  /** A login came to nothing; `reason` is one of a few. */
  loginFailed(protocol: Protocol, reason: string): void;
  /** The API has answered with this status. */
  answered(status: number): void;
  readonly contentType: string;
  /** In the Prometheus text format. */
  render(): Promise<string>;
}

export function createMetrics(): Metrics {
  const tally: Tally = {
    sessionsOpen: 0,
    sessionsStarted: 0,
    statementsAllowed: 0,
    statementsDenied: 0,
    statementsHeld: 0,
    bytesFromClients: 0,
    bytesToClients: 0,
    cellsMasked: 0,
    recordErrors: 0,
  };
  const registry = new Registry();
  const registers = [registry];

  const counter = (name: string, help: string, read: () => number) => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
  new Gauge({
    name: 'sallyport_sessions',
    help: 'Sessions open now.',
    registers,
    collect() {
      this.set(tally.sessionsOpen);
    },
  });
  counter('sallyport_sessions_total', 'Sessions begun.', () => tally.sessionsStarted);
  const loginFailures = new Counter({
    name: 'sallyport_login_failures_total',
    help: 'Logins that came to nothing, by protocol and by why.',
    labelNames: ['protocol', 'reason'],
    registers,
  });
  const answers = new Counter({
    name: 'sallyport_api_requests_total',
    help: 'Requests of the API, by the status of their answer.',
    labelNames: ['status'],
    registers,
  });
  new Counter({
    name: 'sallyport_statements_total',
    help: 'Statements judged, by verdict.',
    labelNames: ['verdict'],
    registers,
    collect() {
      this.reset();
      this.inc({ verdict: 'allow' }, tally.statementsAllowed);
      this.inc({ verdict: 'deny' }, tally.statementsDenied);
      this.inc({ verdict: 'approve' }, tally.statementsHeld);
    },
  });
  new Counter({
    name: 'sallyport_bytes_total',
    help: 'Bytes read from and written to database clients, after login.',
    labelNames: ['direction'],
    registers,
    collect() {
      this.reset();
      this.inc({ direction: 'from-client' }, tally.bytesFromClients);
      this.inc({ direction: 'to-client' }, tally.bytesToClients);
    },
  });
  counter('sallyport_cells_masked_total', 'Cells of results that were masked.', () => tally.cellsMasked);
  counter('sallyport_record_errors_total', 'Commits of the record that failed.', () => tally.recordErrors);
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the gateway.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  return {
    tally,
    loginFailed: (protocol, reason) => loginFailures.inc({ protocol, reason }),
    answered: (status) => answers.inc({ status: String(status) }),
    contentType: registry.contentType,
    render: () => registry.metrics(),
  };
}
