// Who dies while the VM is in what state, and how the VM must be found afterwards. Pure data: run.ts kills and checks.
import type { VmPhase } from '../../../shared/vm.ts';

/** `renderer`: a page in a browser. `shell`: its gateway. `host`: QEMU, storage and control at once. */
export const PARTS = ['renderer', 'shell', 'control', 'storage', 'QEMU', 'host'] as const;
/** `take`: a point is being taken. `reversal`: an edge is being turned. `starting`: its saved memory is being read. */
export const STATES = ['idle', 'starting', 'running', 'take', 'reversal', 'suspend', 'delete'] as const;
export type Part = (typeof PARTS)[number];
export type State = (typeof STATES)[number];

export interface Expected {
  /** For people; the rest says the same to run.ts. */
  readonly text: string;
  /** In what phases it may be found when nothing is under way any more; `gone`: in the trash, whole. */
  readonly phases: readonly (VmPhase | 'gone')[];
  /** Is QEMU the process it was, wherever it runs? Where it is not, what the guest had in memory may be lost. */
  readonly isSameQemu: boolean;
  /** Of the point that was being taken. */
  readonly point?: 'taken' | 'taken or not';
}
export interface Void {
  readonly nothing: string;
}
export type Cell = Expected | Void;
export const isVoid = (cell: Cell): cell is Void => 'nothing' in cell;

const running = (text: string, more: Partial<Expected> = {}): Expected => ({
  text,
  phases: ['running'],
  isSameQemu: true,
  ...more,
});
const off = (text: string, phases: Expected['phases'] = ['off']): Expected => ({
  text,
  phases,
  isSameQemu: false,
});
const crashed = (text: string, phases: Expected['phases'], more: Partial<Expected> = {}): Expected => ({
  ...off(text, phases),
  ...more,
});
const nobodyLooks = {
  idle: off('the VM stays off; nothing of it was anybody else’s to lose'),
  starting: running('the start goes on and ends well; the guest goes on where it was suspended'),
  running: running('the VM runs on'),
  take: running('the point is taken, once, as the guest’s disk was; the VM runs on', { point: 'taken' }),
  reversal: running('the edge is turned to its end; the VM runs on'),
  suspend: {
    text: 'the VM is suspended, and resumes where it was',
    phases: ['suspended'],
    isSameQemu: false,
  },
  delete: off('the VM is gone; its whole history is in the trash', ['gone']),
} as const satisfies Record<State, Expected>;

export const TABLE: Readonly<Record<Part, Readonly<Record<State, Cell>>>> = {
  renderer: nobodyLooks,
  shell: nobodyLooks,
  control: {
    idle: off('the next control has the VM, off, with its whole history'),
    starting: {
      text: 'running, adopted by the next control, or suspended as before: the guest’s memory is not lost',
      phases: ['running', 'suspended'],
      isSameQemu: true,
    },
    running: running('the VM runs on, adopted by the next control'),
    take: running('the VM runs on, thawed; the point is there whole, or not at all', {
      point: 'taken or not',
    }),
    reversal: running('the VM runs on; storage turns the edge to its end'),
    suspend: {
      text: 'running again or suspended: the guest’s memory is not lost',
      phases: ['running', 'suspended'],
      isSameQemu: true,
    },
    delete: off('gone, whole in the trash, or there as it was', ['off', 'gone']),
  },
  storage: {
    idle: off('the VM stays off; the next storage has its whole history'),
    starting: {
      text: 'running, or suspended as before with why it did not start: the guest’s memory is not lost',
      phases: ['running', 'suspended', 'failed'],
      isSameQemu: true,
    },
    running: running('the VM runs on: its disks come back, nothing acknowledged is lost'),
    take: running('the VM runs on; the point is there whole, or not at all', { point: 'taken or not' }),
    reversal: running('the VM runs on; the next storage turns the edge to its end'),
    suspend: {
      text: 'suspended, or running again: the guest’s memory is not lost',
      phases: ['running', 'suspended'],
      isSameQemu: true,
    },
    delete: off('gone, whole in the trash, or there as it was', ['off', 'gone']),
  },
  QEMU: {
    idle: { nothing: 'a VM that is off has no QEMU' },
    starting: crashed('failed, saying so; what was saved resumes, unless its guest may have run since', [
      'failed',
    ]),
    running: crashed('failed, saying so; every acknowledged write is on the disk', ['failed']),
    take: crashed('failed, saying so; the point is there whole, or not at all', ['failed'], {
      point: 'taken or not',
    }),
    reversal: crashed('failed, saying so; the edge is turned to its end', ['failed']),
    suspend: crashed('failed, saying so, or suspended where all its memory was saved', [
      'failed',
      'suspended',
    ]),
    delete: { nothing: 'a VM that may be deleted has no QEMU' },
  },
  host: {
    idle: off('the VM is off, with its whole history'),
    starting: crashed('suspended as before; off, where its guest may have run since', ['suspended', 'off']),
    running: crashed('off; every acknowledged write is on the disk', ['off']),
    take: crashed('off; the point is there whole, or not at all', ['off'], { point: 'taken or not' }),
    reversal: crashed('off; the edge is turned to its end', ['off']),
    suspend: crashed('suspended where all its memory was saved, else off', ['suspended', 'off']),
    delete: off('gone, whole in the trash, or there as it was', ['off', 'gone']),
  },
};
