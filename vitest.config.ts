import { availableParallelism } from 'node:os';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { NoSkips } from './test/support/no-skips.js';

/** Where .ci/run wants the counts; nobody else sets it. */
const resultFile = process.env['DUESTREAM_TEST_RESULT'];

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/built-package.ts'],
    // Processes, not threads: tests send signals, and start processes that do. They mostly wait for Redis, so two at
    // a time are right even on one core.
    pool: 'forks',
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 30_000,
    reporters: ['default', new NoSkips(), ...(resultFile ? ['json'] : [])],
    ...(resultFile ? { outputFile: { json: resultFile } } : {}),
  },
});

export default config;
