// L2: finds out whether KVM works by booting something under it: that /dev/kvm opens does not tell. The
// answer is remembered for this QEMU and this boot of the host.
import * as z from 'zod';
import { messageOf } from '../../../shared/result.ts';
import type { Clock } from '../../platform/ports.ts';
import type { Detached, ProcessId, ToolResult } from '../../platform/process.ts';
import type { SmallFiles } from '../../platform/small-files.ts';
import { escaped } from '../vm/escape.ts';
import type { Accelerator } from '../vm/spec-to-argv.ts';
import { until } from '../vm/wait.ts';

const rememberedSchema = z.object({
  qemu: z.string(),
  boot: z.string(),
  accelerator: z.enum(['kvm', 'tcg']),
  why: z.string(),
});
export type ProbeResult = z.infer<typeof rememberedSchema>;

/** Under KVM, firmware reaches a boot sector in well under a second; under load it gets some seconds more. */
const SIGN_OF_LIFE = { timeoutMs: 8_000, stepMs: 50 };
const SIGN = 'EBBLIVES';

export interface ProbePorts extends Pick<SmallFiles, 'readText' | 'readJson' | 'writeJson' | 'removeFile'> {
  readonly clock: Clock;
  readonly bootId: string;
  readonly qemu: () => string | null;
  readonly hasKvmDevice: () => boolean;
  readonly runTool: (
    command: string,
    args: readonly string[],
    options: { timeoutMs: number },
  ) => Promise<ToolResult>;
  readonly spawn: (command: string, args: readonly string[], logPath: string) => Promise<Detached>;
  readonly end: (id: ProcessId, signal: 'SIGKILL') => void;
  readonly writeBytes: (path: string, bytes: Uint8Array) => void;
  /** Where the answer and the probe's files go. */
  readonly folder: string;
}

/** A boot sector that writes SIGN to the first serial port and halts: 16-bit code of ours. */
export function probeSector(): Uint8Array {
  const sector = new Uint8Array(512);
  // mov dx, 0x3f8; (mov al, c; out dx, al)*; hlt; jmp $-1
  const code = [
    0xba,
    0xf8,
    0x03,
    ...[...SIGN].flatMap(letter => [0xb0, letter.charCodeAt(0), 0xee]),
    0xf4,
    0xeb,
    0xfd,
  ];
  sector.set(code);
  sector.set([0x55, 0xaa], 510);
  return sector;
}

export class AcceleratorProbe {
  readonly #ports: ProbePorts;
  #known: Promise<ProbeResult> | null = null;

  constructor(ports: ProbePorts) {
    this.#ports = ports;
  }

  /**
   * Probes once; all callers share the answer. Never rejects: what keeps it from probing counts as no KVM, and the
   * next caller probes again (QEMU may be installed by then, or the disk have room).
   */
  result(): Promise<ProbeResult> {
    this.#known ??= this.#find().catch((cause: unknown) => this.#unknown(messageOf(cause)));
    return this.#known;
  }

  #unknown(why: string): ProbeResult {
    this.#known = null;
    return { qemu: '', boot: this.#ports.bootId, accelerator: 'tcg', why };
  }

  async #find(): Promise<ProbeResult> {
    const { qemu, runTool, readJson, writeJson, bootId, folder } = this.#ports;
    const program = qemu();
    if (program === null) throw new Error('QEMU is missing.');
    const version =
      (await runTool(program, ['--version'], { timeoutMs: 10_000 })).stdout.split('\n')[0] ?? '';
    const path = `${folder}/accelerator.json`;
    const remembered = rememberedSchema.safeParse(readJson(path));
    if (remembered.success && remembered.data.qemu === version && remembered.data.boot === bootId)
      return remembered.data;
    const found = { qemu: version, boot: bootId, ...(await this.#probe(program)) };
    try {
      writeJson(path, found);
    } catch {
      // The answer holds all the same; the next control probes again.
    }
    return found;
  }

  async #probe(program: string): Promise<{ accelerator: Accelerator; why: string }> {
    const { clock, spawn, end, readText, writeBytes, removeFile, hasKvmDevice, folder } = this.#ports;
    if (!hasKvmDevice()) return { accelerator: 'tcg', why: 'There is no /dev/kvm on this computer.' };
    const [sector, serial, log] = [`${folder}/probe.img`, `${folder}/probe.serial`, `${folder}/probe.log`];
    writeBytes(sector, probeSector());
    removeFile(serial);
    const args = [
      '-machine',
      'q35',
      '-accel',
      'kvm',
      '-cpu',
      'host',
      '-m',
      '64',
      '-display',
      'none',
      '-no-user-config',
      '-nodefaults',
      '-no-reboot',
      '-serial',
      `file:${serial}`,
      '-drive',
      `file=${escaped(sector)},format=raw,if=ide,snapshot=on`,
    ];
    const child = await spawn(program, args, log);
    let isEnded = false;
    void child.exited.then(() => {
      isEnded = true;
    });
    const lives = await until(clock, SIGN_OF_LIFE, () =>
      readText(serial).includes(SIGN) ? 'lives' : isEnded ? 'ended' : null,
    );
    end(child.id, 'SIGKILL');
    const words = readText(log).trim().split('\n').at(-1)?.slice(0, 200) ?? '';
    try {
      for (const file of [sector, serial, log]) removeFile(file);
    } catch {
      // They are written anew by the next probe.
    }
    if (lives === 'lives') return { accelerator: 'kvm', why: 'A probe boot under KVM answered.' };
    const why =
      lives === 'ended'
        ? `A probe boot under KVM failed: ${words}`
        : 'A probe boot under KVM gave no sign of life.';
    return { accelerator: 'tcg', why };
  }
}
