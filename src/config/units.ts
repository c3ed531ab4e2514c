// Reads durations, sizes and addresses as people write them, and writes durations back.

export interface Address {
  readonly host: string;
  readonly port: number;
}

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/**
 * `30s`, `20m`, `500ms`, `1h30m`, `2d`: milliseconds. A bare `0` is zero; any other number without a unit is null, because
 * nobody knows whether its writer thought of seconds or milliseconds.
 */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === '0') return 0;
  if (!/^(?:\d{1,12}(?:\.\d{1,6})?(?:ms|s|m|h|d))+$/.test(trimmed)) return null;
  let total = 0;
  for (const [, amount = '', unit = ''] of trimmed.matchAll(/([\d.]+)(ms|[smhd])/g)) {
    total += Number(amount) * (DURATION_UNITS[unit] ?? Number.NaN);
  }
  const rounded = Math.round(total);
  return Number.isSafeInteger(rounded) ? rounded : null;
}

/** `1h30m` for 5400000: the largest units first, nothing that is zero. */
export function formatDuration(milliseconds: number): string {
  let rest = Math.round(milliseconds);
  if (rest <= 0) return '0s';
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const size = DURATION_UNITS[unit] ?? 1;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

/** `64MiB`, `16KiB`, `512B`, `10MB` (decimal), `4096`: bytes, or null. */
export function parseSize(text: string): number | null {
  const parts = /^(\d{1,15}(?:\.\d{1,6})?)\s*([a-z]{0,3})$/.exec(text.trim().toLowerCase());
  const factor = SIZE_UNITS[parts?.[2] ?? 'none'];
  if (parts === null || factor === undefined) return null;
  const bytes = Math.round(Number(parts[1]) * factor);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** `127.0.0.1:6432`, `[::1]:6432`, `localhost:0`: or null. The host is always named, so that nothing listens everywhere by accident. */
export function parseAddress(text: string): Address | null {
  const parts = /^(?:\[([0-9a-fA-F:.%a-z]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text.trim());
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  if (host === undefined || !Number.isInteger(port) || port > 65_535) return null;
  return { host, port };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
