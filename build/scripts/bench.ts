import { runSuites } from './suite-runner.ts';

await runSuites('bench', process.argv.slice(2));
process.exit(0);
