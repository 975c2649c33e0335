// Asking a guest to shut down: by its agent where one listens, else as its power button does.
import type { Clock } from '../../platform/ports.ts';
import { askShutdown } from '../qga/commands.ts';
import type { Live } from './live.ts';
import { until } from './wait.ts';

/** ACPI shutdown: a desktop guest needs its time; then the person decides. */
const SHUTDOWN_TIMEOUT_MS = 90_000;
/** A guest that still boots does not hear the power button: it is pressed again. */
const POWER_BUTTON_MS = 5_000;

/** True when it is off; false when it did not listen in time, or nobody waits any more. */
export async function powerDown(
  { qmp, agent }: Pick<Live, 'qmp' | 'agent'>,
  clock: Clock,
  isOff: () => boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const deadlineMs = clock.monotonicMs() + SHUTDOWN_TIMEOUT_MS;
  // The agent is heard by guests that ignore the button, and by those that ask somebody at their screen first.
  if (!(await askShutdown(agent))) await qmp.execute('system_powerdown');
  while (clock.monotonicMs() < deadlineMs && !signal.aborted) {
    const answered = await until(clock, { timeoutMs: POWER_BUTTON_MS, stepMs: 50 }, () =>
      isOff() || signal.aborted ? true : null,
    );
    if (answered !== null && !signal.aborted) return true;
    await qmp.execute('system_powerdown').catch(() => undefined);
  }
  return false;
}
