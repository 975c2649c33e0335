// Asking a guest to shut down: by its agent where one listens, else as its power button does.
import { Fault } from '../../../shared/result.ts';
import type { Clock } from '../../platform/ports.ts';
import { askShutdown } from '../qga/commands.ts';
import type { QmpSession } from '../qmp/session.ts';
import type { Live } from './live.ts';
import { until } from './wait.ts';

/** ACPI shutdown: a desktop guest needs its time; then the person decides. */
const SHUTDOWN_TIMEOUT_MS = 90_000;
/** A guest that still boots does not hear the power button: it is pressed again. */
const POWER_BUTTON_MS = 5_000;

/** A QEMU that ends meanwhile is what was wanted. */
const pressButton = (qmp: QmpSession): Promise<unknown> =>
  qmp.execute('system_powerdown').catch((cause: unknown) => {
    if (!(cause instanceof Fault && cause.body.code === 'vm.died')) throw cause;
  });

/** True when the guest is off; false when it did not listen in time, or nobody waits any more. */
export async function powerDown(
  { qmp, agent }: Pick<Live, 'qmp' | 'agent'>,
  clock: Clock,
  isOff: () => boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const deadlineMs = clock.monotonicMs() + SHUTDOWN_TIMEOUT_MS;
  // The agent reaches guests that ignore the button, and those that would ask somebody at their screen first.
  if (!(await askShutdown(agent))) await pressButton(qmp);
  while (clock.monotonicMs() < deadlineMs && !signal.aborted) {
    const answered = await until(clock, { timeoutMs: POWER_BUTTON_MS, stepMs: 50 }, () =>
      isOff() || signal.aborted ? true : null,
    );
    if (answered !== null) break;
    await pressButton(qmp).catch(() => undefined);
  }
  return isOff();
}
