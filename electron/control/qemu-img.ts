// Runs qemu-img for import, export and clone: a copy with its progress, a measurement, and the refusal where
// there is no qemu-img.
import * as z from 'zod';
import { Fault } from '../../shared/result.ts';
import type { ToolOptions, ToolResult } from '../platform/process.ts';
import type { TaskRun } from './tasks/tasks.ts';

const COPY_TIMEOUT_MS = 12 * 3_600_000;

/** Measures for a qcow2: for a raw target it answers the whole size, whatever the image holds (QEMU 7.2). */
export const MEASURE = ['measure', '-O', 'qcow2'];
const measureSchema = z.object({ required: z.number(), 'fully-allocated': z.number() });

/** Bytes of data in an image, in 64 KiB clusters, from what MEASURE printed; null: it printed no sizes. */
export function measuredBytes(printed: unknown, virtualBytes: number): number | null {
  const { data } = measureSchema.safeParse(printed);
  if (data === undefined) return null;
  const tables = data['fully-allocated'] - virtualBytes;
  return Math.max(0, data.required - tables);
}

export interface QemuImgPorts {
  /** Full path of a program on PATH; null where there is none. */
  readonly program: (name: string) => string | null;
  readonly runTool: (command: string, args: readonly string[], options: ToolOptions) => Promise<ToolResult>;
  /** Can a tool be stopped for a while and go on? */
  readonly canStopTools: () => boolean;
}

/** The path of qemu-img. Fault: qemu.missing. */
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

export type ToolPorts = Pick<QemuImgPorts, 'runTool' | 'canStopTools'>;

/**
 * Runs a tool that takes long. One that can be stopped is stopped while its task is paused, and dies with
 * control. Throws when cancelled.
 */
export async function runLong(
  [command, args]: readonly [command: string, args: readonly string[]],
  { runTool, canStopTools }: ToolPorts,
  { signal, gate }: TaskRun,
  options: Pick<ToolOptions, 'timeoutMs' | 'onOutput'>,
): Promise<ToolResult> {
  const ran = canStopTools()
    ? await gate.pausable(() => runTool(command, args, { ...options, signal, pauses: gate }))
    : await runTool(command, args, { ...options, signal });
  signal.throwIfAborted();
  return ran;
}

/** `qemu-img convert -p …`; `doing` names the step. Throws when cancelled; a failed copy is the caller's to explain. */
export async function runCopy(
  command: readonly [command: string, args: readonly string[]],
  ports: ToolPorts,
  /** `totalBytes`: of the disk that is copied. */
  { doing, totalBytes }: { readonly doing: string; readonly totalBytes: number },
  run: TaskRun,
): Promise<{ readonly stderr: string; readonly isFull: boolean } | null> {
  const onOutput = (text: string): void => {
    const percent = /\(([\d.]+)\/100%\)/.exec(text)?.[1];
    if (percent === undefined) return;
    run.step(doing, { done: (Number(percent) / 100) * totalBytes, total: totalBytes });
  };
  const { code, stderr } = await runLong(command, ports, run, { timeoutMs: COPY_TIMEOUT_MS, onOutput });
  return code === 0 ? null : { stderr: stderr.trim(), isFull: stderr.includes('No space left') };
}
