// Every safety mechanism of the manager can be switched off, from tests alone: the simulation must then find violations.
export const MEMORY_SWITCH_OFF_NAMES = [
  'freeBeforeGive',
  'journalBeforeSend',
  'bootGrace',
  'overheadJournal',
  'driverSettles',
  'stuckExclusion',
  'silentExclusion',
  'needInQuarantine',
  'leaseCounts',
  'watermarks',
  'freshSample',
] as const;

export type MemorySwitchOffs = Readonly<Partial<Record<(typeof MEMORY_SWITCH_OFF_NAMES)[number], boolean>>>;
