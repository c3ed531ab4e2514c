// What only the whole file can tell: names that point at nothing, and what is allowed but probably not meant.

import { identityMistakes, identityWarnings, isLoopback } from './issuers.ts';
import type { Found } from './load.ts';
import { suggestion } from './mistakes.ts';
import type { ConfigFile, Validators } from './schema.ts';

const DAY_MS = 86_400_000;

/** Names that point at nothing, what the languages inside the file say, and what the gateway does not do yet. */
export function crossMistakes(file: ConfigFile, validators: Validators): Found[] {
  const mistakes: Found[] = [];
  const connections = Object.keys(file.connections);
  const policies = Object.keys(file.policies);
  const maskings = Object.keys(file.masking);
  const known = (at: PropertyKey[], kind: string, name: string | undefined, names: readonly string[]) => {
    if (name !== undefined && !names.includes(name)) {
      mistakes.push({ at, message: `there is no ${kind} "${name}"${suggestion(name, names)}` });
    }
  };

  for (const [name, connection] of Object.entries(file.connections)) {
    known(['connections', name, 'policy'], 'policy', connection.policy, policies);
    known(['connections', name, 'masking'], 'masking', connection.masking, maskings);
  }
  file.access.forEach((rule, index) => {
    rule.connections.forEach((name, place) => {
      if (name !== '*') known(['access', index, 'connections', place], 'connection', name, connections);
    });
    rule.scopes.forEach((text, place) => {
      const at = ['access', index, 'scopes', place];
      const wrong = validators.scope?.(text) ?? null;
      if (wrong !== null) {
        mistakes.push({ at, message: wrong });
        return;
      }
      const name = connectionOf(text);
      if (name === null || name === '*') return;
      known(at, 'connection', name, connections);
      if (connections.includes(name) && !rule.connections.includes('*') && !rule.connections.includes(name)) {
        mistakes.push({
          at,
          message: `this rule's connections leave out "${name}", so the scope can never be granted`,
        });
      }
    });
  });
  for (const [name, policy] of Object.entries(file.policies)) {
    for (const { path, message } of validators.policy?.(policy.rules) ?? []) {
      mistakes.push({ at: ['policies', name, ...parts(path)], message });
    }
  }
  for (const [name, masking] of Object.entries(file.masking)) {
    const message = validators.masking?.(masking) ?? null;
    if (message !== null) mistakes.push({ at: ['masking', name], message });
  }
  mistakes.push(...identityMistakes(file));
  return mistakes;
}

export function warningsOf(file: ConfigFile): Found[] {
  const warnings: Found[] = [];
  for (const [name, { password, provisioned, tls, host }] of Object.entries(file.connections)) {
    const message = `the password stands in the file; \${env:NAME} or \${file:/path} keeps it out`;
    const literal = (secret: typeof password) => secret?.literal === true && secret.written !== '';
    if (literal(password)) warnings.push({ at: ['connections', name, 'password'], message });
    if (literal(provisioned?.password)) {
      warnings.push({ at: ['connections', name, 'provisioned', 'password'], message });
    }
    const mode = tls?.mode ?? 'prefer';
    if (!mode.startsWith('verify') && !isLoopback(host)) {
      const at = tls === undefined ? ['connections', name] : ['connections', name, 'tls', 'mode'];
      warnings.push({ at, message: `tls mode ${mode} does not prove who ${host} is; verify-full does` });
    }
  }
  for (const kind of ['policies', 'masking'] as const) {
    const used = Object.values(file.connections).map(
      (connection) => connection[kind === 'policies' ? 'policy' : 'masking'],
    );
    for (const name of Object.keys(file[kind])) {
      if (!used.includes(name)) warnings.push({ at: [kind, name], message: 'no connection uses it' });
    }
  }
  if (file.access.length === 0)
    warnings.push({ at: ['access'], message: 'without an access rule nobody is granted anything' });
  warnings.push(...accessWarnings(file));
  for (const [name, policy] of Object.entries(file.policies)) {
    policy.rules.forEach((rule, index) => {
      if (rule.then !== 'approve') return;
      const message = 'approvals are not supported yet: what this rule matches is refused';
      warnings.push({ at: ['policies', name, 'rules', index, 'then'], message });
    });
  }
  warnings.push(...identityWarnings(file));
  return warnings;
}

function accessWarnings({ access, identity }: ConfigFile): Found[] {
  const warnings: Found[] = [];
  // Without an issuer the operator token is what proves a caller, and its holder may approve.
  const withRole =
    (identity?.issuers.length ?? 0) === 0 || [identity?.roles.approver, identity?.roles.operator].some(Boolean);
  access.forEach((rule, index) => {
    const warn = (key: keyof typeof rule, message: string) => warnings.push({ at: ['access', index, key], message });
    if (rule.maxTtl > DAY_MS) warn('maxTtl', 'longer than 24h: a grant is meant for one task');
    const asks =
      rule.approval === 'required' ? 'approval' : rule.maxConsecutive === undefined ? null : 'maxConsecutive';
    if (asks !== null && rule.approvers === undefined && !withRole) {
      warn(asks, 'nobody can approve: the rule has no approvers, and no group has the role approver or operator');
    }
    if (asks === null && rule.approvers !== undefined)
      warn('approvers', 'never asked: approval is auto without maxConsecutive');
    if (rule.approvers?.groups.includes('*')) warn('approvers', 'anybody but who asks may approve, agents too');
  });
  return warnings;
}

/** The connection a scope names, or null where the text is no scope. */
function connectionOf(scope: string): string | null {
  const parts = /^db:(?:"((?:[^"]|"")*)"|([^.:"]+))[.:]/.exec(scope);
  return parts?.[1]?.replaceAll('""', '"') ?? parts?.[2] ?? null;
}

/** `rules[0].when` as its parts. */
function parts(path: string): PropertyKey[] {
  return path
    .split(/[.[\]]+/)
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
