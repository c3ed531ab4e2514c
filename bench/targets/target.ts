// What the load is put on: the database itself, the pipe, a pooler or a proxy, the gateway.

export type Protocol = 'postgres' | 'mysql';

/** All are reached without TLS on 127.0.0.1. */
export interface Address {
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** What a grant is asked for with. */
export interface GrantsAt {
  readonly url: string;
  readonly token: string;
  /** The request, as the API takes it. */
  readonly body: object;
}

export type TargetName = 'direct' | 'pipe' | 'pgbouncer' | 'haproxy' | 'gateway';

export interface Target extends Address {
  readonly name: TargetName;
  /** The process whose memory is looked at. */
  readonly pid: number;
  /** Of the gateway: where its grants are asked for. */
  readonly grants?: GrantsAt;
  /** What the process has said last, where it has ended by itself; else null. */
  lastWords?(): string | null;
  stop(): Promise<void>;
}
