// What is asked of a running QEMU, and in which order.
import { describe, expect, it } from 'vitest';
import type { QmpSession } from '../../../../electron/control/qmp/session.ts';
import { Guest } from '../../../../electron/control/vm/guest.ts';
import type { VmId } from '../../../../shared/ids.ts';

const MIB = 1024;
const OVERHEAD_KIB = 100 * MIB;

/** A QEMU whose balloon takes memory between any two questions. */
class Inflating {
  heldKib = 320 * MIB;
  execute(command: string): Promise<unknown> {
    this.heldKib -= 20 * MIB;
    return Promise.resolve(this.#answer(command));
  }
  #answer(command: string): unknown {
    switch (command) {
      case 'query-status':
        return { status: 'running', running: true };
      case 'query-balloon':
        return { actual: this.heldKib * 1024 };
      case 'x-query-virtio-status':
        return { status: { statuses: ['VIRTIO_CONFIG_S_DRIVER_OK: Driver setup and ready'] } };
      default:
        return { stats: {}, 'last-update': 0 };
    }
  }
}

/** Its driver loads as soon as anybody asks what the balloon holds. */
class Loading extends Inflating {
  #isLoaded = false;
  override execute(command: string): Promise<unknown> {
    const statuses = this.#isLoaded ? ['VIRTIO_CONFIG_S_DRIVER_OK: Driver setup and ready'] : [];
    if (command === 'query-balloon') this.#isLoaded = true;
    return command === 'x-query-virtio-status'
      ? Promise.resolve({ status: { statuses } })
      : super.execute(command);
  }
}

/** It was told its driver is loaded, and reads on: what it holds and was told to hold comes last. */
class Incoming extends Inflating {
  isRead = false;
  override execute(command: string): Promise<unknown> {
    return command === 'query-status'
      ? Promise.resolve({ status: this.isRead ? 'paused' : 'inmigrate', running: false })
      : super.execute(command);
  }
}

const guestOn = (qemu: object, more: Partial<ConstructorParameters<typeof Guest>[0]> = {}): Guest =>
  new Guest({
    vmId: '00000000-0000-4000-8000-000000000001' as VmId,
    pid: 77,
    qmp: qemu as QmpSession,
    hasBalloon: true,
    residentKib: () => null,
    freshResidentKib: () => Promise.resolve(null),
    agent: () => null,
    ...more,
  });

describe('figures of a guest', () => {
  it('M9: one whose memory is being read is asked for nothing yet: that would be overwritten', async () => {
    const qemu = new Incoming();
    const guest = guestOn(qemu);
    expect(await guest.sample()).toMatchObject({ driverReady: false, paused: true });
    qemu.isRead = true;
    expect(await guest.sample()).toMatchObject({ driverReady: true, paused: true });
  });

  it('M9: a driver that loads while they are read is not taken to have said what it holds', async () => {
    const guest = guestOn(new Loading());
    expect((await guest.sample()).driverReady).toBe(false);
    expect((await guest.sample()).driverReady).toBe(true);
  });

  it('M2: what a balloon takes while they are read is not taken for memory QEMU itself needs', async () => {
    const qemu = new Inflating();
    const guest = guestOn(qemu, {
      // As a host that has to be asked last said.
      residentKib: () => 2 * qemu.heldKib,
      freshResidentKib: () => Promise.resolve(qemu.heldKib + OVERHEAD_KIB),
    });
    const sample = await guest.sample();
    expect(sample.actualKib).toBeLessThan(300 * MIB);
    expect((sample.residentKib ?? 0) - (sample.actualKib ?? 0)).toBeLessThanOrEqual(OVERHEAD_KIB);
  });
});
