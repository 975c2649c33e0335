// A VM with history and no guest, in a whole Ebb: made from a raw image and written as QEMU writes, by NBD from storage,
// beside a buffer that says what it holds. The commands are those people type, as processes of their own.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storageContract } from '../../electron/storage/contract.ts';
import { connectUnix } from '../../electron/transport/unix-socket.ts';
import type { DiskId, PointId, VmId } from '../../shared/ids.ts';
import { type Client, connectClient } from '../../shared/rpc/client.ts';
import type { Moment } from '../../shared/timeline.ts';
import type { Ebb } from './ebb.ts';
import { NbdClient } from './nbd-client.ts';
import { UnitsHash } from './units-hash.ts';

const CLI = join(import.meta.dirname, '../../electron/shells/cli/main.ts');
/** Below what a server of ours takes in one request. */
const WRITE_BYTES = 8 * 2 ** 20;

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** `ebb …` against this Ebb. */
export function ebbCommand(ebb: Pick<Ebb, 'paths'>, ...args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, EBB_DATA: ebb.paths.dataFolder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, error] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    error += text;
  });
  return new Promise(resolve => child.once('close', code => resolve({ code, out, error })));
}

export function unitsOf(bytes: Uint8Array): string {
  const hash = new UnitsHash();
  hash.update(bytes);
  return hash.digest();
}

export class HistoryVm {
  readonly #ebb: Ebb;
  readonly vmId: VmId;
  readonly diskId: DiskId;
  /** What Now holds, of its first bytes. */
  readonly now: Buffer;
  /** What each point holds, by its id; whoever deletes one takes it out. */
  readonly recorded = new Map<string, string>();

  private constructor(ebb: Ebb, { vmId, diskId }: { vmId: VmId; diskId: DiskId }, now: Buffer) {
    this.#ebb = ebb;
    this.vmId = vmId;
    this.diskId = diskId;
    this.now = now;
  }

  /** By `ebb vm create NAME --disk …`, from an image of this content. */
  static async create(ebb: Ebb, name: string, content: Buffer): Promise<HistoryVm> {
    const path = join(ebb.paths.dataFolder, `${name}.img`);
    writeFileSync(path, content);
    const ran = await ebbCommand(ebb, 'vm', 'create', name, '--disk', path, '--format', 'raw');
    if (ran.code !== 0) throw new Error(ran.error);
    const made = new HistoryVm(ebb, await ebb.vmNamed(name), Buffer.from(content));
    const [first] = await made.moments();
    made.recorded.set(first?.id ?? '', unitsOf(content));
    return made;
  }

  /** The same VM, found by another Ebb over the same folder. */
  in(ebb: Ebb): HistoryVm {
    const same = new HistoryVm(ebb, this, this.now);
    for (const [id, units] of this.recorded) same.recorded.set(id, units);
    return same;
  }

  async moments(): Promise<Moment[]> {
    return (await this.#ebb.call('timeline.get', { vmId: this.vmId })).moments;
  }
  async named(name: string): Promise<Moment> {
    const found = (await this.moments()).find(moment => moment.name === name);
    if (found === undefined) throw new Error(`no point is named ${name}`);
    return found;
  }

  /** As a guest would: served, written, flushed, and let go; `meanwhile` runs before that. */
  async write(
    pieces: readonly { readonly at: number; readonly bytes: Uint8Array }[],
    meanwhile: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<void> {
    const { vmId, diskId } = this;
    const storage = await this.#storage();
    const socketPath = join(this.#ebb.paths.runFolder, 'w.sock');
    await storage.call('export.open', { vmId, diskId, socketPath });
    try {
      const nbd = await NbdClient.open(socketPath, diskId);
      for (const { at, bytes } of pieces) {
        for (let done = 0; done < bytes.length; done += WRITE_BYTES) {
          const payload = bytes.subarray(done, done + WRITE_BYTES);
          const { error } = await nbd.call({ command: 1, offset: at + done, payload });
          if (error !== 0) throw new Error(`WRITE was answered with ${error}`);
        }
        this.now.set(bytes, at);
      }
      await nbd.call({ command: 3 });
      await meanwhile();
      nbd.close();
    } finally {
      await storage.call('export.close', { vmId, diskId });
      storage.close();
    }
  }

  /** A point of what was written, taken while it is served, by `ebb point take`. */
  async take(
    name: string,
    pieces: readonly { readonly at: number; readonly bytes: Uint8Array }[],
  ): Promise<Moment> {
    await this.write(pieces, async () => {
      const { vmId } = this;
      const { id } = await this.#ebb.call('moment.take', { vmId, name, note: '' });
      this.recorded.set(id, unitsOf(this.now));
    });
    return this.named(name);
  }

  pathOf(moment: Moment): string {
    const [point] = moment.points;
    const folder = join(this.#ebb.paths.dataFolder, 'vms', this.vmId, 'disks', this.diskId);
    return join(folder, `${point?.pointId}.vhd`);
  }

  /**
   * Of all points, as 7-Zip reads their files: those that are not what was recorded, those that were and are gone, and those
   * nobody knows of.
   */
  async wrong(): Promise<string[]> {
    const moments = new Map((await this.moments()).map(moment => [String(moment.id), moment]));
    const found = [...this.recorded.keys()].filter(id => !moments.has(id));
    for (const [id, { points }] of moments) {
      const pointId = points[0]?.pointId as PointId;
      const units = await this.#ebb.hashPoint(this.vmId, this.diskId, pointId, this.now.length);
      if (units !== this.recorded.get(id)) found.push(id);
    }
    return found;
  }

  async #storage(): Promise<Client<typeof storageContract>> {
    const client = connectClient(storageContract, await connectUnix(this.#ebb.paths.storageSocket));
    await client.ready;
    return client;
  }
}
