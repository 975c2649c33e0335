// Where a foreign differencing VHD says its parent is: eight locators in any order and the header's own name,
// each a path on some other computer. Here each means a file in the same folder and nothing else: a path that
// leads out of it or names a device is an attack on whoever follows it (DESIGN §8). Writes nothing, follows
// nothing.
import { SECTOR_BYTES } from '../../../shared/units.ts';
import { corrupt, offsetText, readOffset, viewOf } from './fields.ts';
import { LOCATOR_BYTES, LOCATORS_AT, utf16Text } from './header.ts';

const LOCATORS = 8;
/** The longest path Windows has, in UTF-16. */
const PATH_BYTES_MAX = 65_536;
const DOS_DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** How each platform code writes its path. Unknown codes are private to their makers, and skipped. */
const READ: Readonly<Record<string, (bytes: Uint8Array) => string>> = {
  W2ru: bytes => utf16Text(bytes, false),
  W2ku: bytes => utf16Text(bytes, false),
  MacX: bytes => Buffer.from(bytes).toString('utf8').replace(/\0.*$/s, ''),
  Wi2r: bytes => Buffer.from(bytes).toString('latin1').replace(/\0.*$/s, ''),
  Wi2k: bytes => Buffer.from(bytes).toString('latin1').replace(/\0.*$/s, ''),
};

/** The names the parent may have in this folder, relative locators first, none twice. Throws vhd.corrupt. */
export function parentNames(
  file: string,
  fileBytes: number,
  header: Uint8Array,
  headerName: string,
  readText: (offset: number, length: number) => Uint8Array,
): string[] {
  const found = new Map<string, string>();
  const view = viewOf(header);
  for (let index = 0; index < LOCATORS; index++) {
    const at = LOCATORS_AT + index * LOCATOR_BYTES;
    const code = Buffer.from(header.subarray(at, at + 4)).toString('latin1');
    const read = READ[code];
    if (read === undefined) continue;
    const length = checkedLength(file, fileBytes, view, at, index);
    const field = `parent locator ${index} (${code})`;
    const text = read(readText(readOffset(view, at + 16), length));
    if (text !== '') found.set(code, neighbour(file, field, text));
  }
  if (headerName !== '') found.set('name', neighbour(file, 'parent name', headerName));
  return [...new Set([...Object.keys(READ), 'name'].flatMap(code => found.get(code) ?? []))];
}

/** By the specification the data space is in sectors; everybody writes bytes. The length is in bytes. */
function checkedLength(file: string, fileBytes: number, view: DataView, at: number, index: number): number {
  const given = view.getUint32(at + 4);
  const space = given < SECTOR_BYTES ? given * SECTOR_BYTES : given;
  const length = view.getUint32(at + 8);
  const max = Math.min(space, PATH_BYTES_MAX);
  if (length > max) throw corrupt(file, `parent locator ${index} length`, length, `at most ${max}`);
  const offset = readOffset(view, at + 16);
  if (!(offset + length <= fileBytes)) {
    const end = `${offsetText(view, at + 16)} + ${length}`;
    throw corrupt(file, `parent locator ${index} place`, end, `within the file of ${fileBytes} bytes`);
  }
  return length;
}

/** `.\x.vhd`, `C:\dir\x.vhd`, `\\server\share\x.vhd`, `file:///dir/x.vhd` all mean x.vhd beside the child. */
export function neighbour(file: string, field: string, text: string): string {
  const refuse = (expected: string): never => {
    throw corrupt(file, field, JSON.stringify(text.slice(0, 200)), expected);
  };
  const path = unescaped(text)
    .replaceAll('/', '\\')
    .replace(/^\\\\\?\\(?=[a-z]:\\)/i, '');
  if (/^\\\\[.?]\\/.test(path) || /^\\(?:dev|proc|sys)\\/i.test(path)) refuse('a file, not a device');
  const isAbsolute = /^(?:[a-z]:)?\\/i.test(path);
  const parts = path
    .replace(/^[a-z]:\\/i, '')
    .split('\\')
    .filter(part => part !== '' && part !== '.');
  const name = parts.at(-1) ?? '';
  if (parts.includes('..') || (!isAbsolute && parts.length !== 1) || path.endsWith('\\'))
    refuse('a file in the same folder');
  if (DOS_DEVICE.test(name)) refuse('a file, not a device');
  if (name === '' || name.length > 255 || /[\p{C}:]/u.test(name)) refuse('a plain file name');
  return name;
}

/** MacX holds a URL. Only `file://` is decoded; the colon of any other URL gets it refused. */
function unescaped(text: string): string {
  if (!text.startsWith('file://')) return text;
  const path = text.slice('file://'.length).replace(/^localhost(?=\/)/, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
