import { createHash } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './run.mjs';

/**
 * One set-up of a checkout at a time: two at once would delete each other's node_modules. A file outside the checkout
 * names the process at work; the lock of a process that has died is taken over.
 */
export async function withLock(root, work) {
  const file = join(tmpdir(), `duestream-set-up-${createHash('sha256').update(root).digest('hex').slice(0, 12)}.lock`);
  await acquire(file);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

async function acquire(file) {
  for (let told = false; ; ) {
    if (create(file)) return;
    const holder = holderOf(file);
    if (holder === undefined) continue; // released in between
    if (!isAlive(holder)) {
      if (await takeOver(file)) return;
      continue;
    }
    if (!told) say(`waiting for another set-up of this checkout (process ${holder})`);
    told = true;
    await sleep(100);
  }
}

/** Linked, not written in place: the lock never exists without the number of its holder in it. */
function create(file) {
  const mine = writeMine(file);
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

function holderOf(file) {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Several may try: the last to rename its file there has the lock, and each looks after a moment who that was. */
async function takeOver(file) {
  renameSync(writeMine(file), file);
  await sleep(200);
  return holderOf(file) === process.pid;
}

function writeMine(file) {
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  return mine;
}
