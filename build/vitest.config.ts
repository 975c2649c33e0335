import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  // The desktop shell is executed with a stand-in for the runtime, which no closed network can fetch.
  resolve: { alias: { electron: new URL('../test/support/fake-electron.ts', import.meta.url).pathname } },
  test: {
    globalSetup: new URL('../test/support/run-folder.ts', import.meta.url).pathname,
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
