import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBlockFile } from '../../../electron/platform/block-file.ts';
import { findXfsIo, type RangeTool, xfsIoTool } from '../../../electron/platform/range-tool.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb range "tool" '));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function script(text: string): string {
  const path = join(folder, 'tool');
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o700 });
  return path;
}

const punchAt = async (tool: RangeTool): Promise<boolean> => {
  const fd = openSync(join(folder, 'file'), 'w+');
  try {
    return await tool.punch(fd, 0, 4096);
  } finally {
    closeSync(fd);
  }
};

describe('the range tool', () => {
  it('that is not there, dies, hangs or cannot be started answers false, and is not started for ever', async () => {
    const log = join(folder, 'log');
    const hanging = script(`echo started >> '${log}'; exec cat`);
    expect(await punchAt(xfsIoTool(null))).toBe(false);
    expect(await punchAt(xfsIoTool(join(folder, 'nowhere')))).toBe(false);
    const tool = xfsIoTool(hanging, 1);
    for (let count = 0; count < 8; count++) expect(await punchAt(tool)).toBe(false);
    // One that is killed before it began has written nothing.
    const starts = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').length : 0;
    expect(starts).toBeLessThanOrEqual(3);
  });

  it('that finds no such call here is not asked again', async () => {
    const log = join(folder, 'log');
    const tool = xfsIoTool(
      script(
        `while read -r line; do echo "$line" >> '${log}'; case $line in mark*) echo "command \\"$line\\" not found" >&2;; fp*) echo 'fallocate: Operation not supported' >&2;; esac; done`,
      ),
    );
    for (let count = 0; count < 5; count++) expect(await punchAt(tool)).toBe(false);
    expect(readFileSync(log, 'utf8').match(/fpunch/g)).toHaveLength(1);
  });

  it('is answered for a file that was closed meanwhile, whose number stays taken until then', async () => {
    let answer: (isDone: boolean) => void = () => undefined;
    const asked: number[] = [];
    const tool: RangeTool = {
      punch: fd => {
        asked.push(fd);
        return new Promise(resolve => {
          answer = resolve;
        });
      },
      clone: () => Promise.resolve(false),
    };
    const file = openBlockFile(join(folder, 'a'), 'a', 'create', tool);
    const punched = file.punch(0, 4096);
    file.close();
    const other = openSync(join(folder, 'b'), 'w');
    expect(asked).not.toContain(other);
    closeSync(other);
    answer(true);
    expect(await punched).toBe(true);
    expect(await file.punch(0, 4096)).toBe(false);
  });

  it.skipIf(findXfsIo() === null)('punches a file of any name, also after it was renamed', async () => {
    const file = openBlockFile(join(folder, 'a $(b) \'"'), 'a', 'create', xfsIoTool(findXfsIo()));
    file.write(new Uint8Array(1024 * 1024).fill(7), 0);
    await file.sync();
    renameSync(join(folder, 'a $(b) \'"'), join(folder, 'c'));
    const before = file.allocatedBytes();
    const isDone = await file.punch(4096, 512 * 1024);
    const bytes = new Uint8Array(4096);
    file.read(bytes, 8192);
    if (isDone) expect(file.allocatedBytes()).toBeLessThan(before - 256 * 1024);
    else console.warn('this filesystem does not punch');
    expect(bytes.every(byte => byte === (isDone ? 0 : 7))).toBe(true);
    file.close();
  });
});
if (findXfsIo() === null) console.warn('xfs_io is not installed: punching is not shown here');
