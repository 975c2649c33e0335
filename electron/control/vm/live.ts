// What exists of a VM only while its QEMU does: process, sessions, record.
import type { ProcessId } from '../../platform/process.ts';
import type { AgentLine } from '../qga/line.ts';
import type { QmpSession } from '../qmp/session.ts';
import type { Guest } from './guest.ts';
import type { RunRecord } from './run-record.ts';

export interface Live {
  readonly process: ProcessId;
  readonly qmp: QmpSession;
  readonly guest: Guest;
  readonly agent: AgentLine;
  readonly record: RunRecord;
  /** We asked it to end, or the guest shut itself down: its end is no failure. */
  isEndWanted: boolean;
  /** A moment is being taken: if the guest is stopped for that, nobody is told that it is paused. */
  isAtBarrier: boolean;
}
