// Parses what `7z l -slt` prints: blocks of `Key = value` lines, with an empty line between two blocks. 7-Zip
// puts no line break into a value. Every value is a guest's word, and may be anything. Pure.
import type { DiskPart, FileEntry } from '../../../shared/point-files.ts';

const LINE_MAX = 16 * 1024;
const NAME_MAX = 1000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be shown
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd]/g;

export type Block = ReadonlyMap<string, string>;

/** Takes the text in pieces as it comes, and tells each block. A line that does not end is cut off. */
export class BlockReader {
  readonly #tell: (block: Block) => void;
  #held = '';
  #block = new Map<string, string>();

  constructor(tell: (block: Block) => void) {
    this.#tell = tell;
  }

  take(text: string): void {
    this.#held += text;
    const lines = this.#held.split('\n');
    this.#held = (lines.pop() ?? '').slice(0, LINE_MAX);
    for (const line of lines) this.#line(line);
  }

  end(): void {
    this.#line(this.#held);
    this.#line('');
  }

  #line(line: string): void {
    const at = line.indexOf(' = ');
    // Empty values are written "Key = ".
    if (at > 0) return void this.#block.set(line.slice(0, at), line.slice(at + 3).replace(/\r$/, ''));
    if (line.trim() !== '' || this.#block.size === 0) return;
    this.#tell(this.#block);
    this.#block = new Map();
  }
}

export interface Found extends FileEntry {
  /** As 7-Zip names it. */
  readonly path: string;
  readonly folder: string;
}

/** Null: the block is no entry, or its path is no place in a folder ("", "." or ".." in it). */
export function foundOf(block: Block): Found | null {
  const path = block.get('Path');
  if (path === undefined || path.length > LINE_MAX / 4) return null;
  const parts = path.split('/');
  // Folders of 7-Zip's own making, for what the file system keeps beside people's files.
  if (/^\[(SYS|SYSTEM|DELETED|UNKNOWN)\]$/.test(parts[0] ?? '')) return null;
  if (parts.some(part => part === '' || part === '.' || part === '..')) return null;
  const name = parts.at(-1) ?? '';
  const shown = name.replace(UNSAFE, '\ufffd').slice(0, NAME_MAX);
  const at = Date.parse(`${(block.get('Modified') ?? '').slice(0, 19).replace(' ', 'T')}Z`);
  const bytes = Number(block.get('Size') ?? '0');
  return {
    path,
    folder: parts.slice(0, -1).join('/'),
    name: shown,
    kind: shown === name ? kindOf(block) : 'other',
    bytes: Number.isSafeInteger(bytes) && bytes > 0 ? bytes : 0,
    modifiedAt: Number.isFinite(at) && at > 0 ? at : null,
  };
}

/** Links are never followed: what they point at is a place of the guest's, not of this computer. */
function kindOf(block: Block): FileEntry['kind'] {
  const mode = block.get('Mode') ?? '';
  const isLink = (block.get('Symbolic Link') ?? '') !== '' || /^[lbcps]/.test(mode);
  if (isLink) return 'other';
  const isFolder =
    block.get('Folder') === '+' || mode.startsWith('d') || /^D/.test(block.get('Attributes') ?? '');
  return isFolder ? 'folder' : 'file';
}

/** A row of a partition table; null: the block is none, or lies outside the disk. */
export function partOf(block: Block, index: number, diskBytes: number): DiskPart | null {
  const [offset, bytes] = [Number(block.get('Offset') ?? ''), Number(block.get('Size') ?? '')];
  const isInside =
    Number.isSafeInteger(offset + bytes) && offset > 0 && bytes > 0 && offset + bytes <= diskBytes;
  const fileSystem = block.get('File System') ?? '';
  // Unallocated room, and the MBR's entry that only says that a GPT follows.
  if (!isInside || fileSystem === '' || fileSystem === 'GPT') return null;
  const plain = (text = ''): string => text.replace(UNSAFE, '\ufffd').slice(0, 200);
  const name = plain(block.get('Path'))
    .replace(/^\d+\.?/, '')
    .replace(/\.?img$/, '');
  return { index, name, fileSystem: plain(fileSystem), offset, bytes };
}
