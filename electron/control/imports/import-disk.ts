// Imports somebody else's disk (DESIGN §8: hostile input). The format is what the person said, never guessed.
// Tools run as processes of their own, with limits; images that point at other files are refused; the
// original is only read.
import * as z from 'zod';
import type { Fault } from '../../../shared/result.ts';
import type { DiskFormat } from '../../../shared/vm.ts';
import type { ChosenFile } from '../files.ts';
import { nbdUri } from '../nbd-uri.ts';
import { MEASURE, measuredBytes, qemuImgPath, runCopy, runLong } from '../qemu-img.ts';
import type { TaskRun } from '../tasks/tasks.ts';
import { markedFormat, outsideReference, type ReadAt } from './foreign-formats.ts';
import { type Found, type ImportPorts, jsonOf, refused, unreadable } from './import-ports.ts';
import { examineVhd, whileServed } from './vhd-reader.ts';

const INFO_TIMEOUT_MS = 30_000;
const CHECK_TIMEOUT_MS = 600_000;
/** T15: as much as a VHD can hold. */
const VIRTUAL_BYTES_MAX = 2040 * 2 ** 30;
/** Far above what qemu-img needs, far below what would hurt the host. */
const TOOL_MEMORY_BYTES = 2 * 2 ** 30;

/** VHDs are read by our own reader: QEMU knows neither parents nor bitmaps nor bounds (T13). */
type QemuFormat = Exclude<DiskFormat, 'vhd'>;

const infoSchema = z.object({
  'virtual-size': z.number().min(1),
  'full-backing-filename': z.string().optional(),
  'backing-filename': z.string().optional(),
  'format-specific': z.object({ data: z.record(z.string(), z.unknown()).default({}) }).optional(),
});
export interface ImportSource extends Found {
  readonly file: ChosenFile;
  readonly format: DiskFormat;
}

/** The command for qemu-img; where util-linux is there, with a limit on its memory. */
function qemuImg(ports: ImportPorts, args: readonly string[]): [command: string, args: readonly string[]] {
  const path = qemuImgPath(ports, 'Nothing was created.');
  const prlimit = ports.program('prlimit');
  if (prlimit === null) return [path, args];
  return [prlimit, [`--data=${TOOL_MEMORY_BYTES}`, '--core=0', path, ...args]];
}

/** Looks at the image as of the format given. Faults: import.*, disk.too-large, vhd.*. */
export async function examineImage(
  file: ChosenFile,
  format: DiskFormat,
  ports: ImportPorts,
): Promise<ImportSource> {
  checkUnchanged(file, ports);
  checkMark(file, format, ports);
  const found = format === 'vhd' ? await examineVhd(file, ports) : await examineWithQemu(file, format, ports);
  if (found.virtualBytes > VIRTUAL_BYTES_MAX)
    throw refused(
      'disk.too-large',
      file,
      `is a disk of ${found.virtualBytes} bytes, expected at most ${VIRTUAL_BYTES_MAX} (2040 GiB).`,
      'Make it smaller with the tool that made it, then try again.',
      { field: 'virtual size', found: found.virtualBytes, expected: `at most ${VIRTUAL_BYTES_MAX}` },
    );
  return { file, format, ...found };
}

/** Refuses a file that is still written, or was replaced: a copy would be neither the old one nor the new. */
export function checkUnchanged(file: ChosenFile, ports: Pick<ImportPorts, 'look'>): void {
  const now = ports.look(file.path);
  if (now?.bytes === file.bytes && now.modifiedMs === file.modifiedMs) return;
  throw refused(
    'import.changed',
    file,
    now === null
      ? 'is gone or can no longer be read.'
      : `was changed after it was chosen: it has ${now.bytes} bytes, expected ${file.bytes}, or another date.`,
    'Wait until nothing writes to it, then choose it again.',
  );
}

/** Checks the image's own first bytes, before any tool opens it. */
function checkMark(file: ChosenFile, format: DiskFormat, ports: ImportPorts): void {
  if (file.bytes === 0 && format !== 'vhd')
    throw refused('import.bad-format', file, 'is empty: 0 bytes.', 'Use another copy.', {
      field: 'file size',
      found: 0,
      expected: 'at least 1',
    });
  const read: ReadAt = (offset, length) =>
    offset >= file.bytes
      ? Buffer.alloc(0)
      : Buffer.from(ports.readBytes(file.path, offset, Math.min(length, file.bytes - offset)));
  const marked = markedFormat(file.bytes, read);
  // Either footer of a VHD may be lost: its reader says what is there.
  const expected = format === 'raw' ? 'none: a raw disk' : format;
  if (format !== 'vhd' && marked !== null && marked !== format)
    throw refused(
      'import.bad-format',
      file,
      `carries the mark of a ${marked} image, expected ${expected}.`,
      `Choose ${marked} as its format, or use another file.`,
      { field: 'mark', found: marked, expected },
    );
  if (format !== 'raw' && format !== 'vhd' && marked === null)
    throw refused(
      'import.bad-format',
      file,
      `does not begin as a ${format} image does.`,
      'Choose its real format, or use another copy.',
      { field: 'mark', found: 'none', expected },
    );
  const outside = outsideReference(format, read);
  if (outside === null) return;
  throw refused(
    'import.refused',
    file,
    `points at another file: ${outside.field} is ${outside.found}, expected ${outside.expected}.`,
    'Convert it to a single stand-alone image first.',
    outside,
  );
}

async function examineWithQemu(file: ChosenFile, format: QemuFormat, ports: ImportPorts): Promise<Found> {
  const ask = async (verb: readonly string[]): Promise<unknown> => {
    const [command, args] = qemuImg(ports, lookArgs(verb, file, format));
    const { code, stdout, stderr } = await ports.runTool(command, args, { timeoutMs: INFO_TIMEOUT_MS });
    if (code === 0) return jsonOf(stdout);
    throw notWhole(file, format, stderr);
  };
  const info = infoSchema.safeParse(await ask(['info']));
  if (!info.success) throw unreadable(file);
  refuseOutsideFiles(file, info.data);
  const virtualBytes = info.data['virtual-size'];
  if (virtualBytes > VIRTUAL_BYTES_MAX) return { virtualBytes, dataBytes: 0 };
  // T14: measured, because a compressed image's copy needs more room than the image has.
  const dataBytes = measuredBytes(await ask(MEASURE), virtualBytes);
  if (dataBytes === null) throw unreadable(file);
  return { virtualBytes, dataBytes };
}

const lookArgs = (verb: readonly string[], file: ChosenFile, format: QemuFormat): string[] => [
  ...verb,
  '--output=json',
  '-f',
  format,
  file.path,
];

const notWhole = (file: ChosenFile, format: QemuFormat, stderr: string): Fault =>
  refused(
    'import.bad-format',
    file,
    `is not a whole ${format} image: ${words(stderr, file)}`,
    'Choose its real format, repair it with the tool that made it, or use another copy.',
  );

/** qemu-img's code for clusters that nothing refers to. */
const CHECK_LEAKS = 3;
const CHECK_UNSUPPORTED = 63;

/** QEMU's drivers read what is missing from a cut-off qcow2 as zeros: only its check sees that it is cut. */
async function checkWhole(
  file: ChosenFile,
  format: QemuFormat,
  ports: ImportPorts,
  run: TaskRun,
): Promise<void> {
  if (format === 'raw') return;
  const command = qemuImg(ports, lookArgs(['check'], file, format));
  const { code, stderr } = await runLong(command, ports, run, { timeoutMs: CHECK_TIMEOUT_MS });
  if (code !== 0 && code !== CHECK_LEAKS && code !== CHECK_UNSUPPORTED) throw notWhole(file, format, stderr);
}

const words = (stderr: string, file: ChosenFile): string =>
  stderr.trim().replaceAll(file.path, file.name).slice(0, 400);

/** An image that names other files would read them with our rights. This looks at what QEMU found in it. */
function refuseOutsideFiles(file: ChosenFile, info: z.infer<typeof infoSchema>): void {
  const backing = info['full-backing-filename'] ?? info['backing-filename'];
  const data = info['format-specific']?.data ?? {};
  const extents = z.array(z.object({ filename: z.string() })).safeParse(data.extents ?? []);
  const outside = extents.success
    ? extents.data.find(row => row.filename !== file.path)?.filename
    : 'extents';
  const other = backing ?? data['data-file'] ?? outside;
  if (other === undefined) return;
  const found = String(other).slice(0, 200);
  throw refused(
    'import.refused',
    file,
    `points at another file (${found}), expected none.`,
    'Convert it to a single stand-alone image first.',
    { field: 'another file', found, expected: 'none' },
  );
}

/** Copies the content into an NBD export. `folder` is private and short: sockets go there. */
export async function convertInto(
  source: ImportSource,
  targetUri: string,
  folder: string,
  ports: ImportPorts,
  run: TaskRun,
): Promise<void> {
  checkUnchanged(source.file, ports);
  const copy = (format: QemuFormat, from: string): Promise<void> =>
    convert(source, ['convert', '-p', '-n', '-f', format, '-O', 'raw', from, targetUri], ports, run);
  if (source.format !== 'vhd') {
    run.step('checking the image');
    await checkWhole(source.file, source.format, ports, run);
    await copy(source.format, source.file.path);
  } else {
    const socketPath = `${folder}/source`;
    const served = nbdUri('', socketPath);
    await whileServed(source.file, socketPath, ports, run.signal, () => copy('raw', served));
  }
  checkUnchanged(source.file, ports);
}

async function convert(
  source: ImportSource,
  command: readonly string[],
  ports: ImportPorts,
  run: TaskRun,
): Promise<void> {
  const copying = { doing: 'copying the disk', totalBytes: source.virtualBytes };
  const failure = await runCopy(qemuImg(ports, command), ports, copying, run);
  if (failure === null) return;
  const { stderr, isFull } = failure;
  throw refused(
    isFull ? 'disk.full' : 'import.bad-format',
    source.file,
    `could not be copied: ${words(stderr, source.file)}`,
    isFull ? 'Free some space, then try again.' : 'Use another copy.',
  );
}
