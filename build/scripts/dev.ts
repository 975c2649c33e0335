// `npm run dev`: rebuilds the renderer on change, and runs the headless shell from source, restarting it on
// change. Control and storage run detached and are never restarted under running VMs: `ebb quit` ends them.
import { spawn } from 'node:child_process';
import { repositoryRoot } from '../layers.ts';
import { toolPath } from './process.ts';

const children = [
  spawn(toolPath('vite'), ['build', '--config', 'build/vite.config.ts', '--watch'], {
    cwd: repositoryRoot,
    stdio: 'inherit',
  }),
  spawn(process.execPath, ['--watch', 'electron/shells/headless/main.ts', ...process.argv.slice(2)], {
    cwd: repositoryRoot,
    stdio: 'inherit',
  }),
];
for (const child of children) child.on('close', code => process.exit(code ?? 1));
process.on('SIGINT', () => {
  for (const child of children) child.kill();
});
