import type { Clock } from '../../clock.js';
import { DuestreamError, messageOf } from '../../errors.js';
import { isLasting, reasonOf } from '../call.js';
import type { ClusterAddress } from './cluster-options.js';
import { Question, type View } from './view.js';

export interface InquiryParts {
  /** Whom to ask, in this order. */
  nodes: readonly string[];
  /** What was told with a lower one is old. */
  epochMin: number;
  cluster: ClusterAddress;
  clock: Clock;
}

/** A node that says nothing for so long is not waited for any more before the next is asked as well. */
const patienceMs = 200;
const answerMs = 2_000;

/**
 * Asks one node after the other how the cluster stands, until one answers that is in touch with it and knows no less than
 * is known. A former master that was frozen, or is cut off, would lead everybody back to itself.
 */
export class Inquiry {
  readonly #parts: InquiryParts;
  readonly #questions: Question[] = [];
  readonly #errors: Error[] = [];
  #sound: View | undefined;
  #best: View | undefined;
  #isEnded = false;
  #tellFound: () => void = () => {};

  constructor(parts: InquiryParts) {
    this.#parts = parts;
  }

  /** The best view of those who answered. Rejects when nobody did: with what does not pass by itself, if that is why. */
  async run(): Promise<View> {
    const found = new Promise<void>((resolve) => {
      this.#tellFound = resolve;
    });
    const heard: Promise<void>[] = [];
    for (const node of this.#parts.nodes) {
      const answered = this.#ask(node);
      heard.push(answered);
      await atMost(this.#parts.clock, patienceMs, Promise.race([found, answered]));
      if (this.#sound || this.#isEnded) break;
    }
    await Promise.race([found, Promise.all(heard)]);
    this.end('another node has answered');
    return this.#sound ?? this.#best ?? this.#fail();
  }

  /** Waits for no answer any more. */
  end(reason: string): void {
    this.#isEnded = true;
    for (const question of this.#questions) question.end(reason);
  }

  async #ask(node: string): Promise<void> {
    const question = new Question(node, { ...this.#parts, timeoutMs: answerMs });
    this.#questions.push(question);
    try {
      const view = await question.answer;
      if (isBetter(view, this.#best)) this.#best = view;
      if (!view.isWell || view.epoch < this.#parts.epochMin) return;
      this.#sound ??= view;
      this.#tellFound();
    } catch (error) {
      this.#errors.push(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }

  #fail(): never {
    const lasting = this.#errors.find(isLasting);
    if (lasting instanceof DuestreamError) throw lasting;
    if (lasting) throw new DuestreamError('ERR_REDIS_REPLY', lasting.message, { cause: lasting });
    const [first] = this.#errors;
    throw new Error(`no node of the cluster answers: ${first ? reasonOf(first) : 'there is none'}`, { cause: first });
  }
}

function isBetter(view: View, than: View | undefined): boolean {
  if (than === undefined || view.isWell !== than.isWell) return than === undefined || view.isWell;
  return view.epoch > than.epoch;
}

/** Resolves when the work is done, or after `ms`. The work must not reject. */
async function atMost(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  let disarm = (): void => {};
  const timeIsUp = new Promise<void>((resolve) => {
    disarm = clock.after(ms, resolve);
  });
  await Promise.race([work, timeIsUp]);
  disarm();
}
