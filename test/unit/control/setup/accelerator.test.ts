// L2: the probe's own QEMU, on a computer whose folders have any names.
import { describe, expect, it } from 'vitest';
import { AcceleratorProbe } from '../../../../electron/control/setup/accelerator.ts';
import { TestClock } from '../../../support/memory-world.ts';

describe('the probe of the accelerator', () => {
  it('L3: a comma in the folder of the data begins no option of its own', async () => {
    const asked: string[][] = [];
    const probe = new AcceleratorProbe({
      clock: new TestClock(),
      bootId: 'b',
      qemu: () => '/bin/qemu',
      hasKvmDevice: () => true,
      runTool: () => Promise.resolve({ code: 0, stdout: 'QEMU 7.2', stderr: '' }),
      spawn: (_command, args) => {
        asked.push([...args]);
        return Promise.resolve({ id: { pid: 1, started: '1' }, exited: Promise.resolve(1) });
      },
      end: () => undefined,
      readText: path => (path.endsWith('serial') ? 'EBBLIVES' : ''),
      readJson: () => undefined,
      writeJson: () => undefined,
      writeBytes: () => undefined,
      removeFile: () => undefined,
      folder: '/data,readonly=off',
    });
    expect(await probe.result()).toMatchObject({ accelerator: 'kvm' });
    expect(asked[0]?.at(-1)).toBe('file=/data,,readonly=off/probe.img,format=raw,if=ide,snapshot=on');
  });
});
