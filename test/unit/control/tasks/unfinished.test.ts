// What a dead control left half-written goes; what cannot go yet is tried again, and keeps no control from starting.
import { expect, it } from 'vitest';
import { Unfinished } from '../../../../electron/control/tasks/unfinished.ts';
import { Fault } from '../../../../shared/result.ts';

it('what lies on a disk that is read-only by now stays noted, the rest goes', () => {
  let noted: unknown;
  const readOnly = new Set(['/stick/vm.raw.part']);
  const removed: string[] = [];
  const unfinished = new Unfinished({
    path: '/data/unfinished.json',
    readJson: () => noted,
    writeJson: (_path, value) => {
      noted = value;
    },
    remove: path => {
      if (readOnly.has(path))
        throw new Fault({ code: 'disk.io', what: 'EROFS', safe: 'All.', todo: 'Nothing.' });
      removed.push(path);
    },
  });
  for (const file of ['/data/a.part', '/stick/vm.raw.part']) unfinished.begin(file);
  expect(unfinished.sweep()).toEqual(['/data/a.part']);
  expect(noted).toEqual(['/stick/vm.raw.part']);
  readOnly.clear();
  expect(unfinished.sweep()).toEqual(['/stick/vm.raw.part']);
  expect([noted, removed]).toEqual([[], ['/data/a.part', '/stick/vm.raw.part']]);
});
