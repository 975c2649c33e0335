// The code behind each command of the table, loaded on demand: no command waits for another's code.
import type { Run } from './session.ts';
import type { SERVICE_COMMANDS, ServiceName } from './table.ts';

type Loaders = { readonly [N in ServiceName]: () => Promise<Run<(typeof SERVICE_COMMANDS)[N]>> };

const vms = () => import('./vms.ts');
const points = () => import('./points.ts');
const trash = () => import('./trash.ts');
const memory = () => import('./memory.ts');
const integrity = () => import('./integrity.ts');
const updates = () => import('./updates.ts');
const audit = () => import('./audit.ts');
const histories = () => import('./histories.ts');
const policy = () => import('./policy.ts');
const app = () => import('./app.ts');
const access = () => import('./access.ts');

export const RUNNERS: Loaders = {
  'vm create': async () => (await import('./create.ts')).createVm,
  'vm set': async () => (await import('./setup.ts')).setVm,
  'vm list': async () => (await vms()).listVms,
  'vm show': async () => (await vms()).showVm,
  'vm screenshot': async () => (await import('./screenshot.ts')).screenshotVm,
  'vm serial': async () => (await import('./serial.ts')).serialVm,
  'vm rename': async () => (await vms()).renameVm,
  'vm start': async () => (await vms()).startVm,
  'vm stop': async () => (await vms()).stopVm,
  'vm pause': async () => (await vms()).pauseVm,
  'vm resume': async () => (await vms()).resumeVm,
  'vm reset': async () => (await vms()).resetVm,
  'vm suspend': async () => (await vms()).suspendVm,
  'vm delete': async () => (await vms()).deleteVm,
  'vm trash': async () => (await trash()).listDeleted,
  'vm restore': async () => (await trash()).restoreVm,
  'vm clone': async () => (await vms()).cloneVm,
  'vm add': async () => (await vms()).addVm,
  'vm insert': async () => (await vms()).insertDisc,
  'vm eject': async () => (await vms()).ejectDisc,
  'vm verify': async () => (await integrity()).verifyVm,
  'vm compact': async () => (await integrity()).compactVm,
  'vm rescue': async () => (await integrity()).rescueVm,
  'vm settle': async () => (await integrity()).settleVm,
  'disk grow': async () => (await vms()).growDisk,
  'point take': async () => (await points()).takePoint,
  'point list': async () => (await points()).listPoints,
  'point cost': async () => (await points()).costOfPoint,
  'point rename': async () => (await points()).renamePoint,
  'point note': async () => (await points()).notePoint,
  'point pin': async () => (await points()).pinPoint,
  'point unpin': async () => (await points()).unpinPoint,
  'point go-back': async () => (await points()).goBack,
  'point peek': async () => (await points()).peekAtPoint,
  'point branches': async () => (await points()).listBranches,
  'point diff': async () => (await points()).comparePoints,
  'point export': async () => (await points()).exportPoint,
  'point files': async () => (await import('./point-files.ts')).listFiles,
  'point restore-files': async () => (await import('./point-files.ts')).restoreFiles,
  'point delete': async () => (await trash()).deletePoint,
  'point trash': async () => (await trash()).listTrash,
  'point restore': async () => (await trash()).restorePoint,
  'point purge': async () => (await trash()).purgeTrash,
  'point serve': async () => (await import('./serve-point.ts')).serve,
  'point export-delta': async () => (await updates()).exportDelta,
  'point import-delta': async () => (await updates()).importDelta,
  'history show': async () => (await histories()).showSchedule,
  'history set': async () => (await histories()).setSchedule,
  'history preview': async () => (await histories()).previewSchedule,
  'history clean': async () => (await histories()).cleanHistory,
  'mem show': async () => (await memory()).showMemory,
  'mem set': async () => (await memory()).setMemory,
  'mem try': async () => (await memory()).tryMemory,
  'mem keep': async () => (await memory()).keepMemory,
  'mem undo': async () => (await memory()).undoMemory,
  'mem policy': async () => (await memory()).setPolicy,
  'mem why': async () => (await memory()).why,
  'mem history': async () => (await memory()).showHistory,
  'mem free': async () => (await memory()).freeMemory,
  'audit show': async () => (await audit()).showAudit,
  'audit export': async () => (await audit()).exportAudit,
  'audit verify': async () => (await audit()).verifyAudit,
  'policy show': async () => (await policy()).showPolicy,
  'policy explain': async () => (await policy()).explainPolicy,
  'task list': async () => (await app()).listTasks,
  'task follow': async () => (await app()).followTask,
  'task pause': async () => (await app()).pauseTask,
  'task resume': async () => (await app()).resumeTask,
  'task cancel': async () => (await app()).cancelTask,
  'token create': async () => (await access()).createToken,
  'token list': async () => (await access()).listTokens,
  'token revoke': async () => (await access()).revokeToken,
  'token link': async () => (await access()).makeLink,
  'session list': async () => (await access()).listSessions,
  'session end': async () => (await access()).endSession,
  events: async () => (await app()).streamEvents,
  doctor: async () => (await app()).doctor,
  version: async () => (await app()).version,
  quit: async () => (await app()).quit,
};
