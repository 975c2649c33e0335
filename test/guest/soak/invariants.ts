// What must hold after every operation of a soak, whatever it was.
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../../shared/result.ts';
import type { Timeline } from '../../../shared/timeline.ts';
import { atLast, isQemu, processesOf, servedSockets } from '../../support/left-lying.ts';
import type { PromiseSums } from '../../support/promise-sums.ts';
import { hashServed } from '../../support/served-hash.ts';
import { type Fleet, type Machine, MIB, SPAN } from './fleet.ts';

/** Two dead-bands of a balloon. */
const NEAR_KIB = 4 * MIB;
/** VHD: a dynamic disk; a differencing one is 4. */
const DYNAMIC = 3;

/** T4: of one VM, every point, as it is served while whatever settles settles. */
export async function changedPoints({ ebb }: Fleet, { vmId, name, recorded }: Machine): Promise<string[]> {
  const wrong: string[] = [];
  const { moments } = await ebb.call('timeline.get', { vmId });
  for (const [momentId, { name: point, hash }] of recorded) {
    if (!moments.some(({ id }) => id === momentId)) {
      wrong.push(`${name}: ${point} is not there any more`);
      continue;
    }
    const found = await hashServed(ebb, vmId, momentId, SPAN);
    if (found !== hash) wrong.push(`${name}: ${point} is ${found}, recorded ${hash}`);
  }
  return wrong;
}

/** The same, at rest, and of the files alone, as 7-Zip reads them. */
export async function changedFiles(fleet: Fleet, machine: Machine): Promise<string[]> {
  const { ebb } = fleet;
  const { vmId, diskId, name, recorded } = machine;
  await ebb.settled(vmId);
  const wrong = await crookedFiles(fleet, machine);
  for (const { id, points } of (await ebb.call('timeline.get', { vmId })).moments) {
    const known = recorded.get(id);
    const point = points[0];
    if (known === undefined || point === undefined) continue;
    const found = await ebb.hashPoint(vmId, diskId, point.pointId, SPAN);
    if (found !== known.hash)
      wrong.push(`${name}: the file of ${known.name} is ${found}, recorded ${known.hash}`);
  }
  return wrong;
}

/** T5: one image of a disk at rest is self-contained. */
async function crookedFiles({ ebb }: Fleet, { vmId, diskId, name }: Machine): Promise<string[]> {
  const folder = join(ebb.paths.dataFolder, 'vms', vmId, 'disks', diskId);
  const images = readdirSync(folder).filter(file => file.endsWith('.vhd'));
  const roots = images.filter(file => diskTypeOf(join(folder, file)) === DYNAMIC);
  return roots.length === 1 ? [] : [`${name}: ${roots.length} of ${images.length} images are roots`];
}

/** Of the copy of the footer that a VHD begins with. */
function diskTypeOf(path: string): number {
  const footer = Buffer.alloc(512);
  const file = openSync(path, 'r');
  readSync(file, footer, 0, footer.length, 0);
  closeSync(file);
  return footer.readUInt32BE(60);
}

/** T5: ancestors that are there and end, no UUID twice. */
export function crookedTree(name: string, { moments, trash }: Timeline): string[] {
  const wrong: string[] = [];
  const all = [...moments, ...trash];
  const points = all.flatMap(moment => moment.points);
  const roots = points.filter(({ form }) => form === 'root').length;
  // None where what was sealed when it stopped is the root, which people do not see.
  if (roots > 1) wrong.push(`${name}: ${roots} roots among ${points.length} points`);
  if (new Set(points.map(({ pointId }) => pointId)).size !== points.length)
    wrong.push(`${name}: a UUID is there twice`);
  const parents = new Map(all.map(({ id, parentId }) => [id, parentId]));
  for (const { id } of all) {
    let at: typeof id | null = id;
    for (let steps = 0; at !== null && steps <= all.length; steps++) {
      if (!parents.has(at)) wrong.push(`${name}: ${at}, an ancestor, is not there`);
      at = parents.get(at) ?? null;
    }
    if (at !== null) wrong.push(`${name}: the ancestors of ${id} do not end`);
  }
  return wrong;
}

/** M2: every figure that was published since the last look. */
export function overPromised(fleet: Fleet, sums: PromiseSums): string[] {
  const { samples } = fleet;
  fleet.samples = [];
  return samples.flatMap(host => {
    const over = host.vms.every(vm => vm.actualKib !== null) ? sums.add(host) : null;
    return over === null ? [] : [`more is promised than there is: ${over}`];
  });
}

/** M3: a new range may need a moment until others have given, or it has. */
export const outOfRange = ({ ebb }: Fleet): Promise<string[]> =>
  atLast('every VM to be within its range', async () => {
    const { vms } = await ebb.call('memory.host', {});
    return vms.flatMap(({ vmId, actualKib, targetKib, minKib, maxKib, bootKib, balloon }) => {
      if (balloon !== 'obeying') return [];
      // One that was started with less gets more at its next start (M6).
      const leastKib = Math.min(minKib, bootKib ?? minKib) - NEAR_KIB;
      return [
        ...((actualKib ?? leastKib) < leastKib ? [`${vmId} has ${actualKib} of at least ${minKib} KiB`] : []),
        ...((targetKib ?? maxKib) > maxKib ? [`${vmId} is told to take ${targetKib} of ${maxKib} KiB`] : []),
      ];
    });
  });

/** Only who runs has a QEMU and sockets; control and storage are there once. */
export const leftLying = ({ ebb }: Fleet): Promise<string[]> =>
  atLast('what is over to be gone', async () => {
    const { vms } = await ebb.call('vm.list', {});
    const pids = vms.map(({ state }) => state.pid);
    const rows = processesOf(ebb.paths);
    const strays = rows.filter(row => isQemu(row) && !pids.includes(row.pid));
    const sockets = servedSockets(ebb.paths).filter(path =>
      vms.some(({ spec, state }) => state.pid === null && path.includes(`/vm-${spec.id.slice(0, 13)}/`)),
    );
    const services = ['control/main', 'storage/main'].flatMap(module => {
      const { length } = rows.filter(({ words }) => words.some(word => word.includes(module)));
      return length === 1 ? [] : [`there are ${length} of ${module}`];
    });
    return [
      ...strays.map(({ pid }) => `QEMU ${pid} is nobody's`),
      ...sockets.map(path => `${path} is served for nobody`),
      ...services,
    ];
  });

export const wordsOf = (cause: unknown): string =>
  cause instanceof Fault ? `${cause.body.code}: ${cause.body.what}` : String(cause);
