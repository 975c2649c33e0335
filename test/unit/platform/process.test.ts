import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startedAt } from '../../../electron/platform/lock-owner.ts';
import { endProcess } from '../../../electron/platform/process.ts';
import { until } from '../../support/until.ts';

describe('processes', () => {
  it.each([
    ['spawnTied', false],
    ['spawnDetached', true],
  ])('%s: lives on after its starter was killed: %s', async (how, livesOn) => {
    const folder = mkdtempSync(join(tmpdir(), 'ebb-process-'));
    const module = new URL('../../../electron/platform/process.ts', import.meta.url).href;
    const script = `const { ${how} } = await import('${module}');
      const { id } = await ${how}('sleep', ['60'], '${join(folder, 'log')}');
      console.log(id.pid); setInterval(() => {}, 1000);`;
    const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    starter.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await until('the child', () => output.includes('\n'));
    const pid = Number(output);
    const started = startedAt(pid);
    expect(started).not.toBe('');
    await until('it is itself', () => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n');
    const ended = new Promise(resolve => starter.once('close', resolve));
    starter.kill('SIGKILL');
    await ended;
    if (livesOn) {
      expect(startedAt(pid)).toBe(started);
      endProcess({ pid, started }, 'SIGKILL');
    }
    await until('the child is gone', () => startedAt(pid) === '');
    rmSync(folder, { recursive: true, force: true });
  });
});
