// Random statements on real servers: no value shows up in an output, or in a stored column, that its lineage leaves out.

import assert from 'node:assert/strict';
import { both } from './lineage-expect.ts';
import { runGenerated } from './lineage-random.ts';

both('values flow only where lineage says', async (flavour, world) => {
  const tally = await runGenerated(world, flavour, 1, 700);
  assert.deepEqual(tally.wrong, []);
  // Enough of them say something, and say it of what the server does run.
  assert.ok(tally.ran >= 500, `${tally.ran} ran: ${tally.refused.slice(0, 10).join('\n')}`);
  assert.ok(tally.unproven <= tally.ran / 20, `${tally.unproven} are not followed`);
  assert.ok(Math.min(...Object.values(tally.kinds)) > 100, JSON.stringify(tally.kinds));
  assert.ok(tally.found > 2000, `${tally.found} found`);
});
