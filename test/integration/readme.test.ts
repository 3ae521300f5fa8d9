/** The README's first program runs as it stands there, in a folder as a user has it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Program, root, UserFolder } from '../support/program.js';
import { useRedis } from '../support/redis.js';

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const redis = useRedis();

function firstProgram(): string {
  const [, code] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  if (code === undefined) throw new Error('README.md has no ```js block');
  return code;
}

test("the README's first program greets both, neither early, and ends well on SIGTERM", async () => {
  const folder = new UserFolder();
  onTestFinished(() => folder.remove());
  writeFileSync(join(folder.path, 'first.mjs'), firstProgram());
  const program = new Program([process.execPath, 'first.mjs'], { cwd: folder.path, env: { REDIS_URL: redis().url } });
  onTestFinished(() => program.kill());
  await program.line(/^hello ann@example\.com, \d+ ms after it was due$/);
  await program.line(/^hello bob@example\.com, \d+ ms after it was due$/); // a minus would not fit
  expect(await program.stop()).toBe(0);
  expect(program.lines).toHaveLength(2);
});

test("the README's first program fits on a screen", () => {
  expect(firstProgram().split('\n').length).toBeLessThanOrEqual(22);
});
