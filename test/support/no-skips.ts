import type { Reporter, TestModule, Vitest } from 'vitest/node';

/**
 * With CI set, a skipped test is a failure: what a machine lacks must be installed there, not left untested.
 * Elsewhere a test may skip itself where its tool is missing.
 */
export class NoSkips implements Reporter {
  #filtered = false;

  onInit(vitest: Vitest): void {
    this.#filtered = vitest.config.testNamePattern !== undefined; // then skips are what was asked for
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const { CI = 'false' } = process.env;
    if (CI === 'false' || CI === '' || this.#filtered) return;
    const skipped = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map((test) => `  ${module.relativeModuleId} > ${test.fullName}`),
    );
    if (skipped.length === 0) return;
    process.stderr.write(`\nCI is set, and these tests were skipped, which counts as failed:\n${skipped.join('\n')}\n`);
    process.exitCode = 1;
  }
}
