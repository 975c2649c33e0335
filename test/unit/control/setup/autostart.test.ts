import { describe, expect, it } from 'vitest';
import { Autostart, startOrder } from '../../../../electron/control/setup/autostart.ts';
import type { VmId } from '../../../../shared/ids.ts';
import { specOf, TestClock, uuid } from '../../../support/memory-world.ts';

const wish = (n: number, order: number | null, delaySeconds = 0, name = `vm${n}`) => ({
  ...specOf(n),
  name,
  autostart: order === null ? null : { order, delaySeconds },
  isRunning: false,
});

class Host {
  readonly clock = new TestClock();
  boot = 'boot 1';
  note: unknown = undefined;
  vms = [wish(1, 2), wish(2, null), wish(3, 1, 30), wish(4, 2, 5, 'a')];
  readonly started: VmId[] = [];
  /** Before it answers. */
  onStart: (vmId: VmId) => Promise<void> = () => Promise.resolve();

  begin(): Autostart {
    return new Autostart({
      clock: this.clock,
      bootId: this.boot,
      readNote: () => this.note,
      writeNote: note => {
        this.note = JSON.parse(JSON.stringify(note));
      },
      vms: () => this.vms,
      start: async vmId => {
        this.started.push(vmId);
        await this.onStart(vmId);
      },
      log: () => undefined,
    });
  }
  async pass(seconds: number): Promise<void> {
    for (let at = 0; at < seconds; at++) {
      await new Promise(resolve => setImmediate(resolve));
      await this.clock.advance(1000);
    }
    await new Promise(resolve => setImmediate(resolve));
  }
}

describe('VMs that start by themselves', () => {
  it('start by order, then by name, each after its delay', async () => {
    const host = new Host();
    expect(startOrder(host.vms)).toEqual([uuid(3), uuid(4), uuid(1)]);
    void host.begin().run();
    await host.pass(29);
    expect(host.started).toEqual([]);
    await host.pass(2);
    expect(host.started).toEqual([uuid(3)]);
    await host.pass(6);
    expect(host.started).toEqual([uuid(3), uuid(4), uuid(1)]);
  });

  it('wait for the one before, whether it starts or fails', async () => {
    const host = new Host();
    host.vms = [wish(1, 1), wish(2, 2)];
    let done: () => void = () => undefined;
    host.onStart = () =>
      new Promise(resolve => {
        done = resolve;
      });
    void host.begin().run();
    await host.pass(100);
    expect(host.started).toEqual([uuid(1)]);
    done();
    await host.pass(1);
    expect(host.started).toEqual([uuid(1), uuid(2)]);
  });

  it('once after each start of the computer: not again when the service is restarted, nor those added since', async () => {
    const host = new Host();
    void host.begin().run();
    await host.pass(60);
    expect(host.started).toHaveLength(3);
    host.vms = [...host.vms, wish(5, 1)];
    void host.begin().run();
    await host.pass(60);
    expect(host.started).toHaveLength(3);
    host.boot = 'boot 2';
    void host.begin().run();
    await host.pass(60);
    expect(host.started).toHaveLength(7);
  });

  it('a service that dies in between goes on with the rest, and starts none twice', async () => {
    const host = new Host();
    const dies = host.begin();
    host.onStart = () => {
      dies.stop();
      return new Promise(() => undefined);
    };
    void dies.run();
    await host.pass(60);
    expect(host.started).toEqual([uuid(3)]);
    host.onStart = () => Promise.resolve();
    void host.begin().run();
    await host.pass(60);
    expect(host.started).toEqual([uuid(3), uuid(4), uuid(1)]);
  });

  it('leave alone what runs, was deleted, or is no longer to start', async () => {
    const host = new Host();
    void host.begin().run();
    host.vms = [{ ...wish(1, 2), isRunning: true }, wish(3, null)];
    await host.pass(60);
    expect(host.started).toEqual([]);
  });

  it('of a note that is damaged: as after a start of the computer', async () => {
    const host = new Host();
    host.vms = [wish(1, 1)];
    host.note = { boot: 'boot 1', left: ['../../etc'] };
    void host.begin().run();
    await host.pass(1);
    expect(host.started).toEqual([uuid(1)]);
  });
});
