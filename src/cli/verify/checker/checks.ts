import { oneAnswer } from './answers.js';
import { conserve, quiesce } from './balance.js';
import type { Check } from './check-result.js';
import { metrics } from './counters.js';
import { lateness, noEarly } from './due-times.js';
import { settleUnique } from './ends.js';
import { failover } from './failovers.js';
import { fence, oneLeaderPerTerm, staleRefused, termMono } from './leaders.js';
import { oneOccurrence } from './occurrences.js';
import { clientSane, held } from './processes.js';
import { ran } from './ran.js';
import { recover } from './recovery.js';
import { attemptMono, dupExplained } from './starts.js';
import { noGhost, noLoss } from './tasks-kept.js';
import { trustDisjoint } from './trust.js';

export type CheckName =
  | 'NO_LOSS'
  | 'NO_GHOST'
  | 'NO_EARLY'
  | 'DUP_EXPLAINED'
  | 'ATTEMPT_MONO'
  | 'SETTLE_UNIQUE'
  | 'RAN'
  | 'ONE_ANSWER'
  | 'ONE_OCCURRENCE'
  | 'STALE_REFUSED'
  | 'TERM_MONO'
  | 'ONE_LEADER_PER_TERM'
  | 'FENCE'
  | 'CONSERVE'
  | 'QUIESCE'
  | 'RECOVER'
  | 'LATENESS'
  | 'TRUST_DISJOINT'
  | 'HELD'
  | 'CLIENT_SANE'
  | 'METRICS'
  | 'FAILOVER';

/** Everything that a campaign has to show, by its name. */
export const checks: Readonly<Record<CheckName, Check>> = {
  NO_LOSS: noLoss,
  NO_GHOST: noGhost,
  NO_EARLY: noEarly,
  DUP_EXPLAINED: dupExplained,
  ATTEMPT_MONO: attemptMono,
  SETTLE_UNIQUE: settleUnique,
  RAN: ran,
  ONE_ANSWER: oneAnswer,
  ONE_OCCURRENCE: oneOccurrence,
  STALE_REFUSED: staleRefused,
  TERM_MONO: termMono,
  ONE_LEADER_PER_TERM: oneLeaderPerTerm,
  FENCE: fence,
  CONSERVE: conserve,
  QUIESCE: quiesce,
  RECOVER: recover,
  LATENESS: lateness,
  TRUST_DISJOINT: trustDisjoint,
  HELD: held,
  CLIENT_SANE: clientSane,
  METRICS: metrics,
  FAILOVER: failover,
};
