// What callers who are not at this computer may do: one row for each method and topic of the contract, so
// that none can be forgotten. Callers at this computer may do everything.
import type { Contract } from './rpc/contract.ts';
import type { MethodName, TopicName } from './rpc/table.ts';

export const ROLES = ['view', 'operate', 'administer'] as const;
export type Role = (typeof ROLES)[number];
/** The least role that may; `nobody`: no caller from outside. */
type Needs = Role | 'nobody';

const METHODS: { readonly [M in MethodName<Contract>]: Needs } = {
  'app.info': 'view',
  'app.quit': 'administer',
  'app.power': 'nobody',
  'app.updates': 'view',
  'doctor.run': 'view',
  'policy.show': 'view',
  'host.parts': 'view',
  'network.conflicts': 'view',
  'vm.list': 'view',
  'vm.get': 'view',
  'vm.create': 'administer',
  'vm.clone': 'administer',
  'vm.add': 'nobody',
  'vm.rename': 'administer',
  'vm.configure': 'administer',
  'vm.insert': 'administer',
  'vm.eject': 'administer',
  'vm.delete': 'administer',
  'vm.trashed': 'view',
  'vm.restore': 'administer',
  'vm.preview-start': 'view',
  'vm.start': 'operate',
  'vm.stop': 'operate',
  'vm.pause': 'operate',
  'vm.resume': 'operate',
  'vm.reset': 'operate',
  'vm.suspend': 'operate',
  'vm.screen': 'view',
  'vm.thumbnail': 'view',
  'vm.guest': 'view',
  'vm.rescue': 'administer',
  'vm.verify': 'operate',
  'vm.verify-report': 'view',
  'vm.compact': 'administer',
  'memory.host': 'view',
  'memory.show': 'view',
  'memory.set-range': 'administer',
  'memory.try-range': 'administer',
  'memory.keep-range': 'administer',
  'memory.undo-range': 'administer',
  'memory.range-undo': 'view',
  'memory.set-balance': 'administer',
  'memory.set-policy': 'administer',
  'memory.focus': 'operate',
  'memory.free': 'administer',
  'memory.ledger': 'view',
  'memory.replay': 'view',
  'memory.history': 'view',
  'disk.grow': 'administer',
  'timeline.get': 'view',
  'moment.take': 'operate',
  'moment.take-with-memory': 'operate',
  'moment.screen': 'view',
  'moment.update': 'operate',
  'moment.go-back': 'administer',
  'moment.peek': 'operate',
  'moment.delete': 'administer',
  'moment.restore': 'administer',
  'trash.purge': 'administer',
  'moment.cost': 'view',
  'moment.compare': 'view',
  // A disk holds more than its screen shows, so reading a disk needs more than looking at the screen.
  'moment.export': 'administer',
  'moment.files': 'administer',
  'moment.copy-files': 'administer',
  'moment.serve': 'nobody',
  'moment.export-delta': 'administer',
  'moment.download': 'administer',
  'moment.import-delta': 'administer',
  'history.show': 'view',
  'history.set': 'administer',
  'history.preview': 'view',
  'history.offer': 'view',
  'history.clean': 'administer',
  'settle.set': 'operate',
  'task.list': 'view',
  'task.cancel': 'operate',
  'task.pause': 'operate',
  'task.resume': 'operate',
  'file.register': 'nobody',
  'audit.list': 'administer',
  'audit.export': 'administer',
  'audit.verify': 'administer',
  'headless.sign-in': 'nobody',
  'headless.session': 'nobody',
  'file.download': 'nobody',
  'headless.listen': 'nobody',
  'headless.link': 'nobody',
  // A revoked sign-in must not leave tokens behind that it made, so no session may make any.
  'headless.create-token': 'nobody',
  'headless.tokens': 'administer',
  'headless.revoke-token': 'administer',
  'headless.sessions': 'administer',
  'headless.end-session': 'administer',
  'headless.sign-out': 'view',
  // A viewer that shows a screen also types into it.
  'console.open': 'operate',
  'console.send': 'operate',
  'console.close': 'operate',
};

const TOPICS: { readonly [T in TopicName<Contract>]: Needs } = {
  vms: 'view',
  policy: 'view',
  host: 'view',
  ranges: 'view',
  tasks: 'view',
  timeline: 'view',
  histories: 'view',
  ledger: 'view',
  audit: 'administer',
  console: 'operate',
  serial: 'operate',
};

const isEnough = (role: Role, needs: Needs): boolean =>
  needs !== 'nobody' && ROLES.indexOf(role) >= ROLES.indexOf(needs);

export const neededFor = (method: MethodName<Contract>): Needs => METHODS[method];
export const mayCall = (role: Role, method: MethodName<Contract>): boolean => isEnough(role, METHODS[method]);
/** False too where there is no such topic. */
export const mayFollow = (role: Role, topic: string): boolean =>
  Object.hasOwn(TOPICS, topic) && isEnough(role, TOPICS[topic as TopicName<Contract>]);
