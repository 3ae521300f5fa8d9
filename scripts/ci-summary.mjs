/**
 * The closing line of .ci/run, out of the result file of the tests: node scripts/ci-summary.mjs <file> <exit status>.
 * A run that failed never says "0 failed", whatever it was that failed: a file that would not load, the set-up, the
 * check, a skipped test.
 */
import { readFileSync } from 'node:fs';

const [file, status] = process.argv.slice(2);

function countsIn(path) {
  try {
    const result = JSON.parse(readFileSync(path, 'utf8'));
    const skipped = result.numPendingTests + result.numTodoTests;
    return { passed: result.numPassedTests, failed: result.numFailedTests, skipped };
  } catch {
    return { passed: 0, failed: 0, skipped: 0 }; // the tests never ran
  }
}

const { passed, failed, skipped } = countsIn(file);
console.log(`${passed} passed, ${status === '0' ? failed : Math.max(1, failed)} failed, ${skipped} skipped`);
