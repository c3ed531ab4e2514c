// The reference: the plainest forwarder that node:net allows, in a process of its own. It reads nothing of what passes.
//
// `node pipe.ts <host> <port>` prints the port that it listens on and ends with its standard input.

import { connect, createServer, type Socket } from 'node:net';

const [host = '127.0.0.1', port = '5432'] = process.argv.slice(2);

function forward(from: Socket, to: Socket): void {
  from.on('data', (chunk) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroy());
}

const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const upstream = connect({ host, port: Number(port), noDelay: true, allowHalfOpen: true });
  forward(client, upstream);
  forward(upstream, client);
});

server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
process.stdin.on('end', () => process.exit()).resume();
