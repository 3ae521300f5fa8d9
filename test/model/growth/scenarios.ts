/** Small worlds, each with what one part of a growth is there for. What is not named does not happen. */
import { type World, world } from './world.js';

export const scenarios: Readonly<Record<string, World>> = {
  'two add an id and cancel it': world({
    producers: [
      [
        ['learn', 0],
        ['add', 0],
        ['cancel', 0],
      ],
      [
        ['cancel', 0],
        ['add', 0],
      ],
    ],
    left: { lost: 1 },
  }),
  'calls are repeated, copies come late': world({
    producers: [
      [
        ['learn', 0],
        ['add', 0],
      ],
      [['add', 0]],
    ],
    left: { lost: 1, copies: 1 },
  }),
  'who knows less cancels what is new': world({
    producers: [
      [
        ['learn', 0],
        ['new', 0],
      ],
      [['cancel', 0]],
    ],
    left: { lost: 1 },
  }),
  'an id is added while it runs': world({
    producers: [[['add', 0]], [['add', 0]]],
    works: true,
    ends: ['complete'],
    left: { lost: 1 },
  }),
  'a partition was not used yet': world({
    bare: [1],
    producers: [
      [
        ['add', 0],
        ['cancel', 0],
      ],
      [['add', 0]],
    ],
    left: { lost: 1 },
  }),
  'what was due before goes first': world({
    keys: [3, 3, 1],
    tasks: [
      { id: 0, in: 'stream' },
      { id: 2, in: 'due' },
    ],
    producers: [[['add', 1]]],
    hasLeader: true,
    works: true,
    ends: ['complete'],
  }),
  'the past is forgotten': world({
    keys: [1, 3],
    tasks: [
      { id: 0, in: 'later' },
      { id: 1, in: 'later' },
    ],
    producers: [
      [
        ['cancel', 1],
        ['later', 1],
      ],
      [['later', 1]],
    ],
    hasLeader: true,
  }),
  'it is paused and resumed': world({
    layout: '1/1',
    partitions: [0, 1],
    growers: [2],
    keys: [1],
    producers: [[['new', 0]]],
    hasLeader: true,
    works: true,
    ends: ['complete'],
    pauses: [true, false],
  }),
  'it is paused, and somebody is slow to bring up a partition': world({
    layout: '1/1',
    partitions: [0, 1],
    growers: [2],
    keys: [1],
    producers: [[['new', 0]]],
    hasLeader: true,
    works: true,
    ends: ['complete'],
    pauses: [true],
    left: { lateBrings: 1 },
  }),
  'it is resumed': world({
    layout: '1/1',
    partitions: [0, 1],
    growers: [2],
    keys: [1, 1],
    tasks: [{ id: 0, in: 'due' }],
    producers: [[['new', 1]]],
    hasLeader: true,
    works: true,
    ends: ['complete'],
    pauses: [false],
    isPaused: true,
  }),
  'a dead letter is replayed': world({
    letters: [0],
    producers: [
      [['replay', 0]],
      [
        ['learn', 0],
        ['add', 0],
      ],
    ],
    left: { lost: 1 },
  }),
  'a dead letter is replayed by two': world({
    letters: [0],
    producers: [[['replay', 0]], [['replay', 0]]],
    left: { lost: 1 },
  }),
  'a dead letter that stays is replayed': world({
    keys: [1],
    letters: [0],
    producers: [
      [['replay', 0]],
      [
        ['add', 0],
        ['cancel', 0],
      ],
    ],
    left: { lost: 1, copies: 1 },
  }),
  'a task dies meanwhile': world({
    tasks: [{ id: 0, in: 'stream' }],
    producers: [[['replay', 0]], [['add', 0]]],
    works: true,
    ends: ['bury'],
    hasLeader: true,
  }),
  'a new partition loses all it has': world({
    layout: '1/1',
    partitions: [0, 1],
    growers: [2],
    keys: [1, 1],
    tasks: [{ id: 0, in: 'later' }],
    producers: [
      [
        ['learn', 0],
        ['new', 1],
      ],
    ],
    hasLeader: true,
    works: true,
    ends: ['complete'],
    mayLose: [1],
    left: { losses: 1, lateBrings: 1 },
  }),
  'an old partition loses all it has': world({
    producers: [[['add', 0]], [['add', 0]]],
    mayLose: [1],
    hasLeader: true,
    left: { losses: 1 },
  }),
  'it grows twice': world({
    layout: '1/1',
    keys: [3, 3],
    tasks: [{ id: 0, in: 'due' }],
    growers: [2, 4],
    producers: [[['new', 1]]],
    hasLeader: true,
    works: true,
    ends: ['complete'],
  }),
  'it grows again while there is a backlog': world({
    layout: '1/1',
    partitions: [0, 2],
    keys: [2, 2, 4],
    tasks: [
      { id: 0, in: 'later' },
      { id: 2, in: 'stream' },
    ],
    growers: [2, 4],
    producers: [[['new', 1]]],
    hasLeader: true,
    works: true,
  }),
  'an id is added while it grows twice': world({
    layout: '1/1',
    partitions: [0, 2],
    keys: [2],
    tasks: [{ id: 0, in: 'later' }],
    growers: [2, 4],
    producers: [
      [
        ['cancel', 0],
        ['later', 0],
      ],
      [['later', 0]],
    ],
    hasLeader: true,
  }),
  'two grow it at once': world({
    layout: '1/1',
    partitions: [0, 1, 2],
    keys: [5],
    growers: [2, 3],
    producers: [[['later', 0]], [['later', 0]]],
    hasLeader: true,
  }),
  'the first partition fails over, and what is new lies elsewhere': world({
    producers: [
      [
        ['learn', 0],
        ['new', 0],
      ],
    ],
    hasLeader: true,
    left: { failovers: 1 },
  }),
  'the first partition fails over': world({
    producers: [[['add', 0]], [['add', 0]]],
    hasLeader: true,
    left: { failovers: 1 },
  }),
};
