import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeLock } from '../../../electron/platform/lock.ts';
import { lockHolder, readLock, startedAt } from '../../../electron/platform/lock-owner.ts';
import { EBB_VERSION } from '../../../electron/platform/version.ts';
import { until } from '../../support/until.ts';

const MODULE = new URL('../../../electron/platform/lock.ts', import.meta.url).href;
/** Tries once for each line it is given, says what came of it, and keeps what it has until it is killed. */
const TAKER = `const { takeLock } = await import('${MODULE}');
  process.stdin.on('data', () => console.log(takeLock(process.argv[1]).ok ? 'won' : 'lost'));
  console.log('ready');`;

class Taker {
  readonly process: ChildProcess;
  lines: string[] = [];
  constructor(path: string) {
    this.process = spawn(process.execPath, ['--input-type=module', '-e', TAKER, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.process.stdout
      ?.setEncoding('utf8')
      .on('data', (text: string) => this.lines.push(...text.trim().split('\n')));
  }
  async ask(): Promise<string> {
    await until('the taker is ready', () => this.lines[0] === 'ready');
    const before = this.lines.length;
    this.process.stdin?.write('\n');
    await until('its answer', () => this.lines.length > before);
    return this.lines.at(-1) ?? '';
  }
  async kill(): Promise<void> {
    const closed = new Promise(resolve => this.process.once('close', resolve));
    this.process.kill('SIGKILL');
    await closed;
  }
}

describe('locks', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ebb-lock-'));
    path = join(folder, 'lock');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('of many who find a dead owner, exactly one wins, every time', async () => {
    const takers = Array.from({ length: 5 }, () => new Taker(path));
    try {
      for (let round = 0; round < 8; round++) {
        const answers = await Promise.all(takers.map(taker => taker.ask()));
        expect(answers.filter(answer => answer === 'won')).toHaveLength(1);
        const winner = answers.indexOf('won');
        expect(lockHolder(path)?.pid).toBe(takers[winner]?.process.pid);
        await takers[winner]?.kill();
        expect(lockHolder(path)).toBeNull();
        takers[winner] = new Taker(path);
      }
    } finally {
      for (const taker of takers) taker.process.kill('SIGKILL');
    }
  });

  it('names the owner it is refused for; a released lock is free and names nobody', async () => {
    const taker = new Taker(path);
    try {
      expect(await taker.ask()).toBe('won');
      expect(takeLock(path)).toEqual({
        ok: false,
        owner: {
          pid: taker.process.pid,
          started: startedAt(taker.process.pid ?? 0),
          version: EBB_VERSION,
        },
      });
    } finally {
      await taker.kill();
    }
    const lock = takeLock(path);
    if (!lock.ok) throw new Error('the lock of a dead owner was not taken over');
    lock.release();
    expect(readLock(path)).toBeNull();
    expect(takeLock(path).ok).toBe(true);
  });

  it("a second taker in one thread is the first's successor, whose late release does nothing", () => {
    const first = takeLock(path);
    expect(takeLock(path).ok).toBe(true);
    if (first.ok) first.release();
    expect(lockHolder(path)?.pid).toBe(process.pid);
  });

  it('an owner that ended and was not reaped holds nothing', async () => {
    // The shell starts a child and becomes one that never asks for its end.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    parent.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    try {
      await until('the child', () => output.includes('\n') && startedAt(Number(output)) !== '');
      const pid = Number(output);
      writeFileSync(path, JSON.stringify({ pid, started: startedAt(pid) }));
      expect(lockHolder(path)?.pid).toBe(pid);
      await until('it is a zombie', () => startedAt(pid) === '');
      process.kill(pid, 0); // still in the table: this throws where it is not
      expect(lockHolder(path)).toBeNull();
    } finally {
      parent.kill('SIGKILL');
    }
  });
});
