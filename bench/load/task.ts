// A task from its request to its first answer, in a process of its own: a grant is asked for where the target gives grants, then
// a login with it, one point select, goodbye. Against the database itself there is nothing to ask for.
//
// `node task.ts <TaskLoad as JSON>` prints a TaskResult as JSON.

import { fileURLToPath } from 'node:url';
import { ACCOUNTS } from '../data.ts';
import type { Address, GrantsAt } from '../targets/target.ts';
import { wireOf } from './wire.ts';

export interface TaskLoad extends Address {
  /** Where grants are given; undefined: the login of the address is what counts. */
  readonly grants?: GrantsAt | undefined;
  readonly warmups: number;
  readonly tasks: number;
}

export interface TaskResult {
  /** Median time of a task, in ms. */
  readonly medianMs: number;
}

export async function run({ grants, warmups, tasks, ...address }: TaskLoad): Promise<TaskResult> {
  const times: number[] = [];
  for (let task = 0; task < warmups + tasks; task++) {
    const begin = performance.now();
    const login = grants === undefined ? address : { ...address, ...(await request(grants)) };
    await firstAnswer(login);
    if (task >= warmups) times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  return { medianMs: times[times.length >> 1] ?? Number.NaN };
}

async function request({ url, token, body }: GrantsAt): Promise<{ user: string; password: string }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`the grant was refused: ${await response.text()}`);
  return (await response.json()) as { user: string; password: string };
}

async function firstAnswer(login: Address): Promise<void> {
  const wire = wireOf(login.protocol);
  const points = wire.points('simple');
  let answered = () => {};
  const answer = new Promise<void>((resolve) => {
    answered = resolve;
  });
  const socket = await wire.login(login, (chunk) => points.take(chunk) && answered());
  socket.write(points.next(1 + Math.floor(Math.random() * ACCOUNTS)));
  await answer;
  socket.end(wire.goodbye);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}') as TaskLoad)));
}
