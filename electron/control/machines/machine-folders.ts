// Where a VM's files lie, and what is done with them as a whole. A VM that is being made has a mark in its
// folder, from before the first byte until it is in the catalog. The mark tells what a dead control left
// half-made from a whole VM that the catalog does not know, which nobody may move.
import { type VmId, vmIdSchema } from '../../../shared/ids.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import { systemClock } from '../../platform/clock.ts';
import {
  makePrivateFolder,
  readSmallJson,
  removeDurably,
  removeFile,
  writeJson,
} from '../../platform/json-file.ts';
import { lockHolder } from '../../platform/lock-owner.ts';
import type { EbbPaths } from '../../platform/paths.ts';
import {
  bytesOf,
  childBelow,
  copyDurably,
  copyInto,
  fileExists,
  freeBytesAt,
  isNameTaken,
  listFolder,
  moveInto,
  removeFolder,
  removeLarge,
  writeBytes,
} from '../../platform/vm-files.ts';
import { seedFolder, uefiVarsPath } from '../vm/home-files.ts';
import { isInstaller } from './installer.ts';
import { type FolderSays, readVmJson, VM_JSON, VM_JSON_BYTES_MAX, vmJsonOf } from './vm-json.ts';

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
  /** Moves it back, durably. Nothing may be where it goes. */
  readonly fromTrash: (name: string, vmId: VmId) => void;
  /** From its first step on, what is left of the folder cannot be taken back any more. */
  readonly removeTrashed: (name: string) => Promise<void>;
  readonly hasHome: (vmId: VmId) => boolean;
  /** What the folder says of the VM in it (vm-json.ts). */
  readonly says: (vmId: VmId) => FolderSays;
  readonly trashedSays: (name: string) => FolderSays;
  /** Faults: disk.full, disk.io. */
  readonly putSpec: (spec: VmSpec) => void;
  /** The VM whose folder this file is in; null: none. */
  readonly ownerOf: (path: string) => VmId | null;
  /** Sets the mark, durably, before anything else; `endMaking` removes it once the catalog has the VM. */
  readonly beginMaking: (vmId: VmId) => void;
  readonly endMaking: (vmId: VmId) => void;
  readonly halfMade: () => VmId[];
  /** Does a living storage have its disks open? */
  readonly isHeld: (vmId: VmId) => boolean;
}

/** A folder that is only half there, or another Ebb's to make, says nothing. */
const saidIn = (folder: string): FolderSays =>
  fileExists(`${folder}/${MARK}`)
    ? { spec: null, why: 'none' }
    : readVmJson(readSmallJson(`${folder}/${VM_JSON}`, VM_JSON_BYTES_MAX));

export function machineFolders({ dataFolder, runFolder }: EbbPaths): MachineFolders {
  const vms = `${dataFolder}/vms`;
  const trash = `${dataFolder}/trash`;
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
      moveInto(trash, home(vmId), `${vmId}-${systemClock.wallMs()}`);
      removeFolder(run(vmId));
    },
    isTrashed: vmId => !fileExists(home(vmId)) && listFolder(trash).some(name => name.startsWith(`${vmId}-`)),
    trashed: () => listFolder(trash),
    fromTrash: (name, vmId) => moveInto(vms, `${trash}/${name}`, vmId),
    removeTrashed: async name => {
      if (fileExists(`${trash}/${name}/${VM_JSON}`)) removeDurably(`${trash}/${name}/${VM_JSON}`);
      await removeLarge(`${trash}/${name}`);
    },
    hasHome: vmId => isNameTaken(home(vmId)),
    says: vmId => saidIn(home(vmId)),
    trashedSays: name => saidIn(`${trash}/${name}`),
    putSpec: spec => writeJson(`${home(spec.id)}/${VM_JSON}`, vmJsonOf(spec)),
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
