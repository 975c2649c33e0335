import { runSuites } from './suite-runner.ts';

await runSuites('sim', process.argv.slice(2));
process.exit(0);
