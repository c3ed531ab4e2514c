// LOAD DATA LOCAL, the protocol's way to copy a file of the client's into a table: the gateway carries none. It offers the
// capability to no client, asks no database for it, and refuses the statement. A database that asks for a file all the same would
// get whatever it names from a client that obeys (MySQL "Security Considerations for LOAD DATA LOCAL"): the session ends.

const NAME_MAX = 100;

/** Why a session ends whose database has sent a LOCAL INFILE request: 0xfb and the name of a file. */
export function localInfile(payload: Buffer): string {
  const name = payload.toString('utf8', 1, 1 + NAME_MAX).replace(/\p{C}+/gu, ' ');
  return `it asked for a file of the client: ${name}`;
}
