import { msText } from './lateness.js';
import type { LeaderNews } from './records.js';
import type { TakeOver } from './verdict.js';
import type { ServerInstant } from '../../testing.js';

/** What is known of a candidate. */
interface Candidate {
  readonly name: string;
  readonly wasKilled: boolean;
}

/** Who leads, by what the candidates tell, and how the leadership changed hands. */
export class Leading {
  #leader: Candidate | undefined;
  #takeOver: TakeOver = {};

  get leader(): Candidate | undefined {
    return this.#leader;
  }

  get takeOver(): TakeOver {
    return this.#takeOver;
  }

  /** Call it right before the leading process is killed: so it is never measured too short. */
  killedAt(at: ServerInstant): void {
    this.#takeOver = { killedAt: at };
    this.#leader = undefined;
  }

  /** What is worth telling of it. */
  hear(news: LeaderNews, from: Candidate): string | undefined {
    if (from.wasKilled) return undefined; // said before it died, and heard after
    switch (news.kind) {
      case 'elected':
        return this.#elected(news.at, from);
      case 'promoted':
        if (this.#takeOver.electedAt && !this.#takeOver.promotedAt) {
          this.#takeOver = { ...this.#takeOver, promotedAt: news.at };
        }
        return undefined;
      case 'stepped_down':
        if (this.#leader === from) this.#leader = undefined;
        return `${from.name} leads no more: ${news.reason}`;
    }
  }

  #elected(at: ServerInstant, from: Candidate): string {
    const { killedAt, electedAt } = this.#takeOver;
    this.#leader = from;
    if (!killedAt || electedAt || at.ms < killedAt.ms) return `${from.name} leads`;
    this.#takeOver = { killedAt, electedAt: at };
    return `${from.name} leads, ${msText(at.ms - killedAt.ms)} after the kill`;
  }
}
