// Bringing somebody else's disk in (DESIGN §8: hostile input). The format is what the person said, never guessed; tools
// run as separate processes with limits; images that point at other files are refused; the original is only read.
import * as z from 'zod';
import type { ErrorCode } from '../../shared/errors.ts';
import { Fault } from '../../shared/result.ts';
import type { DiskFormat } from '../../shared/vm.ts';
import type { ToolOptions, ToolResult } from '../platform/process.ts';
import type { ChosenFile } from './files.ts';
import type { Step } from './tasks.ts';

const QEMU_FORMATS: Readonly<Record<DiskFormat, string>> = {
  vhd: 'vpc',
  qcow2: 'qcow2',
  raw: 'raw',
  vhdx: 'vhdx',
  vmdk: 'vmdk',
};
const INFO_TIMEOUT_MS = 30_000;
const CONVERT_TIMEOUT_MS = 12 * 3_600_000;
const FOOTER_BYTES = 512;
const TYPE_AT = 60;
const DIFFERENCING = 4;

const infoSchema = z.object({
  'virtual-size': z.int().min(1),
  'actual-size': z.int().min(0).default(0),
  'backing-filename': z.string().optional(),
  'full-backing-filename': z.string().optional(),
  'format-specific': z.object({ data: z.record(z.string(), z.unknown()).default({}) }).optional(),
});

export interface ImportPorts {
  readonly qemuImg: () => string | null;
  readonly runTool: (command: string, args: readonly string[], options: ToolOptions) => Promise<ToolResult>;
  /** `length` bytes at `offset`; negative offsets count from the end. */
  readonly readBytes: (path: string, offset: number, length: number) => Uint8Array;
}

export interface ImportSource {
  readonly file: ChosenFile;
  readonly format: DiskFormat;
  readonly virtualBytes: number;
  /** What it holds really: the room its copy needs. */
  readonly dataBytes: number;
}

const refused = (code: ErrorCode, file: ChosenFile, why: string, todo: string): Fault =>
  new Fault({
    code,
    what: `${file.name} ${why}`,
    safe: 'The original was only read; nothing was created.',
    todo,
  });

function program(ports: ImportPorts): string {
  const path = ports.qemuImg();
  if (path !== null) return path;
  throw new Fault({
    code: 'qemu.missing',
    what: "qemu-img is not on this computer's PATH.",
    safe: 'Nothing was created.',
    todo: 'Install it: sudo apt-get install qemu-utils',
  });
}

/** T13: QEMU reads a differencing VHD as zeros without a word, so we look at the footer ourselves. */
function checkVhd(file: ChosenFile, ports: ImportPorts): void {
  if (file.bytes < 2 * FOOTER_BYTES)
    throw refused(
      'vhd.corrupt',
      file,
      `is ${file.bytes} bytes long; a VHD has at least ${2 * FOOTER_BYTES}: it is truncated.`,
      'Use another copy of it.',
    );
  const isVhd = (bytes: Uint8Array): boolean =>
    Buffer.from(bytes.subarray(0, 8)).toString('latin1') === 'conectix';
  const head = ports.readBytes(file.path, 0, FOOTER_BYTES);
  const tail = ports.readBytes(file.path, -FOOTER_BYTES, FOOTER_BYTES);
  const footer = isVhd(head) ? head : isVhd(tail) ? tail : null;
  if (footer === null)
    throw refused(
      'vhd.corrupt',
      file,
      'has no VHD footer at its start or end: it is another format, or truncated.',
      'Choose its real format, or use another copy.',
    );
  if (footer[TYPE_AT + 3] !== DIFFERENCING) return;
  const header = ports.readBytes(file.path, FOOTER_BYTES, 1024);
  const name = Buffer.from(header.subarray(64, 576))
    .swap16()
    .toString('utf16le')
    .replace(/\0.*$/s, '')
    .slice(0, 200);
  throw refused(
    'vhd.parent-missing',
    file,
    `is a differencing VHD: it holds only what differs from its parent${name === '' ? '' : ` "${name}"`}, which was not given.`,
    'Merge it into its parent with the tool that made it, and import the result.',
  );
}

/** Looks at the image as the format it is said to be. Faults: import.bad-format, import.refused, vhd.*. */
export async function examineImage(
  file: ChosenFile,
  format: DiskFormat,
  ports: ImportPorts,
): Promise<ImportSource> {
  if (format === 'vhd') checkVhd(file, ports);
  const args = ['info', '--output=json', '-f', QEMU_FORMATS[format], file.path];
  const { code, stdout, stderr } = await ports.runTool(program(ports), args, { timeoutMs: INFO_TIMEOUT_MS });
  if (code !== 0) {
    const words = stderr.trim().replaceAll(file.path, file.name).slice(0, 300);
    throw refused(
      'import.bad-format',
      file,
      `is not a whole ${format} image: ${words}`,
      'Choose its real format, or use another copy.',
    );
  }
  const info = infoSchema.safeParse(JSON.parse(stdout));
  if (!info.success) throw refused('import.bad-format', file, 'could not be examined.', 'Use another copy.');
  refuseOutsideFiles(file, info.data);
  return { file, format, virtualBytes: info.data['virtual-size'], dataBytes: info.data['actual-size'] };
}

/** An image that names other files would read them with our rights. */
function refuseOutsideFiles(file: ChosenFile, info: z.infer<typeof infoSchema>): void {
  const backing = info['full-backing-filename'] ?? info['backing-filename'];
  const data = info['format-specific']?.data ?? {};
  const extents = Array.isArray(data.extents) ? data.extents : [];
  const other =
    backing ?? data['data-file'] ?? (extents.length > 1 ? `${extents.length} extents` : undefined);
  if (other === undefined) return;
  throw refused(
    'import.refused',
    file,
    `points at another file (${String(other).slice(0, 200)}).`,
    'Convert it to a single stand-alone image first.',
  );
}

/** Copies the content into an NBD export. Progress 0 … 1. */
export async function convertInto(
  source: ImportSource,
  nbdUri: string,
  ports: ImportPorts,
  step: Step,
  signal: AbortSignal,
): Promise<void> {
  const args = [
    'convert',
    '-p',
    '-n',
    '-f',
    QEMU_FORMATS[source.format],
    '-O',
    'raw',
    source.file.path,
    nbdUri,
  ];
  const onOutput = (text: string): void => {
    const percent = /\(([\d.]+)\/100%\)/.exec(text)?.[1];
    if (percent !== undefined) step('copying the disk', Number(percent) / 100);
  };
  const { code, stderr } = await ports.runTool(program(ports), args, {
    timeoutMs: CONVERT_TIMEOUT_MS,
    signal,
    onOutput,
  });
  signal.throwIfAborted();
  if (code === 0) return;
  const words = stderr.trim().replaceAll(source.file.path, source.file.name).slice(0, 400);
  const isFull = words.includes('No space left');
  throw refused(
    isFull ? 'disk.full' : 'import.bad-format',
    source.file,
    `could not be copied: ${words}`,
    isFull ? 'Free some space, then try again.' : 'Use another copy.',
  );
}
