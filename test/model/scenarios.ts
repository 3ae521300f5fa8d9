/** Small worlds, each with the faults that one part of the contract is there for. What is not named does not happen. */
import { type World, world } from './world.js';

export const scenarios: Readonly<Record<string, World>> = {
  'an id is added again': world({
    asked: [
      { by: 0, verb: 'add', times: 2 },
      { by: 0, verb: 'add', at: 2 },
      { by: 0, verb: 'cancel' },
    ],
    ends: ['complete', 'retry', 'bury'],
    handsBack: true,
    standsIn: true,
    left: { ticks: 3 },
  }),
  'one consumer, two slots': world({
    asked: [{ by: 0, verb: 'add', times: 2 }],
    leases: [1],
    slots: 2,
    ends: ['complete', 'retry'],
    handsBack: true,
    beats: true,
    left: { ticks: 4 },
  }),
  'two ids': world({
    ids: 2,
    asked: [
      { by: 0, verb: 'add', id: 0 },
      { by: 0, verb: 'add', id: 1, at: 1 },
      { by: 1, verb: 'cancel', id: 0 },
    ],
    slots: 2,
    ends: ['complete', 'retry'],
    handsBack: true,
    left: { ticks: 2 },
  }),
  'the due time is moved': world({
    asked: [
      { by: 0, verb: 'add' },
      { by: 0, verb: 'reschedule', at: 2 },
      { by: 1, verb: 'runNow' },
    ],
    ends: ['complete', 'retry'],
    left: { ticks: 2, lost: 1 },
  }),
  'replies are lost, copies come late': world({
    asked: [
      { by: 0, verb: 'add', times: 2 },
      { by: 0, verb: 'cancel' },
      { by: 1, verb: 'add' },
    ],
    ends: ['complete'],
    left: { lost: 1, copies: 1 },
  }),
  'a lane is forgotten': world({
    asked: [{ by: 0, verb: 'add', times: 2 }],
    leases: [1],
    left: { lost: 1, copies: 1, forgets: 1 },
  }),
  'a failover loses a suffix': world({
    asked: [{ by: 0, verb: 'add', times: 2 }],
    ends: ['complete', 'retry'],
    left: { ticks: 1, failovers: 1 },
  }),
  'a failover reissues an entry': world({
    asked: [{ by: 0, verb: 'add', times: 2 }],
    leases: [1],
    slots: 2,
    ends: ['complete', 'retry'],
    left: { failovers: 1, lost: 1 },
  }),
  // What they write does not matter here, only whether they may.
  'two bid for the lead': world({
    leases: [],
    leaders: 2,
    isSeated: false,
    left: { bids: 4, failovers: 1 },
  }),
  'a script is torn': world({
    asked: [
      { by: 0, verb: 'add' },
      { by: 0, verb: 'cancel' },
      { by: 0, verb: 'add', at: 1 },
    ],
    leases: [1],
    ends: ['complete', 'retry', 'bury'],
    left: { ticks: 2, torn: 1 },
  }),
  'a script is torn on the way': world({
    asked: [
      { by: 0, verb: 'add' },
      { by: 0, verb: 'reschedule', at: 1 },
    ],
    handsBack: true,
    left: { ticks: 2, torn: 1 },
  }),
  'an add of one of two is torn': world({
    ids: 2,
    asked: [
      { by: 0, verb: 'add', id: 0, at: 1 },
      { by: 1, verb: 'add', id: 1, at: 1 },
    ],
    leases: [1],
    left: { ticks: 1, torn: 1 },
  }),
  'a script is torn in a paused queue': world({
    asked: [{ by: 0, verb: 'add' }],
    ends: ['complete', 'retry'],
    handsBack: true,
    left: { ticks: 1, pauses: 1, torn: 1 },
  }),
  'the queue is paused': world({
    asked: [
      { by: 0, verb: 'add' },
      { by: 0, verb: 'add', at: 1 },
      { by: 1, verb: 'runNow' },
    ],
    ends: ['complete', 'retry'],
    handsBack: true,
    left: { ticks: 2, pauses: 1 },
  }),
  'tasks expire': world({
    asked: [
      { by: 0, verb: 'add', expires: 2, times: 2 },
      { by: 0, verb: 'add', at: 1, expires: 1 },
    ],
    ends: ['complete', 'retry'],
    left: { ticks: 4 },
  }),
  'Redis is frozen': world({
    asked: [{ by: 0, verb: 'add' }],
    leases: [3, 3],
    beats: true,
    freezeFor: 5,
    left: { ticks: 5, freezes: 1 },
  }),
  'Redis is frozen twice': world({
    asked: [{ by: 0, verb: 'add' }],
    leases: [3, 3],
    beats: true,
    freezeFor: 4,
    left: { ticks: 5, freezes: 2 },
  }),
  'leases differ': world({
    asked: [{ by: 0, verb: 'add' }],
    leases: [3, 1],
    beats: true,
    left: { ticks: 6 },
  }),
  'tasks die': world({
    asked: [
      { by: 0, verb: 'add', times: 2 },
      { by: 1, verb: 'replay' },
    ],
    ends: ['complete', 'bury'],
    lostMax: 1,
    left: { ticks: 2, lost: 1 },
  }),
  'the group is made anew': world({
    asked: [{ by: 0, verb: 'add', times: 2 }],
    ends: ['complete', 'retry'],
    left: { ticks: 1, groups: 1, reconnects: 1 },
  }),
  'the group is made anew while a consumer is busy': world({
    ids: 2,
    asked: [
      { by: 0, verb: 'add', id: 0 },
      { by: 0, verb: 'add', id: 1 },
    ],
    slots: 2,
    left: { groups: 1 },
  }),
  'somebody else writes to the keys': world({
    asked: [
      { by: 0, verb: 'add' },
      { by: 0, verb: 'add', at: 2 },
    ],
    ends: ['complete', 'retry'],
    hands: ['schedules it', 'adds a stray entry', 'trims the stream', 'makes the group anew at $'],
    left: { ticks: 3, hands: 1 },
  }),
  'an end cannot be written': world({
    asked: [{ by: 0, verb: 'add', times: 2 }],
    beats: true,
    left: { ticks: 3, stuck: 1 },
  }),
};
