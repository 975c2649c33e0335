// `npm run e2e`: the browser journeys alone.
import { buildAll } from '../build-all.ts';
import { runTool, toolPath } from './process.ts';

const args = [
  'run',
  '--config',
  'build/vitest.config.ts',
  '--no-file-parallelism',
  'test/e2e',
  ...process.argv.slice(2),
];
await buildAll({ always: false });
process.exit((await runTool(toolPath('vitest'), args)).status);
