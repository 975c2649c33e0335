// What is in a CD drive is changed, killed at every step of control: real files; only control dies.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Drives, type Insertion } from '../../../../electron/control/machines/drives.ts';
import { machineFolders } from '../../../../electron/control/machines/machine-folders.ts';
import { TaskGate } from '../../../../electron/control/tasks/task-gate.ts';
import type { TaskRun } from '../../../../electron/control/tasks/tasks.ts';
import { fileFault } from '../../../../electron/platform/block-file.ts';
import type { EbbPaths } from '../../../../electron/platform/paths.ts';
import { lookAtFile } from '../../../../electron/platform/vm-files.ts';
import { Fault } from '../../../../shared/result.ts';
import type { VmSpec, VmSummary } from '../../../../shared/vm.ts';
import { specOf } from '../../../support/memory-world.ts';

class Killed extends Error {}

const OLD: VmSpec['boot'] = { kind: 'iso', isoName: 'installer.iso', label: 'old.iso' };
const discId = '00000000-0000-4000-8000-00000000000d';
const nothing = (): void => undefined;

let data: string;
/** The catalog's row: durable. */
let spec: VmSpec;

const { id: vmId } = specOf(1);
const home = (): string => join(data, 'vms', vmId);
const at = (name: string): string => join(home(), name);
const source = (): string => join(data, 'rescue.iso');
/** What the drive holds: null where the row names a file that is not there. */
function inside(): string | null {
  if (spec.boot.kind !== 'iso') return 'nothing';
  return existsSync(at(spec.boot.isoName)) ? readFileSync(at(spec.boot.isoName), 'utf8') : null;
}

const controller = new AbortController();
const run = (): TaskRun => {
  const { signal } = controller;
  const gate = new TaskGate({ isPaused: false, signal, changed: () => undefined });
  return { step: () => undefined, signal, gate, isAgain: false, stood: null, mark: () => undefined };
};

/** A control that dies at its `killAt`th step: whatever it tries from then on does not happen. */
function control({
  killAt = Number.POSITIVE_INFINITY,
  requireOff = nothing,
  freeBytes = 2 ** 40,
  onCopied = nothing,
} = {}) {
  let steps = 0;
  const step = (): void => {
    if (++steps >= killAt) throw new Killed();
  };
  const folders = machineFolders({ dataFolder: data, runFolder: data } as EbbPaths);
  const drives = new Drives({
    machines: {
      kept: () => [{ spec }] as unknown as VmSummary[],
      spec: () => spec,
      requireOff,
      update: next => {
        step();
        spec = next;
        step();
      },
    },
    folders: {
      freeBytes: () => freeBytes,
      copyIn: async (...given) => {
        const [, , name] = given;
        if (steps + 1 >= killAt) writeFileSync(at(`${name}.new`), 'half');
        step();
        await folders.copyIn(...given);
        onCopied();
        step();
      },
      installers: id => {
        step();
        return folders.installers(id);
      },
      removeInstaller: async (...given) => {
        step();
        await folders.removeInstaller(...given);
        step();
      },
    },
    look: lookAtFile,
    random: { uuid: () => discId },
    log: () => undefined,
  });
  return { drives, steps: () => steps };
}

const chosen = () => {
  const file = lookAtFile(source());
  if (file === null) throw new Error('no file');
  return file;
};
const order = (): Insertion => ({ vmId, file: chosen(), discId });

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'ebb-t-'));
  mkdirSync(home(), { recursive: true });
  writeFileSync(at('installer.iso'), 'old');
  writeFileSync(at('mine.iso'), 'a person put it there');
  writeFileSync(source(), 'new');
  spec = { ...specOf(1), boot: OLD };
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

async function killedAtEach(work: (drives: Drives) => Promise<unknown>, after: string) {
  const before = { spec, files: new Map(readdirSync(home()).map(name => [name, readFileSync(at(name))])) };
  const outcomes = new Set<string | null>();
  let leftOver = 0;
  for (let killAt = 1; ; killAt++) {
    const dying = control({ killAt });
    await work(dying.drives).catch((cause: unknown) => {
      if (!(cause instanceof Killed)) throw cause;
    });
    const isOver = dying.steps() < killAt;
    outcomes.add(inside());
    const isChanged = spec !== before.spec;
    expect([killAt, inside()]).toEqual([killAt, isChanged ? after : 'old']);
    const mine = spec.boot.kind === 'iso' ? [spec.boot.isoName] : [];
    const expected = [...mine, 'mine.iso'].sort();
    if (readdirSync(home()).length > expected.length) leftOver++;
    await control().drives.sweep();
    expect(readdirSync(home()).sort()).toEqual(expected);
    // Begun again under its id, it is done once.
    await work(control().drives);
    expect([killAt, inside()]).toEqual([killAt, after]);
    if (isOver) break;
    spec = before.spec;
    for (const name of readdirSync(home())) rmSync(at(name));
    for (const [name, bytes] of before.files) writeFileSync(at(name), bytes);
  }
  expect(outcomes).toEqual(new Set(['old', after]));
  // Switched off, the test fails: without the next control's sweep copies stay.
  expect(leftOver).toBeGreaterThan(0);
}

describe('the CD drive of a VM that is off', () => {
  it('another put in, killed at any step: the old one is in it or the new one, whole, and nothing else is left', () =>
    killedAtEach(drives => drives.insert(order(), run()), 'new'));

  it('taken out, killed at any step: it is in or out, and its room comes back', () =>
    killedAtEach(drives => drives.eject(vmId), 'nothing'));

  it('says what the file is called and how much came back; what people put beside it stays', async () => {
    writeFileSync(source(), 'newer');
    await control().drives.insert(order(), run());
    expect(spec.boot).toEqual({ kind: 'iso', isoName: `installer-${discId}.iso`, label: 'rescue.iso' });
    expect(readFileSync(source(), 'utf8')).toBe('newer');
    expect(await control().drives.eject(vmId)).toBe(5);
    expect(spec.boot).toEqual({ kind: 'disk' });
    expect(readdirSync(home())).toEqual(['mine.iso']);
    expect(await control().drives.eject(vmId)).toBe(0);
  });

  it('L4: of a VM that runs or is suspended it stays as it is, also where it began to run while the file was copied', async () => {
    const notOff = new Fault({ code: 'vm.wrong-state', what: '', safe: '', todo: '' });
    const requireOff = (): void => {
      throw notOff;
    };
    const { drives } = control({ requireOff });
    expect(() => drives.plan(vmId, chosen())).toThrow(notOff);
    await expect(drives.insert(order(), run())).rejects.toBe(notOff);
    await expect(drives.eject(vmId)).rejects.toBe(notOff);
    let hasBegun = false;
    const starting = control({ requireOff: () => hasBegun && requireOff() });
    const inserting = starting.drives.insert(starting.drives.plan(vmId, chosen()), run());
    hasBegun = true;
    await expect(inserting).rejects.toBe(notOff);
    expect([spec.boot, readdirSync(home()).sort()]).toEqual([OLD, ['installer.iso', 'mine.iso']]);
  });

  it('T14: what does not fit is refused before anything is copied; what changes meanwhile, before it is in', async () => {
    const full = control({ freeBytes: 2 ** 20 }).drives;
    expect(() => full.plan(vmId, chosen())).toThrow('disk.full: ');
    const onCopied = (): void => {
      throw fileFault('copying', 'x', { code: 'ENOSPC' });
    };
    await expect(control({ onCopied }).drives.insert(order(), run())).rejects.toMatchObject({
      body: { code: 'disk.full', safe: 'What is in the CD drive stays in it.' },
    });
    const changed = order();
    writeFileSync(source(), 'another');
    await expect(control().drives.insert(changed, run())).rejects.toThrow('import.changed: ');
    const changing = control({ onCopied: () => writeFileSync(source(), 'yet another') }).drives;
    await expect(changing.insert(order(), run())).rejects.toThrow('import.changed: ');
    expect([inside(), readdirSync(home()).sort()]).toEqual(['old', ['installer.iso', 'mine.iso']]);
  });

  it('the sample has none', async () => {
    spec = { ...spec, boot: { kind: 'sample' } };
    const { drives } = control();
    expect(() => drives.plan(vmId, chosen())).toThrow('vm.bad-spec: ');
    expect(await drives.eject(vmId)).toBe(0);
    expect(spec.boot.kind).toBe('sample');
  });
});
