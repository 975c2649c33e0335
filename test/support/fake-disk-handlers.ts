// The make-believe answers about disks: what differs, what a check finds, updates, growing, a lost timeline.
import type { Contract } from '../../shared/rpc/contract.ts';
import type { Handlers } from '../../shared/rpc/server.ts';
import type { PointDifference } from '../../shared/timeline.ts';
import { GIB, KIB, MIB } from '../../shared/units.ts';
import type { VerifyReport } from '../../shared/verify.ts';
import { addMoment } from './fake-history.ts';
import { type FakeControl, refuse } from './fake-service.ts';
import { type FakeVm, fakeTask } from './fake-world.ts';

/** Writes gather: most of them in a few places, the rest scattered. The same two ids give the same answer. */
function differenceOf(virtualBytes: number, key: string): PointDifference {
  let seed = [...key].reduce((sum, char) => (sum * 31 + (char.codePointAt(0) ?? 0)) % 2147483647, 7);
  const random = (): number => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
  const centres = [0.04, 0.31 + 0.1 * random(), 0.62];
  const ranges = Array.from({ length: 812 }, () => {
    const centre = centres[Math.floor(random() * centres.length)] ?? 0;
    const at = random() < 0.2 ? random() : centre + (random() + random() - 1) * 0.06;
    const offset = Math.floor((Math.abs(at) * virtualBytes) / (4 * KIB)) * 4 * KIB;
    return { offset, length: (1 + Math.floor(random() * 1000)) * 4 * KIB };
  })
    .filter(({ offset, length }) => offset + length <= virtualBytes)
    .sort((a, b) => a.offset - b.offset);
  return { bytes: ranges.reduce((sum, { length }) => sum + length, 0), ranges, isTruncated: false };
}

/** `work` has a damage that leaves Now whole; every other VM is whole. */
function reportOf(vm: FakeVm): VerifyReport {
  const [first] = vm.timeline.moments;
  const [disk] = vm.timeline.disks;
  const isDamaged = vm.summary.spec.name === 'work' && first !== undefined && disk !== undefined;
  return {
    state: 'done',
    startedAt: Date.now(),
    checkedBytes: 5 * GIB,
    unrecordedBytes: isDamaged ? 0 : 212 * MIB,
    totalBytes: 5 * GIB,
    damages: isDamaged
      ? [0, 1].map(index => ({
          diskId: disk.id,
          file: `${first.points[0]?.pointId}.vhd`,
          kind: 'data' as const,
          offset: 3 * GIB + index * 8 * MIB,
          length: 64 * KIB,
          what: 'Its checksum is 91c3a0, recorded was 91c3a4.',
          momentIds: [first.id],
          touchesNow: false,
        }))
      : [],
    isTruncated: false,
  };
}

function changingHandlers(control: FakeControl) {
  return {
    'disk.grow': ({ vmId, diskId, virtualBytes }) => {
      const vm = control.vm(vmId);
      const id = diskId ?? vm.timeline.disks[0]?.id;
      if (id === undefined) throw new Error('a fake VM without a disk');
      const grow = <T extends { readonly id: string }>(disks: readonly T[]): T[] =>
        disks.map(disk => (disk.id === id ? { ...disk, virtualBytes } : disk));
      vm.timeline = { ...vm.timeline, disks: grow(vm.timeline.disks) };
      const { spec } = vm.summary;
      vm.summary = { ...vm.summary, spec: { ...spec, disks: grow(spec.disks) } };
      control.publish();
      const laterBecause =
        vm.summary.state.phase === 'running' && spec.os === 'windows'
          ? 'QEMU does not grow a disk of this kind while it runs.'
          : null;
      return { diskId: id, virtualBytes, laterBecause };
    },
    'moment.export-delta': ({ vmId, path }) => ({
      ...control.work(fakeTask('moment.export', 'Export an update', vmId, Date.now()), () => undefined),
      path: path ?? '/home/me/.local/share/ebb/exports/dev clean install to before update.vhd',
    }),
    'moment.import-delta': ({ vmId, ontoId, name }) => {
      if (ontoId === null)
        return refuse(
          'vhd.parent-mismatch',
          'VHD update.vhd: parent UUID is 6c1f…, expected the UUID of a point of this VM or of the image one came from.',
          'Import it into the VM it was made for.',
          { field: 'parent UUID' },
        );
      return control.work(fakeTask('moment.import-delta', 'Import an update', vmId, Date.now()), () => {
        const vm = control.vm(vmId);
        const { nowParentId } = vm.timeline;
        addMoment(vm, {
          name: name ?? 'update',
          kind: 'imported',
          after: ontoId,
          at: Date.now(),
          bytes: 90 * MIB,
        });
        vm.timeline = { ...vm.timeline, nowParentId };
        control.publish();
      });
    },
    'vm.compact': ({ vmId }) =>
      control.work(fakeTask('vm.compact', 'Compact', vmId, Date.now()), () => {
        const vm = control.vm(vmId);
        const compact = { isPending: false, isPaused: false, freedBytes: 1300 * MIB };
        vm.timeline = { ...vm.timeline, settle: { ...vm.timeline.settle, compact } };
      }),
    'vm.rescue': ({ vmId }) => {
      const vm = control.vm(vmId);
      vm.isLost = false;
      addMoment(vm, {
        name: 'Recovered 1',
        kind: 'manual',
        after: null,
        at: Date.now(),
        bytes: 700 * MIB,
        root: true,
      });
      control.publish();
      return { points: 1, nameless: 1, notes: ['disks/9a/old.vhd: its header cannot be read.'] };
    },
  } satisfies Partial<Handlers<Contract>>;
}

export function diskHandlers(control: FakeControl) {
  return {
    ...changingHandlers(control),
    'timeline.get': ({ vmId }) => {
      const vm = control.vm(vmId);
      if (vm.isLost)
        refuse(
          'timeline.missing',
          '/home/me/.local/share/ebb/vms/9a/timeline.db is gone; the disk images beside it are there.',
          'Put the file back, or have it made anew from the images: ebb vm rescue VM',
        );
      return vm.timeline;
    },
    'moment.compare': ({ vmId, fromId, toId }) => ({
      disks: control.vm(vmId).timeline.disks.map(({ id, virtualBytes }) => ({
        diskId: id,
        difference: differenceOf(virtualBytes, `${fromId}${toId}`),
      })),
    }),
    'vm.verify': ({ vmId }) =>
      control.work(fakeTask('vm.verify', 'Check', vmId, Date.now()), () => {
        const vm = control.vm(vmId);
        vm.report = reportOf(vm);
      }),
    'vm.verify-report': ({ vmId }) => ({ report: control.vm(vmId).report }),
  } satisfies Partial<Handlers<Contract>>;
}
