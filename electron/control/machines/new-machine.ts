// What a VM is made from, and the spec it begins with. Pure.
import type { DiskId, VmId } from '../../../shared/ids.ts';
import type { MemoryRange } from '../../../shared/memory.ts';
import type { DiskFormat, VmSpec } from '../../../shared/vm.ts';
import type { CloudInit, Setup } from '../../../shared/vm-setup.ts';
import type { ChosenFile } from '../files.ts';
import { bootOf, INSTALLER } from './installer.ts';

export type ResolvedSource =
  | { readonly kind: 'sample'; readonly diskBytes: number }
  | { readonly kind: 'empty'; readonly diskBytes: number }
  | { readonly kind: 'iso'; readonly file: ChosenFile; readonly diskBytes: number }
  | {
      readonly kind: 'disk';
      readonly file: ChosenFile;
      readonly format: DiskFormat;
      readonly history?: boolean | undefined;
    };

export interface NewMachine extends MemoryRange {
  readonly name: string;
  readonly os: VmSpec['os'];
  readonly cpus: number;
  readonly balloon: boolean;
  readonly network: VmSpec['network'];
  readonly portForwards: VmSpec['portForwards'];
  readonly setup: Setup;
  readonly cloudInit: CloudInit | null;
  readonly source: ResolvedSource;
}

function firstBoot(source: ResolvedSource): VmSpec['boot'] {
  if (source.kind === 'iso') return bootOf(INSTALLER, source.file);
  return { kind: source.kind === 'sample' ? 'sample' : 'disk' };
}

export function newSpec(
  { name, os, cpus, balloon, network, portForwards, setup, source }: NewMachine,
  made: MemoryRange & {
    readonly id: VmId;
    readonly diskId: DiskId;
    readonly virtualBytes: number;
    readonly createdAt: number;
  },
): VmSpec {
  const { id, diskId, virtualBytes, createdAt, minKib, maxKib } = made;
  return {
    id,
    name,
    os,
    cpus,
    minKib,
    maxKib,
    weight: 100,
    balanced: true,
    balloon,
    disks: [{ id: diskId, virtualBytes }],
    boot: firstBoot(source),
    network,
    portForwards,
    ...setup,
    createdAt,
  };
}
