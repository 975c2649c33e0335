// A QEMU as its supervisor meets it: a process, a control socket that answers or does not, files beside it.
import type { GuestPort, Lease, MemoryPort } from '../../electron/control/ports.ts';
import type { RunRecord } from '../../electron/control/vm/run-record.ts';
import type { SupervisorPorts } from '../../electron/control/vm/supervisor-port.ts';
import type { ByteStream } from '../../electron/platform/byte-stream.ts';
import type { VmId } from '../../shared/ids.ts';
import type { VmSpec } from '../../shared/vm.ts';
import { GIB, TestClock } from './memory-world.ts';

interface Asked {
  readonly execute: string;
  readonly id: number;
}

const GREETING = { QMP: { version: { qemu: { major: 8, minor: 2, micro: 0 } } } };
const ANSWERS: Readonly<Record<string, unknown>> = {
  'query-status': { status: 'running', running: true },
  'query-balloon': { actual: GIB * 1024 },
  'x-query-virtio-status': { status: { statuses: ['VIRTIO_CONFIG_S_DRIVER_OK: Driver setup and ready'] } },
  'qom-get': { stats: {}, 'last-update': 0 },
};

/** The QMP end of a stream: greets, and answers as `answer` says; undefined: not at all; an Error: with a refusal. */
export class FakeQmp implements ByteStream {
  readonly asked: Asked[] = [];
  answer: (asked: Asked) => unknown = ({ execute }) => ANSWERS[execute] ?? {};
  readonly #data: ((chunk: Buffer) => void)[] = [];
  readonly #closes: (() => void)[] = [];
  greets = true;

  say(value: unknown): void {
    for (const listener of this.#data) listener(Buffer.from(`${JSON.stringify(value)}\n`));
  }
  write(bytes: Uint8Array): boolean {
    const asked = JSON.parse(Buffer.from(bytes).toString()) as Asked;
    this.asked.push(asked);
    const value = this.answer(asked);
    const reply =
      value instanceof Error ? { error: { class: 'GenericError', desc: value.message } } : { return: value };
    if (value !== undefined) queueMicrotask(() => this.say({ ...reply, id: asked.id }));
    return true;
  }
  unsentBytes = (): number => 0;
  onData(listener: (chunk: Buffer) => void): void {
    this.#data.push(listener);
    if (this.greets) queueMicrotask(() => this.say(GREETING));
  }
  onDrain = (): void => undefined;
  onClose(listener: () => void): void {
    this.#closes.push(listener);
  }
  pause = (): void => undefined;
  resume = (): void => undefined;
  end(): void {
    this.destroy();
  }
  destroy(): void {
    for (const listener of this.#closes.splice(0)) listener();
  }
}

/** What the memory manager was told to count. */
export class CountedMemory implements MemoryPort {
  readonly counted = new Map<VmId, { readonly bootKib: number; readonly guest: GuestPort }>();
  readonly leases = new Set<string>();
  lease({ spec }: { spec: VmSpec }): Promise<Lease> {
    const lease = { id: spec.id as unknown as Lease['id'], vmId: spec.id, bootKib: spec.maxKib };
    this.leases.add(lease.id);
    return Promise.resolve(lease);
  }
  transfer(lease: Lease, guest: GuestPort): void {
    this.release(lease);
    this.counted.set(lease.vmId, { bootKib: lease.bootKib, guest });
  }
  release(lease: Lease): void {
    this.leases.delete(lease.id);
  }
  adopt({ id }: VmSpec, bootKib: number, guest: GuestPort): void {
    this.counted.set(id, { bootKib, guest });
  }
  reached(vmId: VmId, guest: GuestPort): void {
    const bootKib = this.counted.get(vmId)?.bootKib;
    if (bootKib !== undefined) this.counted.set(vmId, { bootKib, guest });
  }
  detach(vmId: VmId): void {
    this.counted.delete(vmId);
  }
  event = (): void => undefined;
  specChanged = (): void => undefined;
}

/** One host with at most one QEMU, pid 77. */
export class FakeHost {
  readonly clock = new TestClock();
  readonly memory = new CountedMemory();
  readonly files = new Map<string, unknown>();
  isAlive = false;
  /** SIGKILL ends it at once; not one that waits in the kernel. */
  isKillable = true;
  /** It opens its control socket. */
  qmp: FakeQmp | null = new FakeQmp();
  opensExports: boolean | 'never' = true;
  swtpm: string | null = null;
  /** As they were set, of which process. */
  readonly cpuCaps: [pid: number, percent: number | null | 'ended'][] = [];
  /** Takes what a QEMU saves of its memory. */
  receive: SupervisorPorts['receiveToFile'] = () => Promise.reject(new Error('not here'));
  /** Disks that storage serves. */
  readonly served = new Set<string>();
  readonly firmware = new Map<string, { readonly code: string; readonly vars: string }>();
  onSpawn: () => void = () => undefined;

  ports(): SupervisorPorts {
    const nothing = (): Promise<never> => Promise.reject(new Error('not here'));
    return {
      clock: this.clock,
      memory: this.memory,
      storage: {
        openExport: (_, diskId) => {
          if (this.opensExports === 'never') return new Promise(() => undefined);
          if (!this.opensExports) return Promise.reject(new Error('no disk'));
          this.served.add(diskId);
          return Promise.resolve({ exportName: 'disk' });
        },
        closeExport: (_, diskId) => {
          this.served.delete(diskId);
          return Promise.resolve();
        },
        healthy: () => Promise.resolve(),
        isSpoiled: () => Promise.resolve(false),
      },
      admit: () => undefined,
      cpu: {
        set: (_, pid, percent) => void this.cpuCaps.push([pid, percent]),
        ended: pid => void this.cpuCaps.push([pid, 'ended']),
      },
      accelerator: () => Promise.resolve('tcg'),
      qemu: () => '/bin/qemu',
      parts: {
        swtpm: () => this.swtpm,
        firmware: firmware => this.firmware.get(firmware) ?? null,
        bytesOf: path => (this.files.has(path) ? 1 : null),
        copyDurably: (from, to) => void this.files.set(to, this.files.get(from)),
      },
      sample: () => ({ kernel: '/k', initrd: '/i' }),
      isoPath: () => null,
      spawn: () => {
        this.isAlive = true;
        this.onSpawn();
        return Promise.resolve({ id: { pid: 77, started: '1' }, exited: new Promise(() => undefined) });
      },
      processOf: pid => ({ pid, started: pid === 77 && this.isAlive ? '1' : '' }),
      isAlive: ({ pid, started }) => this.isAlive && pid === 77 && started === '1',
      end: () => {
        if (this.isKillable) this.isAlive = false;
      },
      residents: { now: () => null, fresh: () => Promise.resolve(null) },
      connect: () => (this.qmp === null ? nothing() : Promise.resolve(this.qmp)),
      receiveToFile: (...given) => this.receive(...given),
      sendFile: nothing,
      readJson: path => this.files.get(path),
      readWhole: path => (this.files.get(path) as Uint8Array | undefined) ?? new Uint8Array(),
      readText: path => String(this.files.get(path) ?? ''),
      writeJson: (path, value) => void this.files.set(path, JSON.parse(JSON.stringify(value))),
      removeFile: path => void this.files.delete(path),
      removeTree: () => undefined,
      makePrivateFolder: () => undefined,
      log: () => undefined,
    };
  }

  /** In steps, between which everything that was promised comes true. */
  async run(ms: number): Promise<void> {
    for (let atMs = 0; atMs < ms; atMs += 50) {
      await new Promise(resolve => setImmediate(resolve));
      await this.clock.advance(50);
    }
    await new Promise(resolve => setImmediate(resolve));
  }

  get record(): RunRecord | undefined {
    return this.files.get('/home/run.json') as RunRecord | undefined;
  }
}
