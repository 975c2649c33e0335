// The real audit, over files in memory, around the make-believe service; with what happened before the page was opened.
import Database from 'better-sqlite3';
import { Audit } from '../../electron/control/audit/audit.ts';
import { AuditLog } from '../../electron/control/audit/audit-log.ts';
import { audited } from '../../electron/control/audit/audited.ts';
import { auditHandlers, sha256 } from '../../electron/control/audit/handlers.ts';
import { openHeadStore } from '../../electron/control/audit/head-store.ts';
import { systemClock } from '../../electron/platform/clock.ts';
import type { AuditValues } from '../../shared/audit.ts';
import type { MomentId, VmId } from '../../shared/ids.ts';
import type { Contract } from '../../shared/rpc/contract.ts';
import type { Handlers } from '../../shared/rpc/server.ts';
import { GIB_KIB } from '../../shared/units.ts';
import { MemoryFolder } from './audit-world.ts';
import type { FakeControl } from './fake-service.ts';
import { hostOf } from './fake-world.ts';

const HOUR_MS = 3_600_000;
const BEFORE: readonly (readonly [string, AuditValues, AuditValues, string | null])[] = [
  [
    'memory.set-range',
    { minKib: GIB_KIB, maxKib: 2 * GIB_KIB },
    { minKib: GIB_KIB, maxKib: 4 * GIB_KIB },
    null,
  ],
  ['moment.take', {}, { point: 'before update' }, null],
  [
    'memory.set-range',
    { minKib: GIB_KIB, maxKib: 4 * GIB_KIB },
    { minKib: GIB_KIB, maxKib: 64 * GIB_KIB },
    'memory.over-host',
  ],
  ['vm.start', {}, {}, null],
  ['moment.export', {}, { point: 'before update', format: 'vhd', path: null }, 'disk.full'],
  ['moment.delete', {}, { point: 'Wed 09:12' }, null],
  ['file.register', {}, {}, 'rpc.denied'],
  ['memory.set-policy', { reserveKib: 2 * GIB_KIB }, { reserveKib: 3 * GIB_KIB }, null],
  ['vm.rename', { name: 'dev' }, { name: 'dev-with-a-rather-long-name-that-somebody-gave-it' }, null],
];

export class FakeAudit {
  readonly audit: Audit;
  readonly #log: AuditLog;
  readonly #control: FakeControl;
  #agoMs = 0;

  constructor(control: FakeControl, kind: string) {
    this.#control = control;
    const heads = openHeadStore(new Database(':memory:'));
    this.#log = new AuditLog({ folder: new MemoryFolder(), heads, sha256 });
    this.audit = new Audit({
      log: this.#log,
      heads,
      clock: { ...systemClock, wallMs: () => systemClock.wallMs() - this.#agoMs },
      user: 'ann',
      told: entry => control.topics.publish('audit', null, entry),
      warn: text => console.error(text),
    });
    this.audit.begin(() => false);
    if (kind !== 'empty') for (let n = 130; n > 0; n--) this.#happened(n);
    this.#agoMs = 0;
  }

  #happened(n: number): void {
    this.#agoMs = n * HOUR_MS;
    const { vms } = this.#control.world;
    const spec = vms[n % Math.max(1, vms.length)]?.summary.spec;
    const [action, from, to, code] = BEFORE[n % BEFORE.length] ?? ['vm.start', {}, {}, null];
    const who = n % 4 === 0 ? ({ via: 'browser', by: 'ana' } as const) : ({ via: 'local' } as const);
    const about = { ...who, action, from, to };
    const draft = { ...about, vmId: spec?.id ?? null, vmName: spec?.name ?? '' };
    if (code === 'rpc.denied') return this.audit.denied(draft, code);
    this.audit.end(this.audit.start(draft, 'go-on'), { outcome: code === null ? 'done' : 'refused', code });
  }

  around(handlers: Omit<Handlers<Contract>, keyof ReturnType<typeof auditHandlers>>): Handlers<Contract> {
    const { world } = this.#control;
    const all = { ...handlers, ...auditHandlers(this.audit, this.#log) } as Handlers<Contract>;
    const look = {
      spec: (vmId: VmId) => world.vms.find(vm => vm.summary.spec.id === vmId)?.summary.spec ?? null,
      host: () => hostOf(world),
      momentName: (vmId: VmId, momentId: MomentId) => {
        const vm = world.vms.find(one => one.summary.spec.id === vmId);
        return Promise.resolve(vm?.timeline.moments.find(({ id }) => id === momentId)?.name ?? '');
      },
      task: () => null,
      access: { whatIs: () => ({}), whoIs: () => ({}) },
    };
    return audited(all, this.audit, look, () => undefined);
  }
}
