/** The rules of the contract, each in a sentence. Every one can be taken away, alone or with others, to see what it is for. */
export const sentences = {
  openChecksOwner: 'open starts only what is pending with the consumer that asks',
  openChecksCount: 'open starts only what was delivered once',
  openChecksLive: 'open and recover start an entry only while live[id] is its own number',
  openPutsBack: 'open puts an entry back when the queue is paused',
  openLooksAtExpiry: 'open ends what has expired',
  settleChecksOwner: 'settle is refused to all but the owner of the delivery',
  settleChecksCount: 'settle is refused when the delivery count has moved on',
  settleChecksLive: 'settle is refused when live[id] is another entry',
  beatChecksOwner: 'a beat extends only what is still its own delivery',
  handBackChecksDelivery: 'hand-back is refused to all but the owner of this very delivery',
  freshName: 'a consumer has a new name for every connection',
  ownHistoryUnread: 'a consumer never reads its own history',
  ownersLease: "recovery counts the owner's lease, not its own",
  recoverLooksAtExpiry: 'recovery ends what has expired and was never opened',
  groupNoticed: 'whose group was made anew while it could not read takes a new name too',
  hold: 'after an outage what has a lease is held for one lease',
  holdGoesOn: 'an outage within the hold of another counts from the start of the first',
  leaseRunsOut: 'recovery takes only what was silent for longer than a lease',
  heartbeatStops: 'the heartbeat of a delivery whose end cannot be written stops',
  cancelEndsEntry: 'cancel ends the entry with the record',
  rescheduleEndsEntry: 'reschedule ends the entry of a ready task',
  rescheduleRefusesActive: 'reschedule refuses a task at work',
  addClearsLive: 'an add to the schedule clears a live field that outlived its record',
  addChecksRecord: 'an add of an id that lives changes nothing',
  recordLast: 'add writes the record last',
  recordFirst: 'a settle removes the record before it ends the entry',
  xaddFirst: 'promote adds to the stream before it removes from the schedule',
  firstAnswerKept: 'the same call again has no effect and gets its first answer',
  lowerNumberRefused: 'a call with a lower number than its lane has seen is refused',
  lanesOutliveCalls: 'a lane is forgotten only when its calls are repeated no more',
  fenceEqual: 'a leader writes only when its term equals the stored one',
  fenceToken: 'a leader writes only when its token equals the stored one',
  leadCompares: 'a term is taken by compare-and-set on the epoch read before the bid',
  promoteDropsLive: 'promote drops a due member whose id is live',
  promoteDropsBare: 'promote drops a due member without a record',
  noExpiryAtWork: 'what is pending does not expire',
  sweep: 'a record that is placed nowhere is put back',
  sweepLeavesPending: 'the sweep leaves alone what is pending, even when its entry is gone',
  numberedLetters: 'dead letters have numbers of their own',
  replayInOneScript: 'replay looks whether the id lives before the letter goes',
  recordsStayWhole: 'no script decodes and encodes a record',
} as const;

export type Rule = keyof typeof sentences;
export type Rules = Readonly<Record<Rule, boolean>>;

export const allRules: readonly Rule[] = Object.keys(sentences) as Rule[];

/** Found by this search: holes in the contract that the scripts and the consumer still have. */
export const notYet: readonly Rule[] = ['recoverLooksAtExpiry'];

export function rulesWithout(removed: readonly Rule[]): Rules {
  return Object.fromEntries(allRules.map((rule) => [rule, !removed.includes(rule)])) as Record<Rule, boolean>;
}
