// Tells the service whether this computer runs on battery, and when it woke up (M5).
import type { PowerMonitor } from 'electron';

/** Waking is told too, so that the service looks at once instead of at its next round. */
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
