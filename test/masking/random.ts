// Choices that a seed decides, so that a failing run can be repeated.

export interface Random {
  /** A whole number from 0 to `below - 1`. */
  below(below: number): number;
  /** True `percent` times of a hundred. */
  chance(percent: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** A list of `least` to `most` things. */
  some<T>(least: number, most: number, make: (index: number) => T): T[];
}

/** Mulberry32: 32 bits of state, good enough to choose among alternatives. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const random: Random = {
    below: (below) => Math.floor(next() * below),
    chance: (percent) => next() * 100 < percent,
    pick(list) {
      const found = list[random.below(list.length)];
      if (found === undefined) throw new Error('nothing to pick from');
      return found;
    },
    some: (least, most, make) => Array.from({ length: least + random.below(most - least + 1) }, (_, i) => make(i)),
  };
  return random;
}
