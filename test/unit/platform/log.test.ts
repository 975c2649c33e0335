// The log of a process: lines that programs and people read, bounded on disk, and in nobody's way when it cannot be written.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LOG_FILES_KEPT, openLog, openLogFile, shiftLogs } from '../../../electron/platform/log.ts';
import { isLoud, LOG_LEVELS, levelOf, parseLogLine, plainLogLine } from '../../../shared/log.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-log-'));
  path = join(folder, 'control.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const lines = (file = path): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');

it('writes lines that come back as they were said, one to a line, whatever is in them', () => {
  const fd = openSync(path, 'a');
  const log = openLog({ part: 'control', fd, path });
  log('served');
  log('a\nstack\u0007', 'error');
  log('x'.repeat(100_000));
  const found = lines().map(line => parseLogLine(line));
  expect(found).toMatchObject([
    { part: 'control', pid: process.pid, level: 'info', text: 'served' },
    { level: 'error', text: 'a\nstack\u0007' },
    { text: expect.stringMatching(/^x{8000}…$/) },
  ]);
  expect(plainLogLine(lines()[1] ?? '')).toMatch(/Z control\[\d+\] error: a\nstack/);
  expect(plainLogLine('node: out of memory')).toBe('node: out of memory');
  closeSync(fd);
});

it('says what is loud enough, and by default no debugging', () => {
  const fd = openSync(path, 'a');
  const log = openLog({ part: 'control', fd, path, least: 'warn' });
  for (const level of LOG_LEVELS) log(level, level);
  expect(lines().map(line => parseLogLine(line)?.text)).toEqual(['warn', 'error']);
  expect([levelOf(undefined), levelOf('all'), levelOf('debug')]).toEqual(['info', 'info', 'debug']);
  expect(isLoud('debug', 'info')).toBe(false);
  closeSync(fd);
});

it('keeps its files bounded without losing what is newest, through one descriptor', () => {
  const fd = openSync(path, 'a');
  const log = openLog({ part: 'control', fd, path, bytesMax: 2000 });
  for (let n = 1; n <= 300; n++) log(`line ${n}`);
  // As the runtime writes its last words.
  writeSync(fd, 'RangeError: the end\n');
  const names = readdirSync(folder).sort();
  expect(names).toEqual(['control.log', ...[1, 2, 3, 4].map(n => `control.log.${n}`)]);
  for (const name of names) expect(statSync(join(folder, name)).size).toBeLessThan(2300);
  const all = [...names.slice(1).reverse(), 'control.log'].flatMap(name => lines(join(folder, name)));
  expect(all.at(-1)).toBe('RangeError: the end');
  const numbers = all.slice(0, -1).map(line => Number(parseLogLine(line)?.text.slice(5)));
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => 301 - numbers.length + index));
  closeSync(fd);
});

it('leaves alone what is not its own: a terminal, another file', () => {
  const other = join(folder, 'terminal');
  writeFileSync(path, 'x'.repeat(5000));
  const fd = openSync(other, 'a');
  const log = openLog({ part: 'control', fd, path, bytesMax: 100 });
  for (let n = 0; n < 20; n++) log('hello');
  expect(lines(other)).toHaveLength(20);
  expect(readdirSync(folder).sort()).toEqual(['control.log', 'terminal']);
  closeSync(fd);
  symlinkSync(other, join(folder, 'headless.log'));
  expect(openLogFile('headless', join(folder, 'headless.log'))).toBe(null);
});

it('a descriptor that is gone stops nobody', () => {
  const fd = openSync(path, 'a');
  closeSync(fd);
  const log = openLog({ part: 'control', fd, path });
  expect(() => log('hello')).not.toThrow();
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('log: a full disk is skipped, it needs root');
it.skipIf(!isRoot)('a full disk loses lines, and says how many', () => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'ebb-test', folder]);
  const fd = openSync(path, 'a');
  try {
    const log = openLog({ part: 'control', fd, path });
    appendFileSync(join(folder, 'filler'), Buffer.alloc(60 * 1024));
    for (let n = 0; n < 10; n++) log('x'.repeat(4000));
    rmSync(join(folder, 'filler'));
    log('after');
    const texts = lines().map(line => parseLogLine(line)?.text ?? '');
    expect(texts.at(-1)).toBe('after');
    expect(texts.at(-2)).toMatch(/^\d+ lines could not be written$/);
  } finally {
    closeSync(fd);
    spawnSync('umount', [folder]);
  }
});

it('what is shifted away is kept so often', () => {
  for (let n = 1; n <= 7; n++) shiftLogs(path, () => writeFileSync(`${path}.1`, String(n)));
  expect(readdirSync(folder)).toHaveLength(LOG_FILES_KEPT);
  expect(readFileSync(`${path}.1`, 'utf8') + readFileSync(`${path}.4`, 'utf8')).toBe('74');
});
