// The config file: the contract's own example, every kind of mistake with its path and line, references, rotation.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references under test are written like that

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { validators } from '../../src/cli/validators.ts';
import { parseConfig, type ReadOptions, readConfig } from '../../src/config/load.ts';
import { policyMistakes } from '../../src/policy/rules.ts';
import { checkScope } from '../../src/policy/scope.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
writeFileSync(join(folder, 'ca.pem'), PEM);

const GOOD = `connections:
  analytics:
    protocol: postgres
    host: 10.0.4.12
    port: 5433
    database: analytics
    user: svc_sallyport
    password: \${env:ANALYTICS_PASSWORD}
    tls: { mode: verify-full, ca: ./ca.pem }
    policy: careful
    masking: pii
identity:
  issuers:
    - issuer: https://login.example.com
      audience: sallyport
      groupsClaim: groups
access:
  - groups: [agents]
    connections: [analytics]
    scopes: ["db:analytics:read"]
    maxTtl: 30m
    approval: auto
policies:
  careful:
    rules:
      - { name: no-drop-database, when: { statement: [drop-database] }, then: deny }
      - { name: destructive, when: { statement: [drop-table, truncate, delete-without-where] }, then: approve,
          approvers: { groups: [dba], min: 1 }, timeout: 10m, mode: hold }
      - { name: secrets-in-sql, when: { matches: 'AKIA[0-9A-Z]{16}' }, then: deny }
masking:
  pii:
    columns:
      - { column: "public.customers.email", with: { partial: { keepEnd: 4 } } }
      - { column: "*.*.ssn", with: redact }
      - { column: "*.*.note", with: null }
      - { column: "*.*.city", with: { constant: Springfield } }
    derived: mask
    predicates: allow
`;

const options: ReadOptions = {
  environment: { ANALYTICS_PASSWORD: 'hunter2' },
  scope: checkScope,
  policy: policyMistakes,
  masking: validators.masking,
};

function read(text: string, given: ReadOptions = options) {
  return parseConfig(text, join(folder, 'sallyport.yaml'), given);
}

function config(text: string, given: ReadOptions = options) {
  const reading = read(text, given);
  if (!reading.ok) assert.fail(JSON.stringify(reading.mistakes, null, 1));
  return reading.config;
}

/** The mistakes of the good file with one text in it replaced, as `path: message`, and their lines. */
function mistakes(from: string | RegExp, to: string, given: ReadOptions = options) {
  const text = GOOD.replace(from, () => to);
  assert.notEqual(text, GOOD);
  const reading = read(text, given);
  assert.equal(reading.ok, false, `${to} was accepted`);
  return reading.ok ? [] : reading.mistakes;
}

test('a whole file', () => {
  const { connections, access, policies, maskings, identity, warnings } = config(GOOD);
  const analytics = connections.get('analytics');
  assert.equal(analytics?.port, 5433);
  assert.equal(analytics?.password(), 'hunter2');
  assert.deepEqual(analytics?.tls, { mode: 'verify-full', ca: PEM });
  assert.deepEqual(access, [
    {
      groups: ['agents'],
      connections: ['analytics'],
      scopes: ['db:analytics:read'],
      approval: 'auto',
      maxTtlMs: 1_800_000,
    },
  ]);
  assert.equal(policies.get('careful')?.[1]?.timeout, 600_000);
  assert.deepEqual(
    maskings.get('pii')?.columns.map((column) => column.with),
    [{ partial: { keepEnd: 4 } }, 'redact', 'null', { constant: 'Springfield' }],
  );
  assert.equal(identity.issuers[0]?.audience, 'sallyport');
  assert.deepEqual(warnings.map(({ path }) => path).sort(), ['identity', 'policies.careful.rules[1].then']);
});

test('when grants may be asked for, how often, and who approves them', () => {
  const { access, warnings } = config(
    GOOD.replace(
      'approval: auto',
      `approval: required
    approvers: { groups: [dba] }
    hours: { days: [mon, fri], from: "22:00", to: "06:00", timeZone: Europe/Berlin }
    maxActive: 2
    maxConsecutive: 3`,
    ),
  );
  assert.deepEqual(access[0], {
    ...{ groups: ['agents'], connections: ['analytics'], scopes: ['db:analytics:read'], maxTtlMs: 1_800_000 },
    ...{ approval: 'required', approvers: { groups: ['dba'] }, maxActive: 2, maxConsecutive: 3 },
    hours: { days: ['mon', 'fri'], from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' },
  });
  assert.ok(warnings.every(({ path }) => !path.startsWith('access')));
  const table: [string, string, RegExp][] = [
    ['hours: { from: "8:00", timeZone: UTC }', 'access[0].hours.from', /written 08:00/],
    ['hours: { from: "08:00", to: "08:00", timeZone: UTC }', 'access[0].hours', /no time is between/],
    ['hours: { timeZone: Europe/Berln }', 'access[0].hours.timeZone', /IANA/],
    ['hours: { days: [monday], timeZone: UTC }', 'access[0].hours.days[0]', /mon, tue/],
    ['hours: { from: "08:00" }', 'access[0].hours.timeZone', /missing/],
    ['maxActive: 0', 'access[0].maxActive', />=1|at least|Too small/i],
    ['approvers: [dba]', 'access[0].approvers', /keys with values/],
  ];
  for (const [text, path, message] of table) {
    const found = mistakes('approval: auto', text);
    assert.ok(
      found.some((mistake) => mistake.path === path && message.test(mistake.message)),
      JSON.stringify(found),
    );
  }
});

test('an access rule that asks for people who are not there is warned of', () => {
  const warned = (rule: string, text = GOOD) =>
    config(text.replace('approval: auto', rule)).warnings.filter(({ path }) => path.startsWith('access'));
  const nobody = 'nobody can approve: the rule has no approvers, and no group has the role approver or operator';
  const [first] = warned('approval: required');
  assert.deepEqual([first?.path, first?.message, first?.line], ['access[0].approval', nobody, 22]);
  assert.deepEqual(
    warned('maxConsecutive: 3').map(({ path, message }) => `${path} ${message}`),
    [`access[0].maxConsecutive ${nobody}`],
  );
  const roles = GOOD.replace('access:', '  roles: { operator: [ops] }\naccess:');
  const token = GOOD.replace(/identity:[\s\S]*groupsClaim: groups\n/, '');
  for (const text of [roles, token]) assert.deepEqual(warned('approval: required', text), []);
  assert.deepEqual(warned('approval: required\n    approvers: { groups: [dba] }'), []);
  assert.match(String(warned('approvers: { groups: [dba] }')[0]?.message), /never asked/);
  assert.match(String(warned('maxConsecutive: 2\n    approvers: { groups: ["*"] }')[0]?.message), /agents too/);
  assert.match(String(warned('maxTtl: 25h', GOOD.replace('    maxTtl: 30m\n', ''))[0]?.message), /longer than 24h/);
});

test('the password is not on the connection, only behind its function', () => {
  assert.ok(!JSON.stringify([...config(GOOD).connections]).includes('hunter2'));
});

test('defaults: the port of the protocol, prefer, no password', () => {
  const { connections } = config(
    'connections: { a: { protocol: postgres, host: localhost, database: d, user: u } }\naccess: []',
  );
  const a = connections.get('a');
  assert.deepEqual([a?.port, a?.tls.mode, a?.password()], [5432, 'prefer', '']);
});

test('each mistake has its path, its line and what would be right', () => {
  const table: [string | RegExp, string, string, RegExp, number?][] = [
    ['protocol: postgres', 'protocol: postgress', 'connections.analytics.protocol', /did you mean "postgres"/, 3],
    ['    database: analytics\n', '', 'connections.analytics.database', /is missing/],
    [
      'database: analytics',
      'databse: analytics',
      'connections.analytics.databse',
      /unknown key; did you mean "database"/,
      6,
    ],
    ['port: 5433', 'port: 70000', 'connections.analytics.port', /1 to 65535/, 5],
    ['port: 5433', 'port: ${env:NO_PORT}', 'connections.analytics.port', /1 to 65535|NO_PORT/],
    ['host: 10.0.4.12', 'host: /var/run/postgresql', 'connections.analytics.host', /not supported/],
    ['user: svc_sallyport', 'user: 12', 'connections.analytics.user', /quotes/],
    [
      'env:ANALYTICS_PASSWORD',
      'env:ANALYTICS_PASWORD',
      'connections.analytics.password',
      /did you mean "ANALYTICS_PASSWORD"/,
      8,
    ],
    ['${env:ANALYTICS_PASSWORD}', '${file:./gone}', 'connections.analytics.password', /gone cannot be read \(ENOENT\)/],
    ['${env:ANALYTICS_PASSWORD}', '${vault:x}', 'connections.analytics.password', /known: env, file/],
    ['${env:ANALYTICS_PASSWORD}', '${env:X', 'connections.analytics.password', /written/],
    ['mode: verify-full', 'mode: verify-ful', 'connections.analytics.tls.mode', /did you mean "verify-full"/],
    ['ca: ./ca.pem', 'ca: ./none.pem', 'connections.analytics.tls.ca', /ENOENT/],
    ['policy: careful', 'policy: carefull', 'connections.analytics.policy', /did you mean "careful"/, 10],
    ['masking: pii\n', 'masking: pi\n', 'connections.analytics.masking', /did you mean "pii"/],
    ['connections: [analytics]', 'connections: [analytic]', 'access[0].connections[0]', /did you mean "analytics"/, 19],
    ['"db:analytics:read"', '"db:analytics:raed"', 'access[0].scopes[0]', /read/, 20],
    ['"db:analytics:read"', '"db:other:read"', 'access[0].scopes[0]', /no connection "other"/],
    ['groups: [agents]', 'groups: []', 'access[0].groups', /matches nothing/],
    ['maxTtl: 30m', 'maxTtl: 30', 'access[0].maxTtl', /unit/],
    ['maxTtl: 30m', 'maxTtl: 0', 'access[0].maxTtl', /unit/],
    ['approval: auto', 'approval: maybe', 'access[0].approval', /auto, required/],
    [
      'statement: [drop-database]',
      'statment: [drop-database]',
      'policies.careful.rules[0].when.statment',
      /did you mean "statement"/,
      26,
    ],
    ['then: deny', 'then: refuse', 'policies.careful.rules[0].then', /allow, deny, approve/],
    ['then: approve', 'then: deny', 'policies.careful.rules[1].approvers', /then: approve/],
    ['name: destructive', 'name: no-drop-database', 'policies.careful.rules[1].name', /no-drop-database/],
    ['name: destructive', 'name: scope', 'policies.careful.rules[1].name', /scope/],
    ['AKIA[0-9A-Z]{16}', '(?=a)', 'policies.careful.rules[2].when.matches', /./, 29],
    ['with: redact', 'with: hashed', 'masking.pii.columns[1].with', /strategy is/],
    ['with: redact', 'with: redacted', 'masking.pii.columns[1].with', /strategy is/],
    ['derived: mask', 'detectors: [emial]\n    derived: mask', 'masking.pii.detectors[0]', /did you mean "email"/],
    ['predicates: allow', 'predicates: maybe', 'masking.pii.predicates', /allow, deny/],
    ['audience: sallyport', 'audiense: sallyport', 'identity.issuers[0].audiense', /did you mean "audience"/],
    ['masking:\n  pii:', 'maskings:\n  pii:', 'maskings', /did you mean "masking"/],
    ['  analytics:\n', '  ana.lytics:\n', 'connections.ana.lytics', /letters/],
  ];
  for (const [from, to, path, message, line] of table) {
    const found = mistakes(from, to);
    const own = found.find((mistake) => mistake.path === path);
    assert.ok(own !== undefined, `${to}: ${JSON.stringify(found)}`);
    assert.match(own.message, message, to);
    if (line !== undefined) assert.equal(own.line, line, to);
  }
});

test('all mistakes of a file are named, not the first', () => {
  const text = GOOD.replace('port: 5433', 'port: no')
    .replace('maxTtl: 30m', 'maxTtl: long')
    .replace('then: deny', 'than: deny');
  const reading = read(text);
  assert.deepEqual(reading.ok ? [] : reading.mistakes.map(({ path }) => path).sort(), [
    'access[0].maxTtl',
    'connections.analytics.port',
    'policies.careful.rules[0].than',
    'policies.careful.rules[0].then',
  ]);
});

test('a broken, empty or missing file is a mistake that helps', () => {
  const broken = read('connections:\n  a: [1\nb: 2');
  assert.equal(broken.ok, false);
  assert.ok(!broken.ok && (broken.mistakes[0]?.line ?? 0) >= 2);
  const twice = read(GOOD.replace('    port: 5433', '    port: 5433\n    port: 5434'));
  assert.ok(!twice.ok && /unique/i.test(twice.mistakes[0]?.message ?? ''));
  for (const reading of [read(''), readConfig(join(folder, 'none.yaml'))]) {
    assert.ok(!reading.ok && /protocol: postgres/.test(reading.mistakes[0]?.message ?? ''));
  }
});

test('a secret is never in a mistake', () => {
  const text = GOOD.replace('${env:ANALYTICS_PASSWORD}', 'hunter2${env:NOPE}').replace('port: 5433', 'port: hunter2');
  assert.ok(!JSON.stringify(read(text)).includes('hunter2'));
});

test('a password file is read at each dial, without its last newline, and its loss is an error without the secret', () => {
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'one\n');
  const { connections } = config(GOOD.replace('${env:ANALYTICS_PASSWORD}', '${file:./secret}'));
  const analytics = connections.get('analytics');
  assert.equal(analytics?.password(), 'one');
  writeFileSync(secret, 'two \n\n');
  assert.equal(analytics?.password(), 'two \n');
  rmSync(secret);
  assert.throws(() => analytics?.password(), /password of connection analytics: .*ENOENT/);
});

test('references stand inside texts too, and a literal password is a warning', () => {
  const { connections, warnings } = config(
    GOOD.replace('host: 10.0.4.12', 'host: db-${env:REGION}.example.com').replace('${env:ANALYTICS_PASSWORD}', 'plain'),
    { ...options, environment: { REGION: 'eu' } },
  );
  assert.equal(connections.get('analytics')?.host, 'db-eu.example.com');
  assert.ok(warnings.some(({ path }) => path === 'connections.analytics.password'));
});

test('without proof of secrets a missing one is no mistake until it is asked for', () => {
  const { connections } = config(GOOD, { ...options, environment: {}, proveSecrets: false });
  assert.throws(() => connections.get('analytics')?.password(), /no ANALYTICS_PASSWORD/);
});

test('any text at all is read or refused, never thrown on', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.constant(GOOD).chain((good) => fc.nat(good.length).map((n) => good.slice(0, n))),
      ),
      (text) => {
        read(text);
      },
    ),
    { numRuns: 300 },
  );
});
