// Universes in which the loss of a mechanism that is rarely missed shows soon. A change of the engine or of the simulation
// moves them.
import type { SwitchOffName } from '../../../electron/storage/disk/switch-offs.ts';

export const SWITCH_OFF_SEEDS: Readonly<Partial<Record<SwitchOffName, number>>> = {
  shrinkSizeSync: 31002826,
  mergeDataSync: 559,
  punchWait: 20261169,
  growTableSync: 20262072,
  mergeMapSync: 20261750,
  mergeFolderSync: 20261675,
  undoRootSync: 20261489,
  undoBatSync: 20261489,
  mergeHeaderSync: 20261359,
  unlinkSync: 20261263,
  growHeaderSync: 20261248,
  undoDataSync: 20261245,
  mergeRecordBeforeHeader: 20261231,
  mergeChildSync: 20261200,
  rootBatSync: 20261196,
  graftFolderSync: 20261191,
  backwardEndSync: 20261156,
  graftRecord: 20261154,
  clearBeforeRoot: 20261152,
  clearSync: 20261144,
  rootDataSync: 20261144,
  backwardDataSync: 20261140,
  backwardBatSync: 20261140,
  folderSyncBeforeCopy: 20261140,
  restoreBeforeRefill: 20261138,
};
