// A VM that goes back over real disks, files and notes, under a control that can be killed at any step: only control dies,
// storage lives on.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Machines } from '../../electron/control/machines/machines.ts';
import { ExtrasShelf } from '../../electron/control/moments/extras.ts';
import { type Found, GoingBack } from '../../electron/control/moments/going-back.ts';
import { runRecordSchema } from '../../electron/control/vm/run-record.ts';
import { placeSaved, readSavedRecord } from '../../electron/control/vm/suspended.ts';
import * as json from '../../electron/platform/json-file.ts';
import * as files from '../../electron/platform/vm-files.ts';
import type { StorageClient } from '../../electron/storage/client.ts';
import type { VmEngine } from '../../electron/storage/disk/engine.ts';
import type { NewMoment } from '../../electron/storage/disk/engine-types.ts';
import { openVmFolder } from '../../electron/storage/disk/open-folder.ts';
import type { DiskId, MomentId, VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import type { Moment } from '../../shared/timeline.ts';
import type { VmSpec } from '../../shared/vm.ts';
import { specOf } from './memory-world.ts';

export const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
export const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
export const spec: VmSpec = {
  ...specOf(1),
  disks: [{ id: diskId, virtualBytes: 4 * 2 ** 20 }],
  boot: { kind: 'iso', isoName: 'installer.iso' },
};
export const record = runRecordSchema.parse({
  bootKib: 1024,
  accelerator: 'tcg',
  argv: ['-m', '1', '-device', 'ide-cd,bus=ide.5,drive=iso,id=cd0'],
  hasBalloon: true,
  folders: { home: '/h', run: '/r' },
});

class Killed extends Error {}
type Compared = { readonly fromId: MomentId; readonly toId: MomentId | null };

export const world = {} as {
  home: string;
  engine: VmEngine;
  past: Moment;
  /** How the VM is set up. */
  cpus: number;
  now: VmSpec;
  isAllowed: boolean;
  /** What storing the setup is refused with. */
  refused: Fault | null;
  /** How goings back that were left half-done ended. */
  told: Found['code'][];
};

export const at = (name: string): string => join(world.home, name);
export const text = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
export const write = (words: string): void => world.engine.volume(diskId).write(Buffer.alloc(4096, words), 0);
export async function disk(): Promise<string> {
  const bytes = Buffer.alloc(4096);
  await world.engine.volume(diskId).read(bytes, 0);
  return bytes.toString('utf8', 0, 4);
}
export function setMachine(words: string): void {
  writeFileSync(at('uefi-vars.fd'), words);
  rmSync(at('tpm'), { recursive: true, force: true });
  mkdirSync(at('tpm'));
  writeFileSync(at('tpm/permanent'), words);
}

/** A control that dies at its `killAt`th step: whatever it tries from then on does not happen. */
export function control(killAt = Number.POSITIVE_INFINITY) {
  let steps = 0;
  const step = (): void => {
    if (++steps >= killAt) throw new Killed();
  };
  /** Dies before it, or when it is done and nobody was told. */
  const mortal = <A extends unknown[], R>(work: (...given: A) => R) => {
    return (...given: A): R => {
      step();
      const done = work(...given);
      step();
      return done;
    };
  };
  const mortalLater = <A extends unknown[], R>(work: (...given: A) => Promise<R>) => {
    return async (...given: A): Promise<R> => {
      step();
      const done = await work(...given);
      step();
      return done;
    };
  };
  const removeTree = mortal(json.removeTree);
  const copyDurably = mortal((from: string, to: string) => {
    // In the middle of it a folder is not there (copyDurably).
    if (existsSync(join(from, 'permanent')) && steps + 1 >= killAt)
      rmSync(to, { recursive: true, force: true });
    step();
    files.copyDurably(from, to);
  });
  const ports = {
    home: () => world.home,
    readJson: json.readJson,
    writeJson: mortal(json.writeJson),
    removeFile: mortal(json.removeFile),
    removeTree,
    makePrivateFolder: mortal(json.makePrivateFolder),
  };
  const shelf = new ExtrasShelf({
    ...ports,
    listFolder: files.listFolder,
    exists: files.fileExists,
    isSame: files.isSame,
    copyDurably,
    removeLarge: files.removeLarge,
    rename: mortal(json.renameDurably),
    link: mortal(files.linkFile),
    uuid: () => crypto.randomUUID(),
  });
  const timeline = () => world.engine.timeline();
  const compared = async ({ fromId, toId }: Compared) => ({
    disks: await world.engine.inspect.compare(fromId, toId),
  });
  const moveDisks: Machines['moveDisks'] = mortalLater(async (_, order) => {
    await world.engine.goBack(order);
    return timeline();
  });
  const machines = {
    kept: () => [{ spec }],
    open: () => Promise.resolve(),
    requireOff: () => undefined,
    moveDisks,
    spec: () => world.now,
    supervisor: () => ({
      placeSaved: (saved: typeof record, link: (to: string) => void) =>
        placeSaved(saved, link, { home: world.home, run: world.home }, ports),
    }),
  } as unknown as Machines;
  const goingBack = new GoingBack({
    ...ports,
    machines,
    forgetVars: () => undefined,
    restoreSetup: mortal((_, wanted) => {
      if (world.refused !== null) throw world.refused;
      world.cpus = wanted.cpus;
    }),
    storage: {
      call: mortalLater(async (method: string, given: NewMoment & Compared): Promise<unknown> => {
        if (method === 'moment.take') return world.engine.takeMoment(given);
        return method === 'moment.compare' ? compared(given) : timeline();
      }),
    } as unknown as StorageClient,
    shelf,
    uuid: () => crypto.randomUUID(),
    keepPresent: (moment, draft) =>
      shelf.keep(vmId, moment.points[0]?.pointId ?? ('' as never), draft, {
        consistency: 'off',
        memoryBytes: null,
        hasScreen: false,
        record: null,
        spec,
      }),
    requireAllowed: () => {
      if (!world.isAllowed) throw new Fault({ code: 'policy.denied', what: 'no', safe: 'no', todo: 'no' });
    },
    tell: ({ code }) => void world.told.push(code),
    log: () => undefined,
  });
  return { goingBack, shelf, steps: () => steps };
}

export const goBack = (goingBack: GoingBack): Promise<boolean> =>
  goingBack.goBack(
    { vmId, momentId: world.past.id, keepName: 'the present', resume: true, configuration: 'restore' },
    () => undefined,
  );
/** False: it died. */
export async function survives(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (cause) {
    if (cause instanceof Killed) return false;
    throw cause;
  }
}

/** `before`, `after`, or whatever mixture it is. */
export async function found(): Promise<string> {
  const saved = readSavedRecord({ home: world.home, run: world.home }, { readJson: json.readJson });
  const memory = saved === null ? 'none' : text(at('suspended/memory'));
  const states = [
    await disk(),
    text(at('uefi-vars.fd')),
    text(at('tpm/permanent')),
    memory,
    world.cpus,
  ].join();
  if (states === 'now.,now.,now.,none,4') return 'before';
  return states === 'then,then,then,then,1' ? 'after' : states;
}

/** What went with the present into its branch. */
export function present(): string {
  const kept = world.engine.timeline().moments.filter(({ name }) => name === 'the present');
  const folders = kept.map(({ points }) => at(`moments/${points[0]?.pointId}`));
  return folders.map(path => `${text(`${path}/uefi-vars.fd`)}${text(`${path}/tpm/permanent`)}`).join();
}

export async function setUp(hasWritten = true): Promise<void> {
  world.home = mkdtempSync(join(tmpdir(), 'ebb-t-'));
  const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
  world.engine = await openVmFolder(vmId, world.home, { turn }, { autoSettle: false });
  await world.engine.createDisk(diskId, 4 * 2 ** 20);
  write('then');
  setMachine('then');
  world.past = await world.engine.takeMoment({ name: 'then', note: '', kind: 'manual' });
  const { shelf } = control();
  const draft = shelf.draft(vmId);
  shelf.copyState(vmId, draft);
  writeFileSync(draft.memoryPath, 'then');
  const pointId = world.past.points[0]?.pointId as Moment['points'][number]['pointId'];
  shelf.keep(vmId, pointId, draft, { consistency: 'memory', memoryBytes: 4, hasScreen: false, record, spec });
  if (hasWritten) write('now.');
  setMachine('now.');
  world.cpus = 4;
  world.now = spec;
  world.isAllowed = true;
  world.refused = null;
  world.told = [];
}
export async function tearDown(): Promise<void> {
  await world.engine.close();
  rmSync(world.home, { recursive: true, force: true });
}
