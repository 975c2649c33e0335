// Writes a point as an image that other programs open; the point itself is only read (T4). qemu-img reads it
// from storage by NBD, and writes a file beside the target. That file gets the target's name when it is whole
// and durable, so that nobody finds half an image.
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import type { PointId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { ExportFormat } from '../../../shared/timeline.ts';
import { requireRoom } from '../disk-room.ts';
import type { ChosenFile } from '../files.ts';
import {
  MEASURE,
  measuredBytes,
  type QemuImgPorts,
  qemuImgPath,
  runCopy,
  runLong,
  type ToolPorts,
} from '../qemu-img.ts';
import type { TaskRun } from '../tasks/tasks.ts';
import type { Unfinished } from '../tasks/unfinished.ts';

const MEASURE_TIMEOUT_MS = 600_000;

/** File systems allow 255: this leaves room for a number, the extension and `.part`. */
const NAME_BYTES_MAX = 200;

interface Writer {
  readonly driver: string;
  readonly options: string;
  readonly extension: string;
}

/** VHDs by QEMU's driver: their sizes are exact CHS products (T12), and force_size keeps them so. */
const WRITERS: Readonly<Record<ExportFormat, Writer>> = {
  vhd: { driver: 'vpc', options: 'subformat=dynamic,force_size=on', extension: 'vhd' },
  'vhd-fixed': { driver: 'vpc', options: 'subformat=fixed,force_size=on', extension: 'vhd' },
  vhdx: { driver: 'vhdx', options: 'subformat=dynamic', extension: 'vhdx' },
  qcow2: { driver: 'qcow2', options: 'compat=1.1', extension: 'qcow2' },
  vmdk: { driver: 'vmdk', options: 'subformat=monolithicSparse', extension: 'vmdk' },
  raw: { driver: 'raw', options: '', extension: 'img' },
};

export interface ExportPorts extends QemuImgPorts {
  /** True also for a link to nothing. */
  readonly exists: (path: string) => boolean;
  /** The folder's path without links; where there is no such folder, without dots at least. */
  readonly real: (folder: string) => string;
  /** What the file is now; null where there is none. */
  readonly look: (path: string) => ChosenFile | null;
  /** Free bytes of the file system the folder is on; null: there is no such folder. */
  readonly freeBytes: (folder: string) => number | null;
  /** Resolves when the file is durable under its new name. */
  readonly moveInto: (from: string, to: string) => Promise<void>;
  readonly remove: (path: string) => void;
  /** A VHD we just wrote gets this UUID. */
  readonly stampVhd: (path: string, uuid: string) => Promise<void>;
  /** Notes what is being written. */
  readonly unfinished: Pick<Unfinished, 'begin' | 'end'>;
}

export interface ExportRequest {
  /** `nbd+unix:///…` of the point, served read-only. */
  readonly uri: string;
  readonly pointId: PointId;
  readonly virtualBytes: number;
  readonly folder: string;
  readonly name: string;
  readonly format: ExportFormat;
}

/** "dev 2026-11-24 before update.qcow2": a name that any file system takes. */
export const exportFileName = (name: string, format: ExportFormat): string =>
  `${plainName(name) || 'point'}.${WRITERS[format].extension}`;

/** A name that any file system takes; may be empty. */
export function plainName(name: string): string {
  const plain = name
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not get into a name
    .replace(/[\u0000-\u001f\u007f<>:"/\\|?*]+/g, '-')
    .replace(/^[. ]+|[. ]+$/g, '');
  return shortened(plain);
}

/** File systems limit the bytes of a name; no character is cut in two. */
function shortened(name: string): string {
  let short = '';
  for (const character of name) {
    if (Buffer.byteLength(short + character) > NAME_BYTES_MAX) break;
    short += character;
  }
  return short.trimEnd();
}

/** Answers the path. Faults: file.unreadable (folder, name), disk.full, disk.io, qemu.missing, cancelled. */
export async function exportPoint(request: ExportRequest, ports: ExportPorts, run: TaskRun): Promise<string> {
  const { folder, name, format, pointId } = request;
  const target = `${folder}/${name}`;
  const qemuImg = qemuImgPath(ports, 'Nothing was written.');
  const part = checkTarget(target, ports);
  run.step('looking how large it is');
  await checkSpace(request, qemuImg, ports, run);
  const { driver, options } = WRITERS[format];
  const more = options === '' ? [] : ['-o', options];
  ports.unfinished.begin(part);
  try {
    const failure = await runCopy(
      [qemuImg, ['convert', '-p', '-f', 'raw', '-O', driver, ...more, request.uri, part]],
      ports,
      { doing: 'writing the image', totalBytes: request.virtualBytes },
      run,
    );
    if (failure !== null) throw failed(target, failure);
    // T1: the image carries the point's UUID. A differencing image that somebody makes on it then names the
    // point as its parent, and can be imported (delta-import.ts).
    if (driver === 'vpc') await ports.stampVhd(part, pointId);
    await giveName(part, target, ports, run);
    return target;
  } catch (cause) {
    ports.remove(part);
    throw cause;
  } finally {
    ports.unfinished.end(part);
  }
}

const wholeSchema = z.object({ bytes: z.number(), modifiedMs: z.number() });

/** Gives the whole file its name, marked before: control may die once the file is moved (`isWritten`). */
export async function giveName(
  part: string,
  target: string,
  { look, moveInto }: Pick<ExportPorts, 'look' | 'moveInto'>,
  { step, mark }: TaskRun,
): Promise<void> {
  step('making it durable');
  mark(look(part));
  await moveInto(part, target);
}

/** True: the target is the very file that `giveName` marked. A task begun again then has nothing to write. */
export function isWritten(
  target: string,
  { look }: Pick<ExportPorts, 'look'>,
  { stood }: Pick<TaskRun, 'stood'>,
): boolean {
  const [whole, found] = [wholeSchema.safeParse(stood).data, look(target)];
  return whole !== undefined && whole.bytes === found?.bytes && whole.modifiedMs === found.modifiedMs;
}

/** Refuses where a file would be written over; answers the name to write under. Fault: file.unreadable. */
export function checkTarget(target: string, { exists }: Pick<ExportPorts, 'exists'>): string {
  const part = `${target}.part`;
  for (const path of [target, part])
    if (exists(path)) throw unwritable(`There is a file ${path} already.`, 'Choose another name.');
  return part;
}

interface OwnName {
  readonly folder: string;
  readonly fileName: string;
}

/** A planned export, but for its file's name: where the caller gave none, `pathOf` finds one that is free. */
export type Unnamed<Planned extends { readonly path: string }> = Omit<Planned, 'path'> & {
  readonly path: string | OwnName;
};

/**
 * The target's real path, whatever links the caller named it by. The export's task must begin in the same
 * turn: else two exports that were planned together could get the same name.
 */
export function pathOf(
  { path }: { readonly path: string | OwnName },
  ports: Pick<ExportPorts, 'exists' | 'real'>,
  isBeingWritten: (path: string) => boolean,
): string {
  if (typeof path === 'string') return join(ports.real(dirname(path)), basename(path));
  return freePath({ ...path, folder: ports.real(path.folder) }, ports, isBeingWritten);
}

/** "name.vhd", "name 2.vhd", …: the first name that is free. */
function freePath(
  { folder, fileName }: OwnName,
  { exists }: Pick<ExportPorts, 'exists'>,
  isBeingWritten: (path: string) => boolean,
): string {
  const dot = fileName.lastIndexOf('.');
  for (let count = 1; ; count++) {
    const more = count === 1 ? '' : ` ${count}`;
    const path = `${folder}/${fileName.slice(0, dot)}${more}${fileName.slice(dot)}`;
    if (!exists(path) && !exists(`${path}.part`) && !isBeingWritten(path)) return path;
  }
}

/** Another task writes that file. */
export const beingWritten = (path: string): Fault =>
  unwritable(`${path} is being written by another task.`, 'Choose another name.');

/** T14: before anything is written. Faults: file.unreadable (no such folder), disk.full. */
export function checkFree(
  folder: string,
  needs: number,
  { freeBytes }: Pick<ExportPorts, 'freeBytes'>,
): void {
  const free = freeBytes(folder);
  if (free === null) throw unwritable(`There is no folder ${folder}.`, 'Choose one that exists.');
  const todo = 'Free some space, or choose a folder on another disk.';
  requireRoom({ what: 'The image', needs, free, folder, safe: 'Nothing was written.', todo });
}

/** The bytes of data that the point holds; its whole size where qemu-img does not say. */
export async function measurePoint(
  { uri, virtualBytes }: Pick<ExportRequest, 'uri' | 'virtualBytes'>,
  qemuImg: string,
  ports: ToolPorts,
  run: TaskRun,
): Promise<number> {
  const args = [...MEASURE, '--output=json', '-f', 'raw', uri];
  const { code, stdout } = await runLong([qemuImg, args], ports, run, { timeoutMs: MEASURE_TIMEOUT_MS });
  return (code === 0 ? measuredBytes(JSON.parse(stdout), virtualBytes) : null) ?? virtualBytes;
}

async function checkSpace(
  request: ExportRequest,
  qemuImg: string,
  ports: ExportPorts,
  run: TaskRun,
): Promise<void> {
  const { folder, virtualBytes, format } = request;
  checkFree(folder, 0, ports);
  const needs = format === 'vhd-fixed' ? virtualBytes : await measurePoint(request, qemuImg, ports, run);
  checkFree(folder, needs, ports);
}

const unwritable = (what: string, todo: string): Fault =>
  new Fault({ code: 'file.unreadable', what, safe: 'Nothing was written.', todo });

const failed = (target: string, { stderr, isFull }: { stderr: string; isFull: boolean }): Fault =>
  new Fault({
    code: isFull ? 'disk.full' : 'disk.io',
    what: `${target} could not be written: ${stderr.slice(0, 400)}`,
    safe: 'The point is as it was; what had been written is gone again.',
    todo: isFull ? 'Free some space, then try again.' : 'Try another folder or format.',
  });
