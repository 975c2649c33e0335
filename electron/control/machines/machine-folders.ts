// Where a VM's files lie, and what is done with them as a whole. A VM that is being made has a mark in its
// folder, from before the first byte until it is in the catalog. The mark tells what a dead control left
// half-made from a whole VM that the catalog does not know, which nobody may move.
import { type VmId, vmIdSchema } from '../../../shared/ids.ts';
import { systemClock } from '../../platform/clock.ts';
import { makePrivateFolder, removeFile, writeJson } from '../../platform/json-file.ts';
import { lockHolder } from '../../platform/lock-owner.ts';
import type { EbbPaths } from '../../platform/paths.ts';
import {
  bytesOf,
  childBelow,
  copyDurably,
  copyInto,
  fileExists,
  freeBytesAt,
  listFolder,
  moveInto,
  removeFolder,
  removeLarge,
  writeBytes,
} from '../../platform/vm-files.ts';
import { seedFolder, uefiVarsPath } from '../vm/home-files.ts';
import { isInstaller } from './installer.ts';

const MARK = '.making';

export interface MachineFolders {
  /** `<data>/vms/<vmId>`: relocatable. */
  readonly home: (vmId: VmId) => string;
  readonly run: (vmId: VmId) => string;
  readonly freeBytes: () => number;
  readonly copyIn: (
    from: string,
    vmId: VmId,
    name: string,
    piece: (doneBytes: number, totalBytes: number) => Promise<void>,
  ) => Promise<void>;
  /** Copies of installers, whole or not; a file of another name is somebody's. */
  readonly installers: (vmId: VmId) => { readonly name: string; readonly bytes: number }[];
  readonly removeInstaller: (vmId: VmId, name: string) => Promise<void>;
  /** What its cloud image asks for: small files under fixed names, the user's alone (they hold keys). */
  readonly putSeed: (vmId: VmId, files: Readonly<Record<string, string>>) => void;
  /** Copies the UEFI variables as they are now: without them the VM may not find the disk it starts from. */
  readonly copyUefiVars: (from: VmId, to: VmId) => void;
  readonly forgetUefiVars: (vmId: VmId) => void;
  readonly remove: (vmId: VmId) => void;
  readonly toTrash: (vmId: VmId) => void;
  /** The VM's folder was moved to the trash, and nothing of it is where it was. */
  readonly isTrashed: (vmId: VmId) => boolean;
  readonly trashed: () => string[];
  readonly removeTrashed: (name: string) => Promise<void>;
  /** The VM whose folder this file is in; null: none. */
  readonly ownerOf: (path: string) => VmId | null;
  /** Sets the mark, durably, before anything else; `endMaking` removes it once the catalog has the VM. */
  readonly beginMaking: (vmId: VmId) => void;
  readonly endMaking: (vmId: VmId) => void;
  readonly halfMade: () => VmId[];
  /** Does a living storage have its disks open? */
  readonly isHeld: (vmId: VmId) => boolean;
}

export function machineFolders({ dataFolder, runFolder }: EbbPaths): MachineFolders {
  const vms = `${dataFolder}/vms`;
  const home = (vmId: string): string => `${vms}/${vmId}`;
  // A socket path holds 107 bytes: the first part of the id is enough here.
  const run = (vmId: string): string => `${runFolder}/vm-${vmId.slice(0, 13)}`;
  const mark = (vmId: string): string => `${home(vmId)}/${MARK}`;
  return {
    home,
    run,
    freeBytes: () => freeBytesAt(dataFolder),
    copyIn: (from, vmId, name, piece) => copyInto(from, home(vmId), name, piece),
    installers: vmId =>
      listFolder(home(vmId))
        .filter(isInstaller)
        .map(name => ({ name, bytes: bytesOf(`${home(vmId)}/${name}`) ?? 0 })),
    removeInstaller: (vmId, name) => removeLarge(`${home(vmId)}/${name}`),
    putSeed: (vmId, files) => {
      const folder = seedFolder({ home: home(vmId) });
      makePrivateFolder(folder);
      for (const [name, text] of Object.entries(files)) writeBytes(`${folder}/${name}`, Buffer.from(text));
    },
    copyUefiVars: (from, to) => {
      const path = uefiVarsPath({ home: home(from) });
      if (fileExists(path)) copyDurably(path, uefiVarsPath({ home: home(to) }));
    },
    forgetUefiVars: vmId => removeFile(uefiVarsPath({ home: home(vmId) })),
    remove: vmId => {
      removeFolder(home(vmId));
      removeFolder(run(vmId));
    },
    toTrash: vmId => {
      moveInto(`${dataFolder}/trash`, home(vmId), `${vmId}-${systemClock.wallMs()}`);
      removeFolder(run(vmId));
    },
    isTrashed: vmId =>
      !fileExists(home(vmId)) && listFolder(`${dataFolder}/trash`).some(name => name.startsWith(`${vmId}-`)),
    trashed: () => listFolder(`${dataFolder}/trash`),
    removeTrashed: name => removeLarge(`${dataFolder}/trash/${name}`),
    ownerOf: path => vmIdSchema.safeParse(childBelow(vms, path)).data ?? null,
    beginMaking: vmId => writeJson(mark(vmId), {}),
    endMaking: vmId => removeFile(mark(vmId)),
    halfMade: () =>
      listFolder(vms)
        .filter(name => fileExists(mark(name)))
        .map(name => vmIdSchema.safeParse(name).data)
        .filter(vmId => vmId !== undefined),
    isHeld: vmId => lockHolder(`${home(vmId)}/.lock`) !== null,
  };
}
