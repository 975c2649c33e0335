// What is inside points of the make-believe VMs: each state a list of files can be in. Development only.
import { ENTRIES_MAX, type FileEntry } from '../../shared/point-files.ts';
import { Fault } from '../../shared/result.ts';
import type { Contract } from '../../shared/rpc/contract.ts';
import type { Handlers } from '../../shared/rpc/server.ts';
import { MIB } from '../../shared/units.ts';
import type { FakeControl } from './fake-service.ts';
import { fakeTask } from './fake-world.ts';

const AT = Date.UTC(2026, 10, 24, 9);
const folder = (name: string): FileEntry => ({ name, kind: 'folder', bytes: 0, modifiedAt: AT });
const file = (name: string, bytes: number): FileEntry => ({ name, kind: 'file', bytes, modifiedAt: AT });
const other = (name: string): FileEntry => ({ name, kind: 'other', bytes: 0, modifiedAt: null });

const INSIDE: Readonly<Record<string, readonly FileEntry[]>> = {
  '': [
    folder('etc'),
    folder('home'),
    folder('srv'),
    folder('usr'),
    other('bin'),
    file('swap.img', 900 * MIB),
  ],
  etc: [file('fstab', 612), file('hostname', 8), other('odd\ufffdname')],
  home: [folder('ann')],
  'home/ann': [
    file('Letter to the landlord.odt', 48_213),
    file('photo.jpg', 3_355_443),
    file('notes.txt', 901),
  ],
  usr: Array.from({ length: ENTRIES_MAX }, (_, index) => file(`part ${index}`, index)),
};
const volumes = [
  { index: 0, name: 'EFI', fileSystem: 'EFI System', offset: MIB, bytes: 512 * MIB },
  { index: 1, name: 'root', fileSystem: 'Linux Data', offset: 513 * MIB, bytes: 20_000 * MIB },
];

export const fakeFileHandlers = (
  control: FakeControl,
): Pick<Handlers<Contract>, 'moment.files' | 'moment.copy-files'> => ({
  'moment.files': ({ vmId, momentId, folder: of, volume }) => {
    const name = control.vm(vmId).timeline.moments.find(({ id }) => id === momentId)?.name;
    if (name === 'Imported')
      throw new Fault({
        code: 'host.unsupported',
        what: "7-Zip is not on this computer's PATH: files inside a point cannot be listed here.",
        safe: 'The point is as it was.',
        todo: 'Install it: sudo apt-get install 7zip. Or look at the point with Peek, or export it.',
      });
    const isNone = name === 'clean install' || volume === 0;
    const entries = isNone ? null : [...(INSIDE[of] ?? [])];
    return { volumes, volume: volume ?? 1, entries, isTruncated: of === 'usr' };
  },
  'moment.copy-files': ({ vmId, folder: into }) => ({
    ...control.work(fakeTask('moment.export', 'Restore files', vmId, Date.now()), () => undefined),
    folder: into ?? '/home/me/.local/share/ebb/exports/dev before update 2026-11-30 files',
  }),
});
