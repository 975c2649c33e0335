// Every safety mechanism of the manager can be switched off, from tests alone: the simulation must then find violations.
export const MEMORY_SWITCH_OFF_NAMES = [
  'freeBeforeGive',
  'journalBeforeSend',
  'bootGrace',
  'overheadJournal',
  'unmeasuredMargin',
  'driverSettles',
  'stuckExclusion',
  'silentExclusion',
  'needInQuarantine',
  'leaseCounts',
  'watermarks',
  'freshSample',
  'toldAnew',
] as const;

/** Mechanisms that simulated hosts lack: with these off, the tests of backstop and possession must fail. */
export const HOST_SWITCH_OFF_NAMES = ['raiseFirst', 'unseenCounts'] as const;

type Name = (typeof MEMORY_SWITCH_OFF_NAMES)[number] | (typeof HOST_SWITCH_OFF_NAMES)[number];
export type MemorySwitchOffs = Readonly<Partial<Record<Name, boolean>>>;
