// What this computer runs on, and that it woke up, for the service (M5).
import type { PowerMonitor } from 'electron';

/** Waking is told too: the service then looks at once, instead of at its next round. */
export function tellPower(
  monitor: Pick<PowerMonitor, 'on' | 'onBatteryPower'>,
  tell: (isOnBattery: boolean) => Promise<unknown>,
  log: (line: string) => void,
): void {
  const now = (): void => {
    tell(monitor.onBatteryPower).catch((cause: unknown) => log(`power: ${String(cause)}`));
  };
  monitor.on('on-battery', now);
  monitor.on('on-ac', now);
  monitor.on('resume', now);
  now();
}
