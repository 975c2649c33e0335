// Runs the tools of this repository and waits for them.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../layers.ts';

export const toolPath = (name: string): string => join(repositoryRoot, 'node_modules', '.bin', name);

export interface Ran {
  readonly status: number;
  readonly seconds: number;
}

/** Runs a tool with inherited output to its end. Rejects when it cannot be started. */
export function runTool(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ran> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: repositoryRoot,
      stdio: 'inherit',
      env: { ...process.env, ...env },
    });
    child.on('error', reject);
    child.on('close', code => resolve({ status: code ?? 1, seconds: (performance.now() - started) / 1000 }));
  });
}
