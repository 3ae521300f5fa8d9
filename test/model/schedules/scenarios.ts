import type { Bounds } from './state.js';

const none = { growths: 0, leaders: 2, copies: 0, deletions: 0, creations: 0, hours: 0 };

/** Small worlds: each fault once or twice, seldom all kinds together. */
export const scenarios: Readonly<Record<string, Bounds>> = {
  'two lead': { end: 3, left: { ...none, copies: 2 } },
  'it is taken away and made anew': { end: 3, left: { ...none, copies: 1, deletions: 1, creations: 1 } },
  'the queue grows': { end: 2, left: { ...none, growths: 1, copies: 1 } },
  'the queue grows, and it is taken away': { end: 2, left: { ...none, growths: 1, deletions: 1, creations: 1 } },
  'the queue grows, it is taken away, copies come late': {
    end: 1,
    left: { ...none, growths: 1, copies: 1, deletions: 1 },
  },
  'the queue grows, it is taken away, and a leader sleeps for an hour': {
    end: 1,
    left: { ...none, growths: 1, deletions: 1, hours: 1 },
  },
  'the queue grows twice': { end: 2, left: { ...none, growths: 2 } },
};
