// A whole Ebb of its own for a test: control and storage in a temporary data folder, and a client over the contract, as
// the CLI has it. Ends every process it started, by id.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureControl } from '../../electron/control/start-on-demand.ts';
import { lockHolder } from '../../electron/platform/lock-owner.ts';
import type { EbbPaths } from '../../electron/platform/paths.ts';
import { connectUnix } from '../../electron/transport/unix-socket.ts';
import type { DiskId, PointId, VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import { type Client, connectClient } from '../../shared/rpc/client.ts';
import { type Contract, contract } from '../../shared/rpc/contract.ts';
import type { Task } from '../../shared/task.ts';
import type { VmState } from '../../shared/vm.ts';
import { end } from './storage-process.ts';
import { UnitsHash } from './units-hash.ts';

/** A guest on a loaded machine under TCG boots in this at the very worst. */
const PATIENCE_MS = 180_000;
const STEP_MS = 25;

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/** Waits for a condition, never for time; says what it waited for. */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`);
    await pause(STEP_MS);
  }
}

/** The sample guest's agent (build/guest/agent.pl). */
export class Agent {
  readonly #socket: Socket;
  readonly #waiting = new Map<
    string,
    { resolve: (values: Record<string, string>) => void; reject: (error: Error) => void }
  >();
  #held = '';
  #nextId = 1;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#receive(text));
    socket.on('error', () => this.#end());
    socket.on('close', () => this.#end());
  }

  static async connect(path: string): Promise<Agent> {
    const socket = await waitFor(
      `the agent at ${path}`,
      () =>
        new Promise<Socket | null>(resolve => {
          const attempt = connect(path);
          attempt.once('connect', () => resolve(attempt));
          attempt.once('error', () => resolve(null));
        }),
    );
    return new Agent(socket);
  }

  #receive(text: string): void {
    this.#held += text;
    for (let end = this.#held.indexOf('\n'); end >= 0; end = this.#held.indexOf('\n')) {
      const [id = '', state, ...words] = this.#held.slice(0, end).split(' ');
      this.#held = this.#held.slice(end + 1);
      const waiting = this.#waiting.get(id);
      if (waiting === undefined) continue;
      this.#waiting.delete(id);
      const values = Object.fromEntries(
        words
          .map(word => word.split('=', 2))
          .map(([key = '', value = '']) => [key, decodeURIComponent(value)]),
      );
      if (state === 'ok') waiting.resolve(values);
      else waiting.reject(new Error(`agent: ${values.what}`));
    }
  }

  #end(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('agent: the channel closed'));
    this.#waiting.clear();
  }

  call(verb: string, args: Readonly<Record<string, string | number>> = {}): Promise<Record<string, string>> {
    const id = String(this.#nextId++);
    const words = Object.entries(args).map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.write(`${[id, verb, ...words].join(' ')}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

export class Ebb {
  readonly paths: EbbPaths;
  #client: Client<Contract>;
  readonly #agents: Agent[] = [];

  private constructor(paths: EbbPaths, client: Client<Contract>) {
    this.paths = paths;
    this.#client = client;
  }

  static async start(folder = mkdtempSync(join(tmpdir(), 'ebb-t-'))): Promise<Ebb> {
    const { paths, channel } = await ensureControl(folder);
    const client = connectClient(contract, channel);
    await client.ready;
    return new Ebb(paths, client);
  }

  get call(): Client<Contract>['call'] {
    return this.#client.call.bind(this.#client) as Client<Contract>['call'];
  }
  get subscribe(): Client<Contract>['subscribe'] {
    return this.#client.subscribe.bind(this.#client) as Client<Contract>['subscribe'];
  }

  controlPid(): number {
    return lockHolder(this.paths.controlLock)?.pid ?? 0;
  }

  async storagePid(): Promise<number> {
    const { storageContract } = await import('../../electron/storage/contract.ts');
    const client = connectClient(storageContract, await connectUnix(this.paths.storageSocket));
    const { pid } = await client.call('storage.info', {});
    client.close();
    return pid;
  }

  /** SIGKILL, then another control adopts what runs; `between` them. */
  async killControl(between: () => void = () => undefined): Promise<void> {
    const pid = this.controlPid();
    process.kill(pid, 'SIGKILL');
    await this.rejoin(pid, between);
  }

  /** Another control after that one, which was killed. */
  async rejoin(pid: number, between: () => void = () => undefined): Promise<void> {
    await waitFor('control to be gone', () => lockHolder(this.paths.controlLock)?.pid !== pid || null);
    this.#client.close();
    between();
    const { channel } = await ensureControl(this.paths.dataFolder);
    this.#client = connectClient(contract, channel);
    await this.#client.ready;
  }

  /** Waits for a task's end; throws its fault. */
  async done(taskId: string): Promise<Task> {
    const task = await waitFor(`task ${taskId}`, async () => {
      const { tasks } = await this.call('task.list', {});
      return tasks.find(row => row.id === taskId && row.state !== 'running');
    });
    if (task.error !== null) throw new Fault(task.error);
    return task;
  }

  state(vmId: VmId): Promise<VmState> {
    return this.call('vm.get', { vmId }).then(({ state }) => state);
  }

  /** A sample VM; memory in MiB. */
  async createSample(
    name: string,
    { minMib = 128, maxMib = 256, diskMib = 64, balloon = true } = {},
  ): Promise<{ vmId: VmId; diskId: DiskId }> {
    const { vmId, taskId } = await this.call('vm.create', {
      name,
      os: 'linux',
      cpus: 1,
      minKib: minMib * 1024,
      maxKib: maxMib * 1024,
      source: { kind: 'sample', diskBytes: diskMib * 2 ** 20 },
      balloon,
    });
    await this.done(taskId);
    const { spec } = await this.call('vm.get', { vmId });
    return { vmId, diskId: spec.disks[0]?.id as DiskId };
  }

  async startVm(vmId: VmId): Promise<Agent> {
    await this.done((await this.call('vm.start', { vmId })).taskId);
    return this.agent(vmId);
  }

  /** Waits until the guest is up. */
  async agent(vmId: VmId): Promise<Agent> {
    await waitFor('the guest to be up', async () => (await this.state(vmId)).guestUp || null);
    const agent = await Agent.connect(`${this.paths.runFolder}/vm-${vmId.slice(0, 13)}/agent`);
    this.#agents.push(agent);
    await agent.call('ping');
    return agent;
  }

  async stopVm(vmId: VmId, how: 'shutdown' | 'force' = 'force'): Promise<void> {
    await this.done((await this.call('vm.stop', { vmId, how })).taskId);
  }

  async settled(vmId: VmId): Promise<void> {
    await waitFor(
      'the timeline to be at rest',
      async () => (await this.call('timeline.get', { vmId })).settle.state === 'rest' || null,
    );
  }

  /** Of the first `bytes` of a point, as 7-Zip reads its file and what that hangs off. */
  async hashPoint(vmId: VmId, diskId: DiskId, pointId: PointId, bytes: number): Promise<string> {
    const path = join(this.paths.dataFolder, 'vms', vmId, 'disks', diskId, `${pointId}.vhd`);
    const hash = new UnitsHash();
    let left = bytes;
    const child = spawn('7z', ['x', '-tVHD', '-so', path], { stdio: ['ignore', 'pipe', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (text: Buffer) => {
      complaint += text.toString();
    });
    for await (const piece of child.stdout as AsyncIterable<Buffer>) {
      hash.update(piece.subarray(0, left));
      left -= Math.min(left, piece.length);
    }
    const code =
      child.exitCode ?? (await new Promise<number | null>(resolve => child.once('close', resolve)));
    if (code !== 0 || left > 0) throw new Error(`7z could not read ${path}: ${complaint}`);
    return hash.digest();
  }

  log(): string {
    return readFileSync(this.paths.controlLog, 'utf8');
  }

  async vmNamed(name: string): Promise<{ vmId: VmId; diskId: DiskId }> {
    const { vms } = await this.call('vm.list', {});
    const found = vms.find(({ spec }) => spec.name === name);
    if (found === undefined) throw new Error(`no VM is named ${name}`);
    return { vmId: found.spec.id, diskId: found.spec.disks[0]?.id as DiskId };
  }

  /** Ends storage and control; no VM may be running. */
  async quit(): Promise<void> {
    for (const agent of this.#agents) agent.close();
    const pid = this.controlPid();
    await this.call('app.quit', {}).catch(() => process.kill(pid, 'SIGKILL'));
    await waitFor('control to end', () => lockHolder(this.paths.controlLock) === null || null);
    this.#client.close();
    this.#expectNoBugs();
  }

  /** What Ebb itself calls its mistakes; also a refusal its contract does not promise. */
  #expectNoBugs(): void {
    const logs = [this.paths.controlLog, this.paths.storageLog].filter(path => existsSync(path));
    const incidents = logs.flatMap(path => readFileSync(path, 'utf8').match(/^.*\bincident [^\n]*$/gm) ?? []);
    if (incidents.length > 0) throw new Error(`Ebb made mistakes:\n${incidents.join('\n')}`);
  }

  /** Ends VMs, storage and control, and removes the folder. */
  async dispose(): Promise<void> {
    const { vms } = await this.call('vm.list', {});
    for (const { spec, state } of vms)
      if (state.pid !== null) await this.stopVm(spec.id).catch(() => end(state.pid ?? 0));
    await this.quit();
    // Storage may be ending yet, and takes away files of its own: a removal that meets that leaves the rest.
    for (const folder of [this.paths.dataFolder, this.paths.runFolder])
      await waitFor(`${folder} to be gone`, () => {
        rmSync(folder, { recursive: true, force: true });
        return !existsSync(folder);
      });
  }
}
