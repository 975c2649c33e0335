import { runSuites } from './suite-runner.ts';

await runSuites('guest', process.argv.slice(2));
process.exit(0);
