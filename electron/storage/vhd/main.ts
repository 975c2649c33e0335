// The reader of foreign VHDs: `node main.ts --file PATH [--socket PATH]`, a process of its own for every import (DESIGN
// §8: hostile input). Prints one line of JSON: what the image is, or the fault; with --socket it then serves the content
// as a read-only NBD export until it is ended or its starter is gone.
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Fault } from '../../../shared/result.ts';
import { openBlockFile } from '../../platform/block-file.ts';
import { listenUnix, nextTurn } from '../../platform/byte-stream.ts';
import { systemClock } from '../../platform/clock.ts';
import { lookAtFile } from '../../platform/vm-files.ts';
import { serveNbd } from '../nbd/server.ts';
import { openChain } from './chain.ts';

const WATCH_MS = 500;
const log = (line: string): void => console.error(line);
const print = (document: unknown): void => console.log(JSON.stringify(document));

async function serve(path: string, socketPath: string | undefined): Promise<void> {
  const folder = dirname(path);
  const starter = process.ppid;
  const disk = openChain(basename(path), name => {
    const found = lookAtFile(join(folder, name));
    // A link out of the folder is a way out of the folder.
    if (found === null || dirname(found.path) !== folder) return null;
    return openBlockFile(found.path, name, 'read-only');
  });
  if (socketPath !== undefined) {
    const onBug = (error: unknown): never => {
      throw error;
    };
    const server = await serveNbd({
      socketPath,
      exports: [{ name: '', volume: disk }],
      listen: listenUnix,
      clock: systemClock,
      nextTurn,
      log,
      onBug,
    });
    process.on('SIGTERM', () => void server.close().then(() => process.exit(0)));
    systemClock.every(WATCH_MS, () => {
      if (process.ppid !== starter) process.exit(0);
    });
  }
  print({ virtualBytes: disk.sizeBytes, dataBytes: disk.dataBytes(), chain: disk.names() });
}

const { values } = parseArgs({ options: { file: { type: 'string' }, socket: { type: 'string' } } });
if (values.file === undefined) {
  log('usage: main --file PATH [--socket PATH]');
  process.exit(2);
}
try {
  await serve(values.file, values.socket);
} catch (cause) {
  if (!(cause instanceof Fault)) throw cause;
  print({ fault: cause.body });
  process.exitCode = 1;
}
