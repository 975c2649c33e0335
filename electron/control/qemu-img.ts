// qemu-img, as import, export and clone run it: one copy with its progress, and what is said where there is none of it.
import { Fault } from '../../shared/result.ts';
import { amountText, KIB } from '../../shared/units.ts';
import type { ToolOptions, ToolResult } from '../platform/process.ts';
import type { Step } from './tasks.ts';

const COPY_TIMEOUT_MS = 12 * 3_600_000;

export interface QemuImgPorts {
  /** Full path of a program on PATH; null where there is none. */
  readonly program: (name: string) => string | null;
  readonly runTool: (command: string, args: readonly string[], options: ToolOptions) => Promise<ToolResult>;
}

/** Its path. Fault: qemu.missing. */
export function qemuImgPath(ports: Pick<QemuImgPorts, 'program'>, safe: string): string {
  const path = ports.program('qemu-img');
  if (path !== null) return path;
  throw new Fault({
    code: 'qemu.missing',
    what: "qemu-img is not on this computer's PATH.",
    safe,
    todo: 'Install it: sudo apt-get install qemu-utils',
  });
}

/** `qemu-img convert -p …`; `doing` names the step. Throws when aborted; a failed copy is the caller's to explain. */
export async function runCopy(
  [command, args]: readonly [command: string, args: readonly string[]],
  {
    runTool,
    step,
    doing,
    totalBytes,
    signal,
  }: Pick<QemuImgPorts, 'runTool'> & {
    readonly step: Step;
    readonly doing: string;
    /** Of the disk that is copied. */
    readonly totalBytes: number;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly stderr: string; readonly isFull: boolean } | null> {
  const onOutput = (text: string): void => {
    const percent = /\(([\d.]+)\/100%\)/.exec(text)?.[1];
    if (percent === undefined) return;
    const share = Number(percent) / 100;
    step(`${doing}: ${amountText((share * totalBytes) / KIB)} of ${amountText(totalBytes / KIB)}`, share);
  };
  const { code, stderr } = await runTool(command, args, { timeoutMs: COPY_TIMEOUT_MS, signal, onOutput });
  signal.throwIfAborted();
  return code === 0 ? null : { stderr: stderr.trim(), isFull: stderr.includes('No space left') };
}
