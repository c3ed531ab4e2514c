// Interleaved measuring: each round puts the same load on every target once, so that what else the machine does falls on all.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Address, Target, TargetName } from './targets/target.ts';

const run = promisify(execFile);

/** Figures of each target, in the order of the rounds: of the pipe and the gateway one a round. */
export type Samples = Partial<Record<TargetName, number[]>>;

/**
 * Measures the targets `rounds` times, in alternating order; those that are only there to be seen, every second time. Those
 * that are compared should be neighbours in the list. Adds to `samples`, where there are some already.
 */
export async function interleave(
  targets: readonly Target[],
  rounds: number,
  measure: (target: Target) => Promise<number>,
  samples: Samples = {},
): Promise<Samples> {
  for (let round = 0; round < rounds; round++) {
    const even = round % 2 === 0;
    for (const target of even ? targets : targets.toReversed()) {
      if (!even && target.name !== 'pipe' && target.name !== 'gateway') continue;
      const figure = await measure(target).catch((error: Error) => {
        error.message = `${target.name}: ${error.message}`;
        throw error;
      });
      samples[target.name] = [...(samples[target.name] ?? []), figure];
    }
  }
  return samples;
}

export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median over the rounds of what `compare` makes of one target's figure and the pipe's of the same round. */
export function againstPipe(
  samples: Samples,
  name: TargetName,
  compare: (figure: number, pipe: number) => number,
): number | null {
  const figures = samples[name];
  const pipe = samples.pipe;
  if (figures === undefined || pipe === undefined) return null;
  return median(figures.map((figure, round) => compare(figure, pipe[round] ?? Number.NaN)));
}

/** Runs a program of bench/load in a process of its own, with its load and the address as JSON; answers what it prints. */
export async function runLoad<Load, Result>(file: string, at: Address, load: Load): Promise<Result> {
  const path = fileURLToPath(new URL(`load/${file}`, import.meta.url));
  const { stdout } = await run(process.execPath, [path, JSON.stringify({ ...load, ...addressOf(at) })], {
    timeout: 120_000,
    killSignal: 'SIGKILL',
  });
  return JSON.parse(stdout) as Result;
}

export function addressOf({ protocol, host, port, user, password, database }: Address): Address {
  return { protocol, host, port, user, password, database };
}
