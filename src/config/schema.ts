// The config file's shape, as zod schemas: strict objects, so that an unknown key is a mistake with its nearest known one.

import { isIP } from 'node:net';
import { z } from 'zod';
import { DETECTORS, VERBS } from '../types.ts';
import { suggestion } from './mistakes.ts';
import { isLiteral, type References } from './references.ts';
import { parseDuration } from './units.ts';

/** What the caller knows of the languages inside the file. */
export interface Validators {
  /** Null, or what is wrong with a scope. */
  readonly scope?: ((text: string) => string | null) | undefined;
  /** What is wrong with a policy's rules, each with its place below the policy: `rules[0].when.matches`. */
  readonly policy?: ((rules: readonly RuleData[]) => readonly { path: string; message: string }[]) | undefined;
  /** Null, or what is wrong with a masking. */
  readonly masking?: ((masking: MaskingData) => string | null) | undefined;
}

const MAX_TTL_MS = 366 * 86_400_000;

/** A strict object whose mistake has one line for each unknown key, in the order of the issue's `keys`. */
function strict<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined;
      const known = Object.keys(shape);
      return issue.keys.map((key) => `unknown key${suggestion(key, known)}`).join('\n');
    },
  });
}

const name = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,62}$/, 'a name has letters, digits, _ and -, 63 at most');
const words = z.array(z.string().min(1)).min(1, 'an empty list matches nothing');
const duration = z.string('a duration has a unit: 30s, 20m or 1h').transform((text, ctx) => {
  const value = parseDuration(text);
  if (value !== null && value > 0 && value <= MAX_TTL_MS) return value;
  ctx.addIssue(`"${text}" is not a duration such as 30s, 20m or 1h, above 0 and at most a year`);
  return z.NEVER;
});

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const timeOfDay = z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'a time of day is written 08:00');

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function connectionSchema(references: References, proveSecrets: boolean) {
  const text = z.string().transform((written, ctx) => {
    const found = references.resolve(written);
    if (found.ok && found.value !== '') return found.value;
    ctx.addIssue(found.ok ? 'is empty' : found.message);
    return z.NEVER;
  });
  const port = z.union([z.number(), text], 'a port is a number from 1 to 65535').transform((value, ctx) => {
    const number = typeof value === 'number' || /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
    if (Number.isInteger(number) && number >= 1 && number <= 65_535) return number;
    ctx.addIssue('a port is a number from 1 to 65535');
    return z.NEVER;
  });
  const host = text.refine(
    (value) => isIP(value) !== 0 || /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?$/.test(value),
    {
      error: 'a host is a name or an IP address; sockets in the file system are not supported',
    },
  );
  // The reference is proved now and resolved again at each dial, so that a rotated secret is picked up.
  const password = z.string().transform((written, ctx) => {
    const found = proveSecrets ? references.resolve(written) : { ok: true as const };
    if (found.ok) return { literal: isLiteral(written), written };
    ctx.addIssue(found.message);
    return z.NEVER;
  });
  return strict({
    protocol: z.enum(['postgres', 'mysql']),
    host,
    port: port.optional(),
    database: text,
    user: text,
    password: password.optional(),
    tls: strict({
      mode: z.enum(['disable', 'prefer', 'require', 'verify-ca', 'verify-full']),
      ca: text.optional(),
    }).optional(),
    policy: z.string().optional(),
    masking: z.string().optional(),
    provisioned: strict({ user: text, password: password.optional() }).optional(),
  });
}

const claim = z.string().min(1);
const issuer = strict({
  issuer: z.url({ protocol: /^https?$/, error: 'an issuer is an http(s) address' }),
  audience: z.string().min(1),
  groupsClaim: claim.default('groups'),
  subjectClaim: claim.default('sub'),
  /** Names the person an agent acts for, where the provider's tokens do not have the standard `act` claim. */
  actingForClaim: claim.optional(),
  /** The public client of `sallyport login`. */
  clientId: z.string().min(1).optional(),
  /** How long its keys are used while it cannot be reached. */
  keysFor: duration.default(86_400_000),
});

const groups = strict({ groups: words });

/** A stretch of the week: days and times of day in a time zone of the IANA database. */
const hours = strict({
  days: z
    .array(z.enum(DAYS))
    .min(1, 'an empty list matches nothing')
    .default([...DAYS]),
  from: timeOfDay.default('00:00'),
  to: timeOfDay.default('24:00'),
  timeZone: z.string().refine(isTimeZone, 'is not a time zone of the IANA database, such as Europe/Berlin'),
}).refine(({ from, to }) => from !== to, 'from and to are the same, so no time is between them');

const access = strict({
  groups: words,
  connections: words,
  scopes: z.array(z.string()).min(1, 'without a scope nothing can be granted'),
  maxTtl: duration,
  approval: z.enum(['auto', 'required']).default('auto'),
  /** Who may approve, beside those with the role. */
  approvers: groups.optional(),
  /** When grants may be asked for. */
  hours: hours.optional(),
  /** Active grants of one identity at the same time. */
  maxActive: z.int().min(1).optional(),
  /** Grants of the same scope in a row without a new reason, after which a person has to approve. */
  maxConsecutive: z.int().min(1).optional(),
});

const rule = strict({
  name,
  when: strict({
    statement: words.optional(),
    matches: z.string().min(1, 'an empty pattern matches everything').optional(),
    relations: words.optional(),
    functions: words.optional(),
    verbs: z.array(z.enum(VERBS)).min(1, 'an empty list matches nothing').optional(),
  }),
  then: z.enum(['allow', 'deny', 'approve']),
  approvers: strict({ groups: words, min: z.int().min(1).default(1) }).optional(),
  timeout: duration.optional(),
  mode: z.enum(['hold', 'return']).optional(),
}).superRefine((rule, ctx) => {
  if (rule.then === 'approve') return;
  for (const key of ['approvers', 'timeout', 'mode'] as const) {
    if (rule[key] !== undefined)
      ctx.addIssue({ code: 'custom', path: [key], message: 'only a rule with "then: approve" has it' });
  }
});

const strategy = z.union(
  [
    z.enum(['redact', 'null', 'hash']),
    // `with: null` reads as YAML's null, and means the word.
    z.null().transform(() => 'null' as const),
    strict({ partial: strict({ keepStart: z.int().min(0).optional(), keepEnd: z.int().min(0).optional() }) }),
    strict({ constant: z.union([z.string(), z.number(), z.boolean()]) }),
  ],
  { error: 'a strategy is redact, null, hash, {partial: {keepStart, keepEnd}} or {constant: …}' },
);

const column = strict({
  column: z.string().min(1),
  with: strategy,
});
const detector = z.string().transform((written, ctx) => {
  const known = DETECTORS.find((name) => name === written);
  if (known !== undefined) return known;
  ctx.addIssue(
    `"${written}" is not a detector${suggestion(written, DETECTORS) || `; there are ${DETECTORS.join(', ')}`}`,
  );
  return z.NEVER;
});
const masking = strict({
  columns: z.array(column).default([]),
  detectors: z.array(detector).default([]),
  derived: z.enum(['mask', 'deny']).default('mask'),
  predicates: z.enum(['allow', 'deny']).default('allow'),
});

export function fileSchema(references: References, proveSecrets: boolean) {
  return strict({
    connections: z
      .record(name, connectionSchema(references, proveSecrets))
      .refine((all) => Object.keys(all).length > 0, 'no connection is registered'),
    identity: strict({
      issuers: z.array(issuer).default([]),
      /** Which groups of a token have which role. */
      roles: strict({ operator: words.optional(), approver: words.optional(), auditor: words.optional() }).default({}),
    }).optional(),
    access: z.array(access).default([]),
    policies: z.record(name, strict({ rules: z.array(rule) })).default({}),
    masking: z.record(name, masking).default({}),
  });
}

export type ConfigFile = z.output<ReturnType<typeof fileSchema>>;
/** `keysFor` is milliseconds. */
export type IssuerData = z.output<typeof issuer>;
export type HoursData = z.output<typeof hours>;
/** `timeout` is milliseconds. */
export type RuleData = z.output<typeof rule>;
export type MaskingData = z.output<typeof masking>;
