// `npm run check`: format and lint, types of every layer, and the quick tests of direction, tidiness, golden
// copies, help pages and licences. One gate for every commit.
import { cpus } from 'node:os';
import { runTool, toolPath } from './process.ts';

const vitest = (paths: readonly string[]): readonly string[] => [
  'run',
  '--config',
  'build/vitest.config.ts',
  '--reporter=dot',
  ...paths,
];

const steps: readonly { readonly name: string; readonly tool: string; readonly args: readonly string[] }[] = [
  { name: 'format and lint', tool: 'biome', args: ['check', '--error-on-warnings', '.'] },
  { name: 'types: services', tool: 'tsc', args: ['-p', 'tsconfig.json'] },
  { name: 'types: shared alone', tool: 'tsc', args: ['-p', 'shared'] },
  { name: 'types: renderer', tool: 'tsc', args: ['-p', 'renderer'] },
  { name: 'types: tests', tool: 'tsc', args: ['-p', 'test'] },
  {
    name: 'direction, tidy, golden, help pages, licences',
    tool: 'vitest',
    args: vitest([
      'test/layers.test.ts',
      'test/tidy.test.ts',
      'test/golden',
      'test/unit/renderer/help.test.ts',
      'test/unit/build/licences.test.ts',
    ]),
  },
];

let failed = 0;
for (const step of steps) {
  const { status, seconds } = await runTool(toolPath(step.tool), step.args);
  console.log(`check: ${step.name} ${status === 0 ? 'ok' : 'FAILED'} (${seconds.toFixed(1)} s)`);
  if (status !== 0) failed++;
}
console.log(`check: ${steps.length - failed} of ${steps.length} steps passed on ${cpus().length} cores`);
process.exit(failed === 0 ? 0 : 1);
