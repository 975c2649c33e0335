// The reader of foreign VHDs, a process of its own for every import (DESIGN §8: hostile input). Prints one
// line of JSON: what the image is, or the fault. Then, if told to, it serves or pushes the content until
// done, or its starter is gone.
//
//   --file PATH                               the image with its parents beside it
//   --file PATH --socket S                    … served read-only by NBD at S until ended
//   --file PATH --image N --push S --export E  writes what the Nth image of its chain holds itself (0: the newest) into the
//                                             export E at S; further lines tell how much is written
//   --file PATH --alone [--push S --export E]  the image without its parents
//   --file PATH --stamp UUID                  an image of ours, just written, gets the UUID of its point
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Fault } from '../../../shared/result.ts';
import { openBlockFile } from '../../platform/block-file.ts';
import { listenUnix, nextTurn } from '../../platform/byte-stream.ts';
import { systemClock } from '../../platform/clock.ts';
import { connectBytes } from '../../platform/socket.ts';
import { lookAtFile } from '../../platform/vm-files.ts';
import { NbdWriter } from '../nbd/client.ts';
import { serveNbd } from '../nbd/server.ts';
import { openAlone, openImages } from './chain.ts';
import { ForeignDisk, type ForeignImage } from './foreign-disk.ts';
import { exactSize } from './geometry.ts';
import { ownBytes, pushImage } from './push.ts';
import { stampUuid } from './stamp.ts';

const WATCH_MS = 500;
const log = (line: string): void => console.error(line);
const print = (document: unknown): void => console.log(JSON.stringify(document));

const { values } = parseArgs({
  options: {
    file: { type: 'string' },
    socket: { type: 'string' },
    image: { type: 'string' },
    alone: { type: 'boolean' },
    push: { type: 'string' },
    export: { type: 'string' },
    stamp: { type: 'string' },
  },
});

function openIn(path: string): ForeignImage[] {
  const folder = dirname(path);
  const open = (name: string) => {
    const found = lookAtFile(join(folder, name));
    // A symbolic link that leads out of the folder is not followed.
    if (found === null || dirname(found.path) !== folder) return null;
    return openBlockFile(found.path, name, 'read-only');
  };
  return values.alone === true ? [openAlone(basename(path), open)] : openImages(basename(path), open);
}

function endWithStarter(): void {
  const starter = process.ppid;
  systemClock.every(WATCH_MS, () => {
    if (process.ppid !== starter) process.exit(0);
  });
}

async function serve(disk: ForeignDisk, socketPath: string): Promise<void> {
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
  endWithStarter();
}

async function push(images: readonly ForeignImage[], socketPath: string, exportName: string): Promise<void> {
  endWithStarter();
  const image = images[Number(values.image ?? 0)];
  if (image === undefined) throw new Error(`no image ${values.image}`);
  const alone = new ForeignDisk([image]);
  const writer = await NbdWriter.open(await connectBytes(socketPath), exportName);
  await pushImage(alone, image.layout.parent !== null, writer, pushedBytes => print({ pushedBytes }));
}

const described = ({ file, layout }: ForeignImage) => ({
  name: file.name,
  uuid: layout.footer.uuid,
  parentUuid: layout.parent?.uuid ?? null,
  givenBytes: file.allocatedBytes(),
});

async function run(path: string): Promise<void> {
  if (values.stamp !== undefined) {
    const file = openBlockFile(path, basename(path), 'existing');
    stampUuid(file, values.stamp);
    return print({ stamped: values.stamp });
  }
  const images = openIn(path);
  const disk = new ForeignDisk(images);
  if (values.socket !== undefined) await serve(disk, values.socket);
  const chosen = images[Number(values.image ?? 0)];
  print({
    virtualBytes: disk.sizeBytes,
    exactBytes: exactSize(disk.sizeBytes),
    dataBytes: disk.dataBytes(),
    chain: images.map(described),
    // To count these bytes every bitmap is read: minutes, where the disk is large and full.
    ownBytes: values.push !== undefined && chosen !== undefined ? ownBytes(new ForeignDisk([chosen])) : null,
  });
  if (values.push === undefined) return;
  await push(images, values.push, values.export ?? '');
  process.exit(0);
}

if (values.file === undefined) {
  log('usage: main --file PATH [--socket PATH | --image N --push PATH --export NAME] [--alone]');
  process.exit(2);
}
try {
  await run(values.file);
} catch (cause) {
  if (!(cause instanceof Fault)) throw cause;
  print({ fault: cause.body });
  process.exit(1);
}
