// What the whole file tells of identity providers: addresses whose keys nobody could trust, and roles that nobody has.

import type { Found } from './load.ts';
import type { ConfigFile } from './schema.ts';

export function identityMistakes(file: ConfigFile): Found[] {
  const mistakes: Found[] = [];
  const seen = new Set<string>();
  file.identity?.issuers.forEach(({ issuer, audience }, index) => {
    const at = ['identity', 'issuers', index];
    const message = wrongAddress(issuer);
    if (message !== null) mistakes.push({ at: [...at, 'issuer'], message });
    const pair = JSON.stringify([issuer, audience]);
    if (seen.has(pair)) mistakes.push({ at, message: 'the same issuer with the same audience stands above' });
    seen.add(pair);
  });
  return mistakes;
}

/** OpenID Connect Discovery 1.0, section 3: https, without query and fragment. */
function wrongAddress(issuer: string): string | null {
  const url = new URL(issuer);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol !== 'https:' && !isLoopback(host)) {
    return 'over http anybody on the way could put their own keys in place of the issuer’s; https is what works';
  }
  if (/[?#]/.test(issuer) || url.username !== '' || url.password !== '') {
    return 'an issuer is an address without user, query and fragment, to the letter as tokens have it in iss';
  }
  return null;
}

export function identityWarnings(file: ConfigFile): Found[] {
  const { issuers = [], roles = {} } = file.identity ?? {};
  if (issuers.length === 0) {
    if (Object.keys(roles).length === 0) return [];
    const message = 'without an issuer nobody has a group: the operator token is what counts, and has every role';
    return [{ at: ['identity', 'roles'], message }];
  }
  const everybody = Object.entries(roles)
    .filter(([, groups]) => groups?.includes('*'))
    .map(([role]) => ({ at: ['identity', 'roles', role], message: 'everybody with a token has the role, agents too' }));
  if (roles.operator !== undefined) return everybody;
  const message =
    'no group has the role operator, and with an issuer the operator token is not taken: nobody can revoke';
  return [...everybody, { at: ['identity'], message: `${message} grants of others` }];
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
