// Every command in the user's documents, as a reader types them one after another, on a service of its own. The Chinese
// ones have the same commands (test/unit/renderer/help.test.ts).
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildAll } from '../../build/build-all.ts';
import { repositoryRoot } from '../../build/layers.ts';
import { commandBlocks, HELP_PAGES, helpText } from '../support/documents.ts';
import { Ebb } from '../support/ebb.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

let folder: string;

beforeAll(async () => {
  await buildAll({ always: false });
  folder = mkdtempSync(join(tmpdir(), 'ebb-docs-'));
  mkdirSync(join(folder, 'bin'));
  const cli = join(repositoryRoot, 'dist', 'electron', 'shells', 'cli', 'main.js');
  writeFileSync(join(folder, 'bin', 'ebb'), `#!/bin/sh\nexec "${process.execPath}" "${cli}" "$@"\n`);
  chmodSync(join(folder, 'bin', 'ebb'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number | null;
  /** Each command as it was begun, and what it complained of. */
  readonly told: string;
}

function runLines(lines: string, cwd: string, dataFolder: string): Promise<Ran> {
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}`, EBB_DATA: dataFolder };
  const shell = spawn('sh', ['-e', '-x', '-c', lines], { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let told = '';
  shell.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  return new Promise(resolve => shell.once('close', code => resolve({ code, told })));
}

describe('the commands in the documents', () => {
  it.each(HELP_PAGES)('%s: each does what it is there for', async page => {
    const lines = commandBlocks(helpText(page, 'en')).join('\n');
    expect(lines.split('\n').filter(Boolean).length).toBeGreaterThan(4);
    const cwd = join(folder, page);
    mkdirSync(cwd);
    const data = join(cwd, 'd');
    const { code, told } = await runLines(lines, cwd, data);
    // Leaves nothing running, wherever it stopped.
    await (await Ebb.start(data)).dispose();
    expect(`${told}\nended with ${code}`).toMatch(/ended with 0$/);
  });
});
