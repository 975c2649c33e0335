// The shell tells the service what this computer runs on, and that it woke up.
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { tellPower } from '../../../../electron/shells/desktop/power.ts';

class Monitor extends EventEmitter {
  onBatteryPower = false;
}

describe('power', () => {
  it('is told at the start, when it changes, and when the computer wakes up', async () => {
    const told: boolean[] = [];
    const monitor = new Monitor();
    const tell = (isOnBattery: boolean): Promise<void> => Promise.resolve(void told.push(isOnBattery));
    tellPower(monitor as never, tell, () => undefined);
    expect(told).toEqual([false]);
    monitor.onBatteryPower = true;
    monitor.emit('on-battery');
    monitor.emit('resume');
    monitor.onBatteryPower = false;
    monitor.emit('on-ac');
    expect(told).toEqual([false, true, true, false]);
  });

  it('that cannot be told is logged, and ends nothing', async () => {
    const lines: string[] = [];
    const monitor = new Monitor();
    tellPower(
      monitor as never,
      () => Promise.reject(new Error('no service')),
      line => lines.push(line),
    );
    monitor.emit('resume');
    await new Promise(resolve => setImmediate(resolve));
    expect(lines).toEqual([expect.stringContaining('no service'), expect.stringContaining('no service')]);
  });
});
