// Opens a foreign VHD with all its parents, which lie beside it in one folder. The UUID decides which file is
// the parent, the locators only where to look. Refuses cycles, parents of another size and chains no tool
// makes (DESIGN §8).
import { Fault } from '../../../shared/result.ts';
import type { BlockFile } from '../../platform/ports.ts';
import { corrupt } from './fields.ts';
import { ForeignDisk, type ForeignImage } from './foreign-disk.ts';
import { readLayout, type VhdLayout } from './layout.ts';

/** The longest chain; Hyper-V's own limit. */
export const CHAIN_MAX = 1024;
/** BAT entries of all images together: 128 MiB of memory, 30 images of 2 TiB. */
const ENTRIES_MAX = 2 ** 25;

/** Opens a plain file in the image's folder, read-only; null where there is none. */
export type OpenNeighbour = (name: string) => BlockFile | null;

/** Throws Fault vhd.corrupt, vhd.parent-missing, vhd.parent-mismatch, disk.io. */
export function openChain(name: string, open: OpenNeighbour): ForeignDisk {
  return new ForeignDisk(openImages(name, open));
}

/** Newest first; the last has no parent. Faults: those of openChain. */
export function openImages(name: string, open: OpenNeighbour): ForeignImage[] {
  const images: ForeignImage[] = [];
  try {
    const file = open(name);
    if (file === null) throw gone(name);
    add(images, file);
    for (let child = images[0]; child !== undefined; child = images.at(-1)) {
      const { parent } = child.layout;
      if (parent === null) break;
      if (images.length >= CHAIN_MAX)
        throw corrupt(name, 'chain of parents', `longer than ${CHAIN_MAX}`, `at most ${CHAIN_MAX} images`);
      const entries = images.length * (child.layout.blocks?.bat.length ?? 0);
      if (entries > ENTRIES_MAX)
        throw corrupt(name, 'BAT entries of its chain', entries, `at most ${ENTRIES_MAX}`);
      if (images.some(image => image.layout.footer.uuid === parent.uuid))
        throw corrupt(child.file.name, 'parent UUID', parent.uuid, 'an image that is not its own descendant');
      addParent(images, child, parent, open);
    }
    return images;
  } catch (cause) {
    for (const { file } of images) file.close();
    throw cause;
  }
}

/** Opens an image without its parents; their names are not even looked for. */
export function openAlone(name: string, open: OpenNeighbour): ForeignImage {
  const images: ForeignImage[] = [];
  const file = open(name);
  if (file === null) throw gone(name);
  add(images, file);
  return images[0] as ForeignImage;
}

function add(images: ForeignImage[], file: BlockFile): void {
  try {
    images.push({ file, layout: readLayout(file) });
  } catch (cause) {
    file.close();
    throw cause;
  }
}

function addParent(
  images: ForeignImage[],
  child: ForeignImage,
  parent: NonNullable<VhdLayout['parent']>,
  open: OpenNeighbour,
): void {
  let other: ForeignImage | null = null;
  for (const name of parent.names) {
    const file = open(name);
    if (file === null) continue;
    add(images, file);
    const found = images.at(-1) as ForeignImage;
    if (found.layout.footer.uuid === parent.uuid) return checkSize(child, found);
    images.pop();
    file.close();
    other = found;
  }
  if (other === null) throw missing(child, parent);
  throw mismatch(child, 'parent UUID', other.layout.footer.uuid, parent.uuid, other.file.name);
}

function checkSize(child: ForeignImage, parent: ForeignImage): void {
  const [own, found] = [child.layout.footer.currentBytes, parent.layout.footer.currentBytes];
  if (found !== own) throw mismatch(child, 'size of the parent', found, own, parent.file.name);
}

const gone = (name: string): Fault =>
  new Fault({
    code: 'file.unreadable',
    what: `${name} is not a file that can be read.`,
    safe: 'Nothing was changed.',
    todo: 'Check that it is still there, then choose it again.',
  });

const missing = ({ file }: ForeignImage, { uuid, names }: NonNullable<VhdLayout['parent']>): Fault => {
  const named = names.map(name => JSON.stringify(name)).join(' or ') || 'of no name';
  return new Fault({
    code: 'vhd.parent-missing',
    what: `${file.name} is a differencing VHD: it holds only what differs from its parent ${named}, UUID ${uuid}, which is not in the same folder.`,
    safe: 'The original was only read; nothing was created.',
    todo: 'Put the parent beside it and try again, or merge the two with the tool that made them.',
    data: { file: file.name, names: [...names], uuid },
  });
};

const mismatch = (
  { file }: ForeignImage,
  field: string,
  found: string | number,
  expected: string | number,
  parent: string,
): Fault =>
  new Fault({
    code: 'vhd.parent-mismatch',
    what: `VHD ${file.name}: ${field} is ${found} in ${parent}, expected ${expected}.`,
    safe: 'The originals were only read; nothing was created.',
    todo: 'Put the parent it was made from beside it; a parent that was changed since cannot be used.',
    data: { file: file.name, field, found, expected, parent },
  });
