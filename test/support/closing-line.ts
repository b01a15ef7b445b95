// A reporter that ends the output with one line that is easy to find and to parse: `N passed, N failed, N skipped`.
import type { SerializedError } from 'vitest';
import type { Reporter, TestModule } from 'vitest/node';

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const { passed, failed, skipped } = count(modules, unhandled.length);
    // Other reporters may still have something to say, and so may the teardown: the last word is at the exit. Its code
    // also tells of what failed outside of all test files, such as the global setup.
    process.once('exit', (code) => {
      const failures = code === 0 ? failed : Math.max(failed, 1);
      process.stdout.write(`${passed} passed, ${failures} failed, ${skipped} skipped\n`);
    });
  }
}

/**
 * Counts tests. What fails outside of a test (a file that does not load, a hook, a rejection nobody handles) counts as
 * one failed test, so that a run that failed never says `0 failed`.
 */
function count(modules: readonly TestModule[], unhandled: number) {
  const sum = { passed: 0, failed: unhandled, skipped: 0 };
  for (const module of modules) {
    sum.failed += module.errors().length;
    for (const suite of module.children.allSuites()) sum.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      sum[state === 'pending' ? 'skipped' : state] += 1;
    }
  }
  return sum;
}
