import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from '../clock.mjs';
import { payloadOf, payloadsOf } from '../payload.mjs';
import { systems } from '../systems/systems.mjs';

/** What a producer process answers to. Payloads are made before the clock runs. */

let producer;
const chunk = 1_000;

async function begin({ system, ...options }) {
  producer = await systems[system].producer(options);
}

/** One awaited at a time. @returns how long it took, in ms */
async function addOneByOne({ from, count }) {
  const payloads = payloadsOf({ from, count });
  const startedMs = nowMs();
  for (const payload of payloads) await producer.add(payload);
  return nowMs() - startedMs;
}

/** So many at once, each lane adding its next when its last has returned. */
async function addInFlight({ from, count, lanes }) {
  const payloads = payloadsOf({ from, count });
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const payload = payloads[next];
      next += 1;
      await producer.add(payload);
    }
  };
  const startedMs = nowMs();
  await Promise.all(Array.from({ length: lanes }, lane));
  return nowMs() - startedMs;
}

async function addBulk({ from = 0, count, batch = chunk, bytes }) {
  const startedMs = nowMs();
  let madeMs = 0; // making payloads is not the system's work
  for (let at = 0; at < count; at += batch) {
    const madeFromMs = nowMs();
    const payloads = payloadsOf({ from: from + at, count: Math.min(batch, count - at), bytes });
    madeMs += nowMs() - madeFromMs;
    await producer.addMany(payloads);
  }
  return nowMs() - startedMs - madeMs;
}

/** Due from `leadMs` after now on, one every `spacingMs`. `dueMs` of the first, and when all were placed: wall clock. */
async function schedule({ from = 0, count, leadMs, spacingMs = 0 }) {
  const dueMs = Date.now() + leadMs;
  for (let at = 0; at < count; at += chunk) {
    const payloads = payloadsOf({ from: from + at, count: Math.min(chunk, count - at) });
    const items = payloads.map((payload, index) => ({ payload, atMs: dueMs + Math.floor((at + index) * spacingMs) }));
    await producer.schedule(items);
  }
  return { dueMs, placedMs: Date.now() };
}

/** One after the other, each after a random pause. @returns when each add was called, by the monotonic clock */
async function addWithPauses({ count, pauseMs: [low, high] }) {
  const calledMs = new Float64Array(count);
  for (let index = 0; index < count; index += 1) {
    await sleep(low + Math.random() * (high - low));
    const payload = payloadOf(index);
    calledMs[index] = nowMs();
    await producer.add(payload);
  }
  return calledMs;
}

const close = () => producer?.close();

export const producing = { begin, addOneByOne, addInFlight, addBulk, schedule, addWithPauses, close };
