// What the make-believe service says of IT policy: the real report, of one file in worlds called "managed".
import { readingOf } from '../../electron/control/policy/reading.ts';
import { reportOf } from '../../electron/control/policy/report.ts';
import { resolvePolicy } from '../../electron/control/policy/resolve.ts';
import type { PolicyReport } from '../../shared/policy/report.ts';
import { GIB_KIB } from '../../shared/units.ts';
import { foldersOf, policyText } from './policies.ts';

const LAB = policyText(
  {
    'memory.host.reserve': { min: '4GiB', reason: 'Programs of this computer must stay usable' },
    'memory.vm.max': { max: '6GiB', reason: 'Laptops have 16 GiB' },
    'vm.running': { max: 3 },
    'vm.delete': { value: false, reason: 'Exercises are collected from the VMs' },
    'network.modes': { allowed: ['user'] },
    'history.keepDays': { min: 14, reason: 'A fortnight of every exercise' },
    'history.quota': { max: '20GiB' },
  },
  { organization: 'Lab IT', contact: 'it@example.edu' },
);

export function fakePolicy(kind: string): PolicyReport {
  const folders = foldersOf(kind === 'managed' ? { 'managed/50-lab.json': LAB } : {});
  const reading = readingOf(folders, {});
  const user = {};
  const defaults = { 'memory.host.reserve': 4 * GIB_KIB, 'memory.mode': 'need' };
  const resolved = resolvePolicy({ spoken: reading.spoken, user, defaults });
  return reportOf({ folders: folders.map(({ path }) => path), reading, resolved, user, defaults });
}
