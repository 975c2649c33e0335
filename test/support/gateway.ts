// The real browser gateway over a real control, and its one-use link.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../../build/layers.ts';
import { waitFor } from './ebb.ts';

export async function startGateway(
  dataFolder: string,
  more: readonly string[] = [],
): Promise<{ url: string; gateway: ChildProcess }> {
  const main = join(repositoryRoot, 'electron', 'shells', 'headless', 'main.ts');
  const gateway = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', main, '--data', dataFolder, ...more],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let printed = '';
  gateway.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const url = await waitFor('the link', () => /http:\/\/\S+/.exec(printed)?.[0]);
  return { url, gateway };
}
