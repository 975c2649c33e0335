// Composition: builds the parts of control, joins them, and begins and ends them in their order.
import type { VmId } from '../../../shared/ids.ts';
import type { Log } from '../../../shared/log.ts';
import { messageOf } from '../../../shared/result.ts';
import type { Channel } from '../../../shared/rpc/channel.ts';
import { type Contract, contract } from '../../../shared/rpc/contract.ts';
import type { Caller } from '../../../shared/rpc/server.ts';
import { Topics } from '../../../shared/rpc/topics.ts';
import type { Task } from '../../../shared/task.ts';
import { bootId } from '../../platform/boot-id.ts';
import { systemClock } from '../../platform/clock.ts';
import { hostMemoryReader, hostStrain } from '../../platform/host-memory.ts';
import { startedAt } from '../../platform/lock-owner.ts';
import { startNodeService } from '../../platform/node-service.ts';
import type { EbbPaths } from '../../platform/paths.ts';
import {
  endProcess,
  findProgram,
  isAlive,
  runTool,
  spawnDetached,
  spawnTied,
} from '../../platform/process.ts';
import { systemRandom } from '../../platform/random.ts';
import { smallFiles } from '../../platform/small-files.ts';
import { connectBytes } from '../../platform/socket.ts';
import { receiveToFile, sendFile } from '../../platform/stream-file.ts';
import { EBB_VERSION } from '../../platform/version.ts';
import {
  canWriteAt,
  fileExists,
  freeBytesAt,
  lookAtFile,
  sampleGuest,
  writeBytes,
} from '../../platform/vm-files.ts';
import { StorageClient } from '../../storage/client.ts';
import { connectUnix } from '../../transport/unix-socket.ts';
import { Doors } from '../access/doors.ts';
import type { Audit } from '../audit/audit.ts';
import { endOlder } from '../end-older.ts';
import { Files } from '../files.ts';
import { machineFolders } from '../machines/machine-folders.ts';
import { Machines } from '../machines/machines.ts';
import { PeekDesk, type PeekPorts } from '../machines/peek.ts';
import { SpecFiles } from '../machines/spec-files.ts';
import type { MemoryManager } from '../memory/manager.ts';
import type { ExtrasShelf } from '../moments/extras.ts';
import type { PointServer } from '../points/point-server.ts';
import type { PolicyDesk } from '../policy/desk.ts';
import type { OrderRules } from '../policy/order-rules.ts';
import { storageModule } from '../programs.ts';
import { ConsoleStreams } from '../screens/console-streams.ts';
import { SerialLines } from '../serial/lines.ts';
import { createService } from '../service.ts';
import { AcceleratorProbe } from '../setup/accelerator.ts';
import type { SetupDesk } from '../setup/desk.ts';
import { type DoctorFindings, examine } from '../setup/doctor.ts';
import { type Catalog, openCatalog } from '../store/catalog.ts';
import { openTaskJournal, type TaskJournal } from '../store/task-journal.ts';
import { fileOf, workAgain } from '../tasks/task-orders.ts';
import { Tasks } from '../tasks/tasks.ts';
import type { CpuCaps } from '../vm/cpu-cap.ts';
import type { SupervisorPorts } from '../vm/supervisor-port.ts';
import { within } from '../vm/wait.ts';
import { accessParts, downloadsOf } from './access.ts';
import { auditedHandlers, auditParts, ebbDeleting, taskEnded, trialEnded } from './audit.ts';
import { historyParts, imports, sweepLeftOver } from './history.ts';
import { memoryManager, rangeDesk, residents } from './memory.ts';
import { momentParts, setClocks } from './moments.ts';
import { bindPolicy, endForbidden, policyAsk, policyDesk, setMemoryPolicy } from './policy.ts';
import { historyDesk } from './schedule.ts';
import { hostPartsPort, QEMU, setupParts } from './setup.ts';
import { trashParts } from './trash.ts';

export interface Control {
  /** Finds running VMs and storage again; resolves when callers may be served. */
  begin(): Promise<void>;
  serve(channel: Channel, kind: Caller['kind']): void;
  /** Lets go of everything that runs; VMs and storage run on. */
  dispose(): void;
}

export interface ControlInput {
  readonly paths: EbbPaths;
  readonly log: Log;
  readonly exit: () => void;
  readonly pid: number;
  /** A policy folder that is read beside the system's; only the command line names it. */
  readonly policyFolder?: string | undefined;
}

const clock = systemClock;

function storageClient({ paths, log }: ControlInput): StorageClient {
  return new StorageClient({
    connect: async () => {
      await endOlder(`${paths.storageSocket}.lock`, log);
      return connectUnix(paths.storageSocket);
    },
    spawn: () =>
      startNodeService({
        module: storageModule,
        args: ['--socket', paths.storageSocket],
        logPath: paths.storageLog,
      }),
    clock,
    log,
  });
}

function accelerators({ paths }: ControlInput): AcceleratorProbe {
  return new AcceleratorProbe({
    clock,
    bootId: bootId(),
    qemu: () => findProgram(QEMU),
    hasKvmDevice: () => fileExists('/dev/kvm'),
    runTool,
    spawn: spawnTied,
    end: endProcess,
    ...smallFiles,
    writeBytes,
    folder: paths.dataFolder,
  });
}

function supervisorPorts(
  input: ControlInput,
  { memory, storage, probe, cpu }: Pick<Parts, 'memory' | 'storage' | 'probe' | 'cpu'>,
  admit: SupervisorPorts['admit'],
): SupervisorPorts {
  const { paths, log } = input;
  return {
    clock,
    memory,
    storage,
    admit,
    cpu,
    accelerator: async () => (await probe.result()).accelerator,
    qemu: () => findProgram(QEMU),
    parts: hostPartsPort,
    sample: sampleGuest,
    isoPath: spec =>
      spec.boot.kind === 'iso' ? `${paths.dataFolder}/vms/${spec.id}/${spec.boot.isoName}` : null,
    spawn: spawnDetached,
    processOf: pid => ({ pid, started: startedAt(pid) }),
    isAlive,
    end: endProcess,
    residents,
    connect: connectBytes,
    receiveToFile,
    sendFile,
    ...smallFiles,
    log,
  };
}

interface Parts {
  readonly catalog: Catalog;
  readonly storage: StorageClient;
  readonly memory: MemoryManager;
  readonly probe: AcceleratorProbe;
  readonly topics: Topics<Contract>;
  readonly desk: PolicyDesk;
  readonly cpu: CpuCaps;
  readonly audit: Audit;
}

function machineList(
  input: ControlInput,
  { catalog, storage, memory, probe, topics, desk, cpu, audit }: Parts,
): Machines {
  const machines: Machines = new Machines({
    catalog: new SpecFiles(machineFolders(input.paths), input.log).noted(catalog),
    storage,
    memory,
    folders: machineFolders(input.paths),
    supervisor: supervisorPorts(input, { memory, storage, probe, cpu }, (vmId, saved) =>
      machines.admit(vmId, saved),
    ),
    policy: () => desk.policy,
    imports,
    clock,
    random: systemRandom,
    purging: ebbDeleting(audit, catalog, 'trash.emptied'),
    changed: () => topics.publish('vms', null, { vms: machines.list() }),
    log: input.log,
  });
  return machines;
}

async function findings(
  { paths }: ControlInput,
  { memory, machines, setup }: { memory: MemoryManager; machines: Machines; setup: SetupDesk },
  probe: AcceleratorProbe,
): Promise<DoctorFindings> {
  const host = memory.hostMemory();
  const found = await probe.result();
  return {
    qemu: findProgram(QEMU),
    qemuVersion: found.qemu,
    qemuImg: findProgram('qemu-img'),
    probe: found,
    totalKib: host.totalKib,
    availableKib: host.availableKib,
    reserveKib: host.reserveKib,
    ...hostStrain(),
    dataFolder: paths.dataFolder,
    freeBytes: freeBytesAt(paths.dataFolder),
    canWrite: canWriteAt(paths.dataFolder),
    sample: sampleGuest() !== null,
    backstop: memory.backstopFound,
    parts: setup.parts(),
    windowsVms: machines.list().filter(({ spec }) => spec.os.startsWith('windows')).length,
    planAgeMs: host.planAgeMs,
  };
}

/** "Thu 10:41" in the host's own time. */
const keepName = (): string =>
  new Intl.DateTimeFormat('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' })
    .format(clock.wallMs())
    .replace(',', '');

function publish(
  topics: Topics<Contract>,
  memory: MemoryManager,
  storage: StorageClient,
  shelf: ExtrasShelf,
): void {
  memory.onHost(() => topics.publish('host', null, memory.hostMemory()));
  memory.onLedger(entry => topics.publish('ledger', null, entry));
  storage.onTimeline((vmId, timeline) => topics.publish('timeline', vmId, shelf.tell(timeline)));
}

function taskList(
  topics: Topics<typeof contract>,
  journal: TaskJournal,
  ended: (task: Task) => void,
  log: Log,
): Tasks {
  const changed = (): void => topics.publish('tasks', null, { tasks: tasks.list() });
  const tasks = new Tasks({ clock, random: systemRandom, journal, changed, ended, fileOf, log });
  changed();
  return tasks;
}

/** The VMs that journaled tasks make anew. */
const madeAgain = (journal: TaskJournal): ReadonlySet<VmId> =>
  new Set(
    journal.all().flatMap(({ kind, vmId }) => ((kind === 'vm.create' || kind === 'vm.clone') && vmId) || []),
  );

const chosenFiles = (rules: OrderRules): Files =>
  new Files({ clock, random: systemRandom, look: lookAtFile, admit: path => rules.requireFile(path) });

const peekDesk = (
  { paths, log }: ControlInput,
  parts: Pick<PeekPorts, 'machines' | 'setup' | 'storage' | 'shelf'>,
  desk: PolicyDesk,
): PeekDesk =>
  new PeekDesk({
    ...parts,
    requireAllowed: () => desk.policy.require('history.goBack'),
    log,
    folders: machineFolders(paths),
    program: findProgram,
    runTool,
    clock,
    random: systemRandom,
  });

/** The parts by which people look into VMs. What they opened ends when the policy forbids it. */
function lookingParts(
  input: ControlInput,
  parts: Parameters<typeof peekDesk>[1] & { readonly pointServer: PointServer },
  desk: PolicyDesk,
) {
  const looking = {
    consoles: new ConsoleStreams(connectBytes),
    serials: new SerialLines({ connect: connectBytes, clock }),
    peeks: peekDesk(input, parts, desk),
  };
  desk.onChange(endForbidden(desk, { ...parts, ...looking }));
  return looking;
}

/** Storage writes out what guests flushed last; a disk that takes longer is stuck. */
const QUITTING = { doing: 'Ending storage', limitMs: 30_000 };

async function quitAll(
  { tasks, storage, audit }: { tasks: Tasks; storage: StorageClient; audit: Audit },
  { exit, log }: ControlInput,
): Promise<void> {
  tasks.leave();
  // Tasks go on with the next control only, so that this one must end also where storage does not answer.
  await within(clock, QUITTING, storage.call('storage.quit', {})).catch((cause: unknown) =>
    log(`storage did not say that it ends: ${messageOf(cause)}`),
  );
  storage.dispose();
  clock.after(50, () => {
    audit.stop();
    exit();
  });
}

export function composeControl(input: ControlInput): Control {
  const { paths, log, pid } = input;
  const catalog = openCatalog(`${paths.dataFolder}/catalog.db`);
  const storage = storageClient(input);
  const probe = accelerators(input);
  const topics = new Topics(contract);
  let storagePid: number | null = null;
  const figures = hostMemoryReader(() => clock.monotonicMs());
  const desk = policyDesk(input, catalog, figures().totalKib);
  const host = { figures, desk, woke: () => setClocks(machines), storagePid: () => storagePid };
  const { memory, cpu } = memoryManager(input, catalog, host);
  const journal = openTaskJournal(catalog.db);
  const { audit, auditLog } = auditParts(input, catalog, topics);
  const tasks = taskList(topics, journal, taskEnded(audit), log);
  const machines = machineList(input, { catalog, storage, memory, probe, topics, desk, cpu, audit });
  const ranges = rangeDesk(input, catalog, machines, memory, topics, trialEnded(audit, machines));
  const { rules, bound } = bindPolicy(input, { desk, memory, machines, topics, figures, audit, log });
  const moments = momentParts(input, { storage, machines, memory, desk, audit });
  const { setup, autostarts } = setupParts(paths, { machines, tasks, cpu, ready: moments.ready }, log);
  publish(topics, memory, storage, moments.shelf);
  const trashed = trashParts(input, { ...moments, machines, desk, audit, memory, setup, rules });
  const accessed = accessParts(catalog, desk, audit, log);
  const known = { ...historyParts(input, storage, machines, desk), ...moments, ...accessed, ...trashed };
  const parts = { ...known, audit, auditLog, machines, storage, clock, rules, memory, setup, log };
  const { histories, onPower } = historyDesk(input, { ...parts, desk, catalog, journal, tasks, topics });
  const service = createService({
    ...parts,
    ...lookingParts(input, parts, desk),
    histories,
    onPower,
    info: () => ({ version: EBB_VERSION, protocol: 1, pid, dataFolder: paths.dataFolder, shell: 'control' }),
    doctor: async () => examine(await findings(input, { memory, machines, setup }, probe)),
    quit: () => quitAll({ tasks, storage, audit }, input),
    ranges,
    setMemoryPolicy: change => setMemoryPolicy(bound, catalog, change),
    policyReport: () => desk.report(),
    maySeekUpdates: () => desk.policy.may('app.updates'),
    tasks,
    files: chosenFiles(rules),
    downloads: downloadsOf({ tasks, rules, desk, audit }, vmId => catalog.get(vmId)?.name ?? ''),
    keepName,
  });
  const handlers = auditedHandlers(service, audit, { ...parts, tasks }, policyAsk(bound, catalog));
  const doors = new Doors({ ...bound, ...parts, handlers });
  return {
    begin: async () => {
      storage.start();
      storagePid = (await storage.call('storage.info', {})).pid;
      const again = new Set(journal.all().map(({ id }) => id));
      audit.begin(task => again.has(task));
      await machines.begin(madeAgain(journal));
      await moments.moments.goingBack.finishAll();
      await sweepLeftOver(paths, parts, log);
      for (const part of [setup, ranges, memory, desk, trashed, histories, parts.access]) part.begin();
      topics.publish('policy', null, desk.report());
      topics.publish('vms', null, { vms: machines.list() });
      tasks.beginAgain(order => workAgain(order, parts));
      void probe.result(); // Known before the first start needs it.
      void autostarts.run().catch((cause: unknown) => log(`starting by themselves: ${String(cause)}`));
    },
    serve: (channel, kind) => doors.serve(channel, kind),
    dispose: () => {
      tasks.leave();
      for (const part of [autostarts, desk, memory, ranges, trashed, histories, parts.access]) part.stop();
      audit.stop();
      for (const part of [machines, storage]) part.dispose();
      catalog.close();
    },
  };
}
