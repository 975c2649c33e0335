// `npm run dist`: packages by electron-builder. The Electron runtime comes from outside the npm registry; where it
// cannot be had, say so and stop before electron-builder's own long time-out.
import { existsSync } from 'node:fs';
import { buildAll } from '../build-all.ts';
import { electronRuntime } from '../electron-runtime.ts';
import { runTool, toolPath } from './process.ts';

await buildAll({ always: true });
const runtime = electronRuntime();
if (!existsSync(runtime.executable)) {
  console.error(`dist: no Electron runtime (${runtime.reason}). dist/ is built; nothing was packaged.`);
  process.exit(1);
}
const { status } = await runTool(toolPath('electron-builder'), [
  '--config',
  'build/electron-builder.json',
  ...process.argv.slice(2),
]);
process.exit(status);
