// Tells a running guest that a disk has grown. QEMU's NBD client hears of an export's size when it connects,
// and connects when it has something to ask. So QEMU is made to read a sector, and is given the size once its
// client knows it.
import { Fault } from '../../../shared/result.ts';
import type { Clock } from '../../platform/ports.ts';
import type { QmpSession } from '../qmp/session.ts';
import { diskNode } from './spec-to-argv.ts';
import { until } from './wait.ts';

/** A connection is made anew in milliseconds; under load in seconds. */
const RECONNECTED = { timeoutMs: 30_000, stepMs: 50 };

/** Faults: qemu.refused where QEMU keeps the old size, vm.timeout, vm.died. */
export async function resizeDisk(
  qmp: QmpSession,
  clock: Clock,
  { index, virtualBytes }: { readonly index: number; readonly virtualBytes: number },
): Promise<void> {
  const node = diskNode(index);
  let refusal: Fault | null = null;
  const isDone = await until(clock, RECONNECTED, async () => {
    await qmp.execute('human-monitor-command', { 'command-line': `qemu-io ${node} "read 0 512"` });
    try {
      await qmp.execute('block_resize', { 'node-name': node, size: virtualBytes });
      return true;
    } catch (cause) {
      if (!(cause instanceof Fault) || cause.body.code !== 'qemu.refused') throw cause;
      refusal = cause;
      return null;
    }
  });
  if (isDone === null && refusal !== null) throw refusal;
}
