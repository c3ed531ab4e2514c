// Re-reads the config file when it changes on disk. A bad one is refused whole and reported; the running one stays.

import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Config, type ReadOptions, readConfig } from './load.ts';
import type { Mistake } from './mistakes.ts';

export interface Watching {
  /** Reads the file now, changed or not (SIGHUP). */
  reload(): void;
  close(): void;
}

/** Editors and deployments write in several steps; the file is read when it has been quiet for so long. */
const QUIET_MS = 100;
/** Some file systems report no changes (network mounts); a look at the file's times finds them. */
const LOOK_MS = 5_000;

/**
 * Watches the folder and not the file, because most writers replace the file by renaming another over it. The callbacks
 * are never called after close().
 */
export function watchConfig(
  path: string,
  onConfig: (config: Config) => void,
  onMistakes: (mistakes: readonly Mistake[]) => void,
  options: ReadOptions = {},
): Watching {
  const file = resolve(path);
  let seen = signature(file);
  let quiet: NodeJS.Timeout | undefined;

  function reload(): void {
    seen = signature(file);
    const reading = readConfig(file, options);
    if (reading.ok) onConfig(reading.config);
    else onMistakes(reading.mistakes);
  }
  function look(): void {
    if (signature(file) === seen) return;
    clearTimeout(quiet);
    quiet = setTimeout(() => {
      if (signature(file) !== seen) reload();
    }, QUIET_MS).unref();
  }

  const watcher = watchFolder(dirname(file), look);
  const timer = setInterval(look, LOOK_MS).unref();
  return {
    reload,
    close() {
      watcher?.close();
      clearInterval(timer);
      clearTimeout(quiet);
    },
  };
}

/** Without a watcher (no inotify left, folder gone) the timer alone finds changes. */
function watchFolder(folder: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, onChange);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

/** Changes whenever the file's content was written or replaced, behind symbolic links too; a file that cannot be seen has one as well. */
function signature(file: string): string {
  try {
    const stat = statSync(file, { bigint: true });
    return `${stat.ino}:${stat.size}:${stat.mtimeNs}`;
  } catch {
    return '';
  }
}
