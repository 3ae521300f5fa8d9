import type { Verb, VerbGroup } from './command.js';

/** All verbs. Their modules are loaded when called: `--help` and `--version` load none of them, nor the library. */
export const verbs: readonly (Verb | VerbGroup)[] = [
  {
    name: 'add',
    usage: '<queue> <name> [payload]',
    summary: 'Add a task, due now or later',
    load: async () => (await import('./commands/add.js')).command,
  },
  {
    name: 'import',
    usage: '<queue> [file]',
    summary: 'Add tasks from a file or stdin, one JSON object a line',
    load: async () => (await import('./commands/import.js')).command,
  },
  {
    name: 'worker',
    usage: '<queue..>',
    summary: 'Run the tasks of one or more queues',
    load: async () => (await import('./commands/worker.js')).command,
  },
  {
    name: 'leader',
    usage: '<queue..>',
    summary: 'Only lead: move due tasks to the workers',
    load: async () => (await import('./commands/leader.js')).command,
  },
  {
    name: 'stats',
    usage: '[queue]',
    summary: 'How many tasks are in each state, in one queue or all',
    load: async () => (await import('./commands/stats.js')).command,
  },
  {
    name: 'task',
    summary: 'Look at, cancel, reschedule or run one task',
    verbs: [
      { name: 'get', usage: '<queue> <id>', summary: 'Show a task', load: async () => (await task()).get },
      { name: 'list', usage: '<queue>', summary: 'List tasks of one state', load: async () => (await task()).list },
      { name: 'cancel', usage: '<queue> <id>', summary: 'Cancel a task', load: async () => (await task()).cancel },
      {
        name: 'reschedule',
        usage: '<queue> <id>',
        summary: 'Give a waiting task another time',
        load: async () => (await task()).reschedule,
      },
      {
        name: 'run',
        usage: '<queue> <id>',
        summary: 'Make a task due at once',
        load: async () => (await task()).runNow,
      },
    ],
  },
  {
    name: 'dead',
    summary: 'Dead letters: tasks that were given up',
    verbs: [
      { name: 'list', usage: '<queue>', summary: 'List dead letters', load: async () => (await dead()).list },
      {
        name: 'show',
        usage: '<queue> <id>',
        summary: 'Show a letter and its errors',
        load: async () => (await dead()).show,
      },
      {
        name: 'replay',
        usage: '<queue> <id>',
        summary: 'Make it a task again',
        load: async () => (await dead()).replay,
      },
      { name: 'purge', usage: '<queue> [id]', summary: 'Throw letters away', load: async () => (await dead()).purge },
    ],
  },
  {
    name: 'queue',
    summary: 'Create, grow, pause and resume a queue',
    verbs: [
      {
        name: 'create',
        usage: '<queue>',
        summary: 'Settle its number of partitions',
        load: async () => (await queue()).create,
      },
      {
        name: 'grow',
        usage: '<queue>',
        summary: 'Give it more partitions, at work',
        load: async () => (await queue()).grow,
      },
      { name: 'pause', usage: '<queue>', summary: 'Hand out nothing more', load: async () => (await queue()).pause },
      { name: 'resume', usage: '<queue>', summary: 'Hand out again', load: async () => (await queue()).resume },
    ],
  },
  {
    name: 'schedule',
    summary: 'Recurring tasks: create, look at, pause and delete schedules; see when they would run',
    verbs: [
      {
        name: 'create',
        usage: '<queue> <schedule> <name> [payload]',
        summary: 'Have a task added at each time of a rule',
        load: async () => (await import('./commands/schedule-create.js')).create,
      },
      {
        name: 'apply',
        usage: '<queue> <file>',
        summary: 'Make the schedules those of a YAML or JSON file',
        load: async () => (await import('./commands/schedule-apply.js')).apply,
      },
      { name: 'list', usage: '<queue>', summary: 'All schedules', load: async () => (await views()).list },
      {
        name: 'show',
        usage: '<queue> <schedule>',
        summary: 'What comes, what was, what was left out and why',
        load: async () => (await views()).show,
      },
      {
        name: 'pause',
        usage: '<queue> <schedule>',
        summary: 'Fire nothing until it is resumed',
        load: async () => (await control()).pause,
      },
      { name: 'resume', usage: '<queue> <schedule>', summary: 'Go on', load: async () => (await control()).resume },
      {
        name: 'trigger',
        usage: '<queue> <schedule>',
        summary: 'Its task once, now',
        load: async () => (await control()).trigger,
      },
      {
        name: 'backfill',
        usage: '<queue> <schedule>',
        summary: 'Add what was not fired in a range of time',
        load: async () => (await import('./commands/schedule-backfill.js')).backfill,
      },
      {
        name: 'delete',
        usage: '<queue> <schedule>',
        summary: 'Take it away',
        load: async () => (await control()).remove,
      },
      {
        name: 'preview',
        usage: '',
        summary: 'The times of a rule, worked out here and now, without Redis',
        load: async () => (await import('./commands/schedule-preview.js')).preview,
      },
    ],
  },
  {
    name: 'leader-status',
    usage: '<queue>',
    summary: 'Who leads a queue; ask it to resign',
    load: async () => (await import('./commands/leader-status.js')).command,
  },
  {
    name: 'doctor',
    usage: '[queue]',
    summary: 'Check Redis and the queues; exit 1 when something is wrong',
    load: async () => (await import('./commands/doctor.js')).command,
  },
  {
    name: 'demo',
    usage: '',
    summary: 'Watch leaders and workers at work, on a Redis of its own',
    load: async () => (await import('./commands/demo.js')).command,
  },
  {
    name: 'verify',
    usage: '',
    summary: 'Break processes, network and Redis on purpose, and check that every promise held',
    load: async () => (await import('./commands/verify.js')).command,
  },
];

const task = (): Promise<typeof import('./commands/task.js')> => import('./commands/task.js');
const dead = (): Promise<typeof import('./commands/dead.js')> => import('./commands/dead.js');
const queue = (): Promise<typeof import('./commands/queue.js')> => import('./commands/queue.js');
const views = (): Promise<typeof import('./commands/schedule-views.js')> => import('./commands/schedule-views.js');
const control = (): Promise<typeof import('./commands/schedule-control.js')> =>
  import('./commands/schedule-control.js');
