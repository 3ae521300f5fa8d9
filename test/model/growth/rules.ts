/** The rules of growing, each in a sentence. Every one can be taken away, alone or with others, to see what it is for. */
export const sentences = {
  otherRefused: 'a partition takes no add of another layout than it has',
  laneFirst: 'an add that is repeated gets its first answer, though the queue has grown since',
  addBound: 'an add is bound to the layout in which its place was found',
  sameCallAgain: 'an add or replay that met a partition behind its layout is made again as the same call',
  looks: 'an id of its own is looked for where it lay before',
  lookIsStrict: 'such a look is answered in the layout of who asks only: first the partition is brought up',
  bareRefused: 'a partition that has no layout is not used in a growing one',
  bareAsks: 'no partition but the first takes its first layout from an add',
  cancelIsStrict: 'a partition of another layout answers no cancel',
  asksFormer: 'a cancel looks where the task may have lain before',
  asksFirst: 'a cancel that found nothing has asked the first partition too',
  asksAgain: 'a cancel that found nothing while its process learned of a growth looks again',
  replayMoves: 'a dead letter becomes a task where that belongs by now',
  replayBound: 'a replay is bound to the layout in which its place was found',
  replayLaneFirst: 'a replay that is repeated gets its first answer, though the queue has grown since',
  moveAddsFirst: 'a replay that moves adds the task before the letter goes',
  rootFirst: 'a growth begins at the first partition',
  oldFirst: 'a new partition is brought up after those it was split from',
  isAfterOnly: 'nobody goes back from a layout to one before it',
  endIsOurs: 'a first partition that lost the end of a growth is told of it again',
  fromCompared: 'a partition is grown only from the layout it is taken to have',
  newWaits: 'a new partition waits',
  waitsAsQueue: 'a new partition that is released becomes what its queue is, paused or not',
  pauseSaysWaits: 'pause and resume of a partition that waits say what it becomes',
  pauseIsStrict: 'a partition of another layout takes no pause or resume',
  pauseAgain: 'a pause or resume that learned of a growth is told to all partitions again',
  releaseAfter: 'a new partition is released when those it was split from have handed out',
  askIsStrict: 'only a partition that has the layout says that it has handed out',
  dueCounts: 'what is due by the split and still in the schedule counts as not handed out',
  streamCounts: 'what is in the stream by then and unread counts as not handed out',
  waitingIsNotDone: 'a partition that waits itself has not handed out',
  splitAnew: 'a partition that grows again has anew to hand out what is due by then',
  releasedAgain: 'a partition that came back as a new one is released again',
  releaseIsStrict: 'only a partition that has the layout is released',
  endReleases: 'the end of a growth releases what still waits',
  walkStays: 'the walk stays at a page that has a task which belongs elsewhere',
  walkAnew: 'the walk begins anew when the queue grows again',
  walkIsStrict: 'the walk reads only a partition that has the layout',
} as const;

export type Rule = keyof typeof sentences;
export type Rules = Readonly<Record<Rule, boolean>>;

export const allRules: readonly Rule[] = Object.keys(sentences) as Rule[];

/** Found by this search: holes in the contract that the code still has. */
export const notYet: readonly Rule[] = ['bareAsks', 'oldFirst'];

export function rulesWithout(removed: readonly Rule[]): Rules {
  return Object.fromEntries(allRules.map((rule) => [rule, !removed.includes(rule)])) as Record<Rule, boolean>;
}
