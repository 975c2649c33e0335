// L2: the probe's own QEMU, on a computer whose folders have any names.
import { describe, expect, it } from 'vitest';
import { AcceleratorProbe, type ProbePorts } from '../../../../electron/control/setup/accelerator.ts';
import { TestClock } from '../../../support/memory-world.ts';

const probeOf = (ports: Partial<ProbePorts>): AcceleratorProbe =>
  new AcceleratorProbe({
    clock: new TestClock(),
    bootId: 'b',
    qemu: () => '/bin/qemu',
    hasKvmDevice: () => true,
    runTool: () => Promise.resolve({ code: 0, stdout: 'QEMU 7.2', stderr: '' }),
    spawn: () => Promise.resolve({ id: { pid: 1, started: '1' }, exited: Promise.resolve(1) }),
    end: () => undefined,
    readText: path => (path.endsWith('serial') ? 'EBBLIVES' : ''),
    readJson: () => undefined,
    writeJson: () => undefined,
    writeBytes: () => undefined,
    removeFile: () => undefined,
    folder: '/data',
    ...ports,
  });

describe('the probe of the accelerator', () => {
  it('L3: a comma in the folder of the data begins no option of its own', async () => {
    const asked: string[][] = [];
    const probe = probeOf({
      spawn: (_command, args) => {
        asked.push([...args]);
        return Promise.resolve({ id: { pid: 1, started: '1' }, exited: Promise.resolve(1) });
      },
      folder: '/data,readonly=off',
    });
    expect(await probe.result()).toMatchObject({ accelerator: 'kvm' });
    expect(asked[0]?.at(-1)).toBe('file=/data,,readonly=off/probe.img,format=raw,if=ide,snapshot=on');
  });

  it('L2: a QEMU that is installed later is found without a restart', async () => {
    let qemu: string | null = null;
    const probe = probeOf({ qemu: () => qemu });
    expect(await probe.result()).toMatchObject({ accelerator: 'tcg', why: 'QEMU is missing.' });
    qemu = '/bin/qemu';
    expect(await probe.result()).toMatchObject({ accelerator: 'kvm' });
  });

  it('L2: a full disk keeps it from probing, which ends nothing; with room it probes', async () => {
    let isFull = true;
    const write = (): void => {
      if (isFull) throw new Error('ENOSPC: no space left');
    };
    const unwritten = probeOf({ writeJson: write });
    expect(await unwritten.result()).toMatchObject({ accelerator: 'kvm' });
    const probe = probeOf({ writeBytes: write });
    expect(await probe.result()).toMatchObject({ accelerator: 'tcg', why: 'ENOSPC: no space left' });
    isFull = false;
    expect(await probe.result()).toMatchObject({ accelerator: 'kvm' });
  });
});
