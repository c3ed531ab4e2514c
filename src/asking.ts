// How to ask for a grant, as one line for a shell: sessions, notices and refused logins all tell their clients the same.

/** What is to be asked for; null is to be filled in. */
export interface Wanted {
  readonly connection: string | null;
  readonly scopes: readonly string[] | null;
  readonly task: string | null;
}

export function requestCommand({ connection, scopes, task }: Wanted): string {
  const asked = scopes === null ? '--scope …' : scopes.map((scope) => `--scope ${shellWord(scope)}`).join(' ');
  const where = connection === null ? '<connection>' : shellWord(connection);
  const what = task === null ? '…' : shellWord(task);
  return `sallyport grants request --connection ${where} ${asked} --ttl 20m --task ${what} --reason "…"`;
}

/** Scopes, tasks and databases are what an agent has written: none of it is for the shell. */
function shellWord(text: string): string {
  return /^[\w.:+@%/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
