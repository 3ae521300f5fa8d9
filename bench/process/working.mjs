import { setTimeout as sleep } from 'node:timers/promises';
import { systems } from '../systems/systems.mjs';
import { Recorder } from './recorder.mjs';

/** What a worker process answers to. */

let recorder;
let worker;
const errors = [];

/** Starts to work; a handler does nothing, or with `sleepMs` sleeps that long. */
async function begin({ system, capacity, sleepMs, ...options }) {
  recorder = new Recorder(capacity);
  const nothing = (payload) => recorder.start(payload.i);
  const slow = async (payload) => {
    recorder.start(payload.i);
    await sleep(sleepMs);
    recorder.end();
  };
  const onError = (error) => errors.push(String(error?.message ?? error));
  worker = await systems[system].worker({ ...options, handler: sleepMs ? slow : nothing, onError });
}

const untilRan = ({ count }) => recorder.untilRan(count);

const report = () => ({ ...recorder.report(), errors });

const close = () => worker?.close();

export const working = { begin, untilRan, report, close };
