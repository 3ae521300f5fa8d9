/**
 * The quick form of the fault campaign, as a user starts it: real processes, a real Redis, real signals. What has a
 * time is not judged here; `npm run verify` judges it.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Verdict } from '../../src/cli/verify/checker/check.js';
import { Command } from '../support/cli.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis({ port: 'free' });
const timeout = 300_000;

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'duestream-campaign-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What it says on stdout, and how it ended. */
async function verify(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const command = new Command(['verify', '--quick', ...args], { cwd: tmpdir() });
  command.process.stdin?.end();
  onTestFinished(() => void command.process.kill('SIGKILL'));
  return command.ended;
}

function verdictOf({ stdout, stderr }: { stdout: string; stderr: string }): Verdict {
  if (stdout === '') throw new Error(`no verdict: ${stderr}`);
  return JSON.parse(stdout) as Verdict;
}

const brokenIn = ({ results, sometimes }: Verdict): unknown => [
  ...results.filter(({ held }) => !held),
  ...sometimes.filter(({ held }) => !held),
];

test('every promise holds through half a minute of all faults, two at a time', { timeout }, async () => {
  const { code, ...said } = await verify('--seed', '1', '--seconds', '30', '--json');
  const verdict = verdictOf(said);
  expect(brokenIn(verdict)).toEqual([]);
  expect(code).toBe(0);
  expect(verdict.figures['faults']).toBeGreaterThan(5);
  expect(verdict.figures['completed']).toBeGreaterThan(1_000);
});

test("on somebody's Redis it harms nothing, and leaves nothing behind", { timeout }, async () => {
  const { code, ...said } = await verify('--redis', redis().url, '--seconds', '6', '--rate', '60', '--json');
  const verdict = verdictOf(said);
  expect(brokenIn(verdict)).toEqual([]);
  expect(code).toBe(0);
});

test('a history is kept where it was asked for, and judged again', { timeout }, async () => {
  const folder = newFolder();
  const first = await verify('--faults', 'none', '--seconds', '1', '--rate', '30', '--history', folder, '--json');
  expect(first.code).toBe(0);
  expect(readdirSync(join(folder, 'seed-1'))).toContain('nemesis.jsonl');
  const again = await verify('--check', join(folder, 'seed-1'), '--json');
  expect(verdictOf(again)).toEqual(verdictOf(first));
});
