// Small files as control reads them: however long they have become, and programs as PATH has them.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readText } from '../../../electron/platform/json-file.ts';
import { findProgram } from '../../../electron/platform/process.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-small-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('of a log the end is read, and of what is not there nothing', () => {
  const log = join(folder, 'qemu.log');
  writeFileSync(log, `${'x'.repeat(100_000)}the last words`);
  expect(readText(log, 14)).toBe('the last words');
  expect(readText(log)).toHaveLength(64 * 1024);
  expect(readText(join(folder, 'none'))).toBe('');
});

it('a file that cannot be run is no program, nor is a folder; the next of PATH is', () => {
  const [first, second] = [join(folder, 'a'), join(folder, 'b')];
  for (const place of [first, second]) mkdirSync(place);
  writeFileSync(join(first, 'tool'), '');
  mkdirSync(join(first, 'other'));
  expect(findProgram('tool', first)).toBeNull();
  expect(findProgram('other', first)).toBeNull();
  writeFileSync(join(second, 'tool'), '');
  chmodSync(join(second, 'tool'), 0o755);
  expect(findProgram('tool', [first, second].join(delimiter))).toBe(join(second, 'tool'));
});
