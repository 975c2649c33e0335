// Sets up VMs' machines: what a new VM gets, what people change, and what is made sure of before a start.
import type { VmId } from '../../../shared/ids.ts';
import { KINDS } from '../../../shared/kinds.ts';
import { Fault, orThrow } from '../../../shared/result.ts';
import type { OsKind, VmSpec, VmSummary } from '../../../shared/vm.ts';
import { MAY } from '../../../shared/vm-phase.ts';
import type {
  CloudInit,
  Firmware,
  HostParts,
  PortConflict,
  PortForward,
  Setup,
  SetupChange,
} from '../../../shared/vm-setup.ts';
import { PLAIN_SETUP } from '../../../shared/vm-setup.ts';
import type { PortState } from '../../platform/host-ports.ts';
import type { Machines } from '../machines/machines.ts';
import type { Step } from '../tasks/tasks.ts';
import type { CpuCaps } from '../vm/cpu-cap.ts';
import { INSTALL, noFirmware, noTpm } from '../vm/host-parts.ts';
import type { PartsPort, VmSupervisor } from '../vm/supervisor-port.ts';
import { badForwards, type Configured, configured, saidTwice } from './configure.ts';
import { conflictOf, type OtherVm, ownPorts, portsTaken, samePort, takenBy } from './port-conflicts.ts';
import type { VarsChange } from './vars-change.ts';

export interface SetupPorts {
  readonly machines: Machines;
  readonly parts: Pick<PartsPort, 'swtpm' | 'firmware'>;
  readonly cpu: Pick<CpuCaps, 'hold' | 'require'>;
  readonly portState: (protocol: PortForward['protocol'], port: number) => Promise<PortState>;
  /** The newest machine type that this QEMU has; null: there is no QEMU. */
  readonly newestMachine: () => Promise<string | null>;
  readonly vars: Pick<VarsChange, 'begin' | 'finish' | 'finishOrLater'>;
  /** Finishes a going back that was left half-done, with disks, firmware and memory. */
  readonly ready: (vmId: VmId) => Promise<void>;
  /** Sets the clock of a guest whose time stood still. */
  readonly setClock: (supervisor: VmSupervisor) => void;
}

export interface NewSetup {
  readonly os: OsKind;
  readonly firmware?: Firmware | undefined;
  readonly hasTpm?: boolean | undefined;
  readonly group: string;
  readonly notes: string;
  readonly portForwards: readonly PortForward[];
  readonly cloudInit: CloudInit | null;
  readonly source: { readonly kind: string };
}

const NOTHING_CREATED = 'Nothing was created.';
const NOTHING_CHANGED = 'Nothing was changed.';

export class SetupDesk {
  readonly #ports: SetupPorts;

  constructor(ports: SetupPorts) {
    this.#ports = ports;
  }

  /** What this computer can give. */
  parts(): HostParts {
    const { parts, cpu } = this.#ports;
    const { firmware, swtpm } = parts;
    const part = (isHere: boolean, fix: string) => ({ isHere, fix: isHere ? '' : fix });
    return {
      uefi: part(firmware('uefi', null) !== null, INSTALL.firmware),
      secureBoot: part(firmware('uefi-secure', null) !== null, INSTALL.firmware),
      tpm: part(swtpm() !== null, INSTALL.tpm),
      cpuCap: part(cpu.hold.isHeld, cpu.hold.isHeld ? '' : cpu.hold.todo),
    };
  }

  /** Refuses before anything is made. */
  forNew({ os, source, portForwards, cloudInit, group, notes, ...said }: NewSetup): Setup {
    const kind = KINDS[os];
    // The sample is a kernel of ours with virtio drivers.
    const isSample = source.kind === 'sample';
    const firmware = said.firmware ?? (isSample ? 'bios' : kind.firmware);
    const hasTpm = said.hasTpm ?? (isSample ? false : kind.hasTpm);
    const devices = isSample ? 'virtio' : kind.devices;
    this.#require({ firmware, hasTpm }, NOTHING_CREATED);
    const twice = saidTwice(portForwards);
    if (twice !== null) throw new Fault({ ...badForwards(twice), safe: NOTHING_CREATED });
    if (cloudInit !== null && source.kind !== 'disk') throw seedless();
    return { ...PLAIN_SETUP, firmware, hasTpm, devices, group, notes, hasSeed: cloudInit !== null };
  }

  #require({ firmware, hasTpm }: { firmware: Firmware; hasTpm: boolean }, safe: string): void {
    const { parts } = this.#ports;
    if (firmware !== 'bios' && parts.firmware(firmware, null) === null) throw noFirmware(firmware, safe);
    if (hasTpm && parts.swtpm() === null) throw noTpm(safe);
  }

  /** Finishes what the last control left half-done, before anybody is served. */
  begin(): void {
    const { machines, vars } = this.#ports;
    for (const { spec } of machines.kept()) vars.finishOrLater(spec);
  }

  async configure(
    vmId: VmId,
    change: SetupChange,
  ): Promise<{ vm: VmSummary; applies: Configured['applies']; conflicts: PortConflict[] }> {
    const { machines, cpu } = this.#ports;
    const { spec, state } = machines.get(vmId);
    const hasSavedMemory = machines.supervisor(vmId).savedRecord() !== null;
    const next = orThrow(configured(spec, change, { phase: state.phase, hasSavedMemory }));
    this.#require(
      {
        firmware: change.firmware ?? 'bios',
        hasTpm: change.hasTpm ?? false,
      },
      NOTHING_CHANGED,
    );
    if (next.spec.cpuCapPercent !== null && next.spec.cpuCapPercent !== spec.cpuCapPercent) cpu.require();
    if (next.spec.firmware === spec.firmware) machines.update(next.spec);
    else this.#changeFirmware(spec, next.spec);
    const conflicts =
      change.portForwards === undefined ? [] : await this.conflicts(vmId, change.portForwards);
    return { vm: machines.get(vmId), applies: next.applies, conflicts };
  }

  #changeFirmware(spec: VmSpec, next: VmSpec): void {
    const { machines, vars } = this.#ports;
    vars.begin(spec, next.firmware);
    try {
      machines.update(next);
    } finally {
      vars.finishOrLater(machines.spec(spec.id));
    }
  }

  /** Which of these host ports are taken now; those that the VM itself listens on do not count. */
  async conflicts(vmId: VmId | null, wanted: readonly PortForward[]): Promise<PortConflict[]> {
    const all = this.#ports.machines.list().map(({ spec, state }) => ({
      spec,
      isRunning: state.pid !== null,
    }));
    const own = all.filter(({ spec }) => spec.id === vmId).flatMap(ownPorts);
    const others = all.filter(({ spec }) => spec.id !== vmId);
    const found: PortConflict[] = [];
    for (const forward of wanted) {
      const by = own.some(port => samePort(port, forward)) ? null : await this.#userOf(forward, others);
      if (by !== null) found.push(conflictOf(forward, by));
    }
    return found;
  }

  async #userOf(
    forward: PortForward,
    others: readonly OtherVm[],
  ): Promise<OtherVm | 'program' | 'denied' | null> {
    const vm = takenBy(forward, others);
    if (vm !== null) return vm;
    const state = await this.#ports.portState(forward.protocol, forward.hostPort);
    return state === 'free' ? null : state === 'denied' ? 'denied' : 'program';
  }

  /** Every start of a VM goes this way. Faults: network.port-in-use, and the supervisor's. */
  async start(vmId: VmId, signal: AbortSignal, step: Step): Promise<void> {
    const { machines } = this.#ports;
    await machines.open(vmId);
    await this.#ports.ready(vmId);
    this.#ports.vars.finish(machines.spec(vmId));
    await this.#pinMachine(machines.spec(vmId));
    await this.#checkPorts(machines.spec(vmId));
    const supervisor = machines.supervisor(vmId);
    const wasSaved = supervisor.savedRecord() !== null;
    await supervisor.start(signal, step);
    if (wasSaved) this.#ports.setClock(supervisor);
  }

  async #pinMachine(spec: VmSpec): Promise<void> {
    const { machines, newestMachine } = this.#ports;
    if (spec.machineType !== null || machines.supervisor(spec.id).savedRecord() !== null) return;
    const machineType = await newestMachine();
    // The spec is read again: what was changed meanwhile stays.
    if (machineType !== null) machines.update({ ...machines.spec(spec.id), machineType });
  }

  async #checkPorts({ id, name, network, portForwards }: VmSpec): Promise<void> {
    const { phase } = this.#ports.machines.get(id).state;
    if (network === 'none' || !MAY.start.includes(phase)) return;
    const conflicts = await this.conflicts(id, portForwards);
    if (conflicts.length > 0) throw new Fault(portsTaken(name, conflicts));
  }
}

const seedless = (): Fault =>
  new Fault({
    code: 'vm.bad-spec',
    what: 'A user, keys and packages can be given to a cloud image, which is an existing disk.',
    safe: NOTHING_CREATED,
    todo: 'Create the VM from a cloud image, or leave them out.',
  });
