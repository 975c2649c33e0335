// A timeline of ours and a chain of QEMU's with the same content and as many points.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Moment } from '../../../shared/timeline.ts';
import { until } from '../../support/until.ts';
import { filled, type Ours } from './servers.ts';
import { scattered, tool, writeAll } from './writes.ts';

const SETTLED_MS = 600_000;

export const take = (ours: Ours, name: string): Promise<Moment> =>
  ours.storage.client.call('moment.take', { vmId: ours.vmId, name, note: '', kind: 'manual' });

export const atRest = (ours: Ours): Promise<void> =>
  until(
    'the timeline to be at rest',
    async () => {
      const { state, pendingEdges } = (await ours.timeline()).settle;
      return state === 'rest' && pendingEdges === 0;
    },
    SETTLED_MS,
  );

export interface Timeline {
  readonly ours: Ours;
  readonly root: string;
  readonly moments: readonly Moment[];
}

/** Filled, then so many points with so much written before each; all of them settled. */
export async function timelineOf(
  sizeBytes: number,
  points: number,
  bytesPerPoint: number,
  near?: string,
): Promise<Timeline> {
  const { ours, root } = await filled(sizeBytes, near);
  const moments: Moment[] = [];
  for (let point = 1; point <= points; point++) {
    await writeAll(ours.uri, 'raw', scattered(point, sizeBytes, bytesPerPoint));
    moments.push(await take(ours, `point ${point}`));
  }
  await atRest(ours);
  return { ours, root, moments };
}

export interface Chain extends Disposable {
  /** Oldest first; the last one is empty, as a leaf is. */
  readonly paths: readonly string[];
}

/** `root`: a VHD with the content both begin with. */
export async function chainOf(
  root: string,
  sizeBytes: number,
  points: number,
  bytesPerPoint: number,
  near: string,
): Promise<Chain> {
  const folder = mkdtempSync(join(near, 'chain-'));
  const paths = [join(folder, '0.qcow2')];
  await tool('qemu-img', 'convert', '-f', 'vpc', '-O', 'qcow2', root, paths[0] ?? '');
  for (let point = 1; point <= points + 1; point++) {
    const [below, path] = [paths.at(-1) ?? '', join(folder, `${point}.qcow2`)];
    await tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', below, path);
    if (point <= points) await writeAll(path, 'qcow2', scattered(point, sizeBytes, bytesPerPoint));
    paths.push(path);
  }
  return { paths, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
