// What the parts of an import share: what they ask of the world, what they find, and how they refuse.
import type { ErrorCode } from '../../../shared/errors.ts';
import { Fault } from '../../../shared/result.ts';
import type { ChosenFile } from '../files.ts';
import type { QemuImgPorts } from '../qemu-img.ts';
import type { Refused } from './foreign-formats.ts';

export interface ImportPorts extends QemuImgPorts {
  /** A plain Node, and the module that reads foreign VHDs. */
  readonly node: () => string;
  readonly vhdReader: () => string;
  /** What the file is now; null: it is gone or unreadable. */
  readonly look: (path: string) => ChosenFile | null;
  /** `length` bytes at `offset`; negative offsets count from the end. */
  readonly readBytes: (path: string, offset: number, length: number) => Uint8Array;
}

export interface Found {
  readonly virtualBytes: number;
  /** The data in the image: the room that its copy needs. */
  readonly dataBytes: number;
  /** A VHD's UUID, which a differencing image made on it names as its parent. */
  readonly uuid?: string | undefined;
}

/** The document that a tool printed; undefined: it is none. Output beyond a MiB is dropped, and Node writes there, too. */
export function jsonOf(printed: string): unknown {
  try {
    return JSON.parse(printed);
  } catch {
    return undefined;
  }
}

/** `field`: what in the image is refused, where that can be said. */
export const refused = (
  code: ErrorCode,
  file: ChosenFile,
  why: string,
  todo: string,
  field: Refused | null = null,
): Fault =>
  new Fault({
    code,
    what: `${file.name} ${why}`,
    safe: 'The original was only read; nothing was created.',
    todo,
    ...(field === null ? {} : { data: { file: file.name, ...field } }),
  });

export const unreadable = (file: ChosenFile): Fault =>
  refused('import.bad-format', file, 'could not be examined.', 'Use another copy.');
