// What lies where while a VM's folder is added: the stranger's folder, a copy that is being made in the trash
// (`.arriving-<vmId>`), and its place in the trash once it is whole.
import type { VmId } from '../../../shared/ids.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import { systemClock } from '../../platform/clock.ts';
import { areOnOneDisk, copySparse, type TreeFile, treeOf } from '../../platform/copy-tree.ts';
import { makePrivateFolder, readSmallJson, removeFile, writeJson } from '../../platform/json-file.ts';
import { lockHolder } from '../../platform/lock-owner.ts';
import {
  bytesOf,
  childBelow,
  freeBytesAt,
  isNameTaken,
  listFolder,
  moveInto,
  removeLarge,
} from '../../platform/vm-files.ts';
import { recordPath } from '../vm/home-files.ts';
import { type FolderSays, readVmJson, VM_JSON, VM_JSON_BYTES_MAX, vmJsonOf } from './vm-json.ts';

const ARRIVING = '.arriving-';
/** T15: 5,000 points of eight disks, with what is kept beside them. */
const FILES_MAX = 100_000;
const LOCK_BYTES_MAX = 4096;
const SMALL_BYTES_MAX = 2 ** 20;

export interface Arrivals {
  readonly says: (path: string) => FolderSays;
  readonly tree: (path: string) => { readonly files: readonly TreeFile[]; readonly odd: string | null };
  readonly isOurs: (path: string) => boolean;
  readonly hasHome: (vmId: VmId) => boolean;
  /** Does a living storage of this computer have its disks open? */
  readonly isHeld: (path: string) => boolean;
  /** On the disk of the data folder. */
  readonly isBeside: (path: string) => boolean;
  readonly freeBytes: () => number;
  readonly readSmall: (path: string) => unknown;
  readonly writeJson: (path: string, value: unknown) => void;
  readonly putSpec: (folder: string, spec: VmSpec) => void;
  readonly removeRunRecord: (folder: string) => void;
  /** A new folder for a copy. */
  readonly begin: (vmId: VmId) => string;
  readonly copy: (from: string, to: string, copied: (bytes: number) => void) => Promise<void>;
  /** Durable: it is in the trash, as if it had been deleted now. */
  readonly land: (folder: string, vmId: VmId) => void;
  readonly drop: (folder: string) => Promise<void>;
  readonly sweep: () => Promise<void>;
}

export function arrivals(dataFolder: string): Arrivals {
  const trash = `${dataFolder}/trash`;
  return {
    says: path => readVmJson(readSmallJson(`${path}/${VM_JSON}`, VM_JSON_BYTES_MAX)),
    tree: path => treeOf(path, FILES_MAX),
    isOurs: path => childBelow(dataFolder, `${path}/`) !== null,
    hasHome: vmId => isNameTaken(`${dataFolder}/vms/${vmId}`),
    isHeld: path => {
      const lock = `${path}/.lock`;
      // A longer one names nobody.
      return (bytesOf(lock) ?? 0) <= LOCK_BYTES_MAX && lockHolder(lock) !== null;
    },
    isBeside: path => areOnOneDisk(path, dataFolder),
    freeBytes: () => freeBytesAt(dataFolder),
    readSmall: path => readSmallJson(path, SMALL_BYTES_MAX),
    writeJson,
    putSpec: (folder, spec) => writeJson(`${folder}/${VM_JSON}`, vmJsonOf(spec)),
    removeRunRecord: folder => removeFile(recordPath({ home: folder })),
    begin: vmId => {
      const folder = `${trash}/${ARRIVING}${vmId}-${systemClock.wallMs()}`;
      makePrivateFolder(folder);
      return folder;
    },
    copy: copySparse,
    land: (folder, vmId) => moveInto(trash, folder, `${vmId}-${systemClock.wallMs()}`),
    drop: removeLarge,
    sweep: async () => {
      for (const name of listFolder(trash))
        if (name.startsWith(ARRIVING)) await removeLarge(`${trash}/${name}`);
    },
  };
}
