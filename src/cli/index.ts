// The `sallyport` command.

import { EXIT } from './exit.ts';
import { run } from './program.ts';

// A reader that has seen enough (`sallyport sessions list | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.refused),
);
process.exitCode = await run(process.argv.slice(2));
