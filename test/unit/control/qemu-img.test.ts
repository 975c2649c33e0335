// A tool that runs for a task: it can be paused where the host can stop it, and elsewhere nothing says it can.
import { expect, it } from 'vitest';
import { runCopy, runLong } from '../../../electron/control/qemu-img.ts';
import type { ToolOptions, ToolResult } from '../../../electron/platform/process.ts';
import { looseRun, turns } from '../../support/loose-run.ts';

function host(canStop: boolean) {
  let end: (result: ToolResult) => void = () => undefined;
  let given: ToolOptions | null = null;
  const ports = {
    canStopTools: () => canStop,
    runTool: (_: string, __: readonly string[], options: ToolOptions) => {
      given = options;
      return new Promise<ToolResult>(resolve => (end = resolve));
    },
  };
  const ended = (code: number, stderr = ''): void => end({ code, stdout: '', stderr });
  return { ports, ended, given: () => given };
}

it.each([true, false])('it can be paused exactly where it can be stopped: %s', async canStop => {
  const { run, gate } = looseRun();
  const { ports, ended, given } = host(canStop);
  const ran = runLong(['tool', []], ports, run, { timeoutMs: 1000 });
  await turns();
  expect([gate.canPause, given()?.pauses !== undefined]).toEqual([canStop, canStop]);
  expect(given()?.signal).toBe(run.signal);
  ended(0);
  expect((await ran).code).toBe(0);
  expect(gate.canPause).toBe(false);
});

it('what it prints of its share is told in bytes of the disk; that the disk is full is told from other failures', async () => {
  const { run, told } = looseRun();
  const { ports, ended, given } = host(true);
  const copy = () => runCopy(['tool', []], ports, { doing: 'copying', totalBytes: 4000 }, run);
  const full = copy();
  await turns();
  for (const text of ['    (0.00/100%)\r', 'a word of its own', '    (25.50/100%)\r'])
    given()?.onOutput?.(text);
  ended(1, 'qemu-img: error while writing: No space left on device');
  expect(await full).toMatchObject({ isFull: true });
  expect(told).toEqual([
    ['copying', { done: 0, total: 4000 }],
    ['copying', { done: 1020, total: 4000 }],
  ]);
  const other = copy();
  await turns();
  ended(1, 'qemu-img: Input/output error');
  expect(await other).toMatchObject({ isFull: false, stderr: 'qemu-img: Input/output error' });
});

it('cancelled it throws, whatever the tool has answered', async () => {
  const { run, abort } = looseRun();
  const { ports, ended } = host(true);
  const ran = runLong(['tool', []], ports, run, { timeoutMs: 1000 });
  await turns();
  abort.abort(new Error('cancelled'));
  ended(0);
  await expect(ran).rejects.toThrow('cancelled');
});
