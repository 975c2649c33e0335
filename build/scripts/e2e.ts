// `npm run e2e`: the browser journeys alone.
import { runTool, toolPath } from './process.ts';

const args = [
  'run',
  '--config',
  'build/vitest.config.ts',
  '--no-file-parallelism',
  'test/e2e',
  ...process.argv.slice(2),
];
process.exit((await runTool(toolPath('vitest'), args)).status);
