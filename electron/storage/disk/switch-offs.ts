// Every safety mechanism of the engine can be switched off, from tests alone: with any one off, the crash simulation
// must find violations, else the mechanism or the test is decoration (DESIGN §9).

export const SWITCH_OFF_NAMES = [
  'runFile',
  'leafDataSync',
  'leafMapSync',
  'folderSyncBeforeCopy',
  'backwardDataSync',
  'backwardBatSync',
  'readerWait',
  'clearSync',
  'refusedShare',
  'rootDataSync',
  'rootBatSync',
  'flipRecordBeforeHeader',
  'rootHeaderSync',
  'folderSyncAfterRename',
  'folderSyncBeforeDone',
  'growTableSync',
  'growHeaderSync',
  'shrinkSizeSync',
  'undoDataSync',
  'undoBatSync',
  'undoRootSync',
  'mergeDataSync',
  'mergeMapSync',
  'mergeChildSync',
  'mergeRecordBeforeHeader',
  'mergeHeaderSync',
  'mergeFolderSync',
  'graftRecord',
  'graftSeal',
  'graftFolderSync',
] as const;

export type SwitchOffName = (typeof SWITCH_OFF_NAMES)[number];
export type SwitchOffs = Readonly<Partial<Record<SwitchOffName, boolean>>>;
