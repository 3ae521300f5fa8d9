import type { Clock } from '../../clock.js';
import { DuestreamError, messageOf } from '../../errors.js';
import { isLasting, reasonOf } from '../call.js';
import type { ClusterAddress } from './cluster-options.js';
import { Question, type View } from './view.js';

export interface InquiryParts {
  /** Whom to ask, in this order. */
  nodes: readonly string[];
  cluster: ClusterAddress;
  clock: Clock;
}

/** A node that says nothing for so long is not waited for any more before the next is asked as well. */
const patienceMs = 200;
const answerMs = 2_000;

/** Asks one node after the other how the cluster stands, until one answers that is in touch with it. */
export class Inquiry {
  readonly #parts: InquiryParts;
  readonly #questions: Question[] = [];
  readonly #errors: Error[] = [];
  #sound: View | undefined;
  #unsound: View | undefined;
  #tellFound: () => void = () => {};

  constructor(parts: InquiryParts) {
    this.#parts = parts;
  }

  /** A sound view, else one that is not. Rejects when nobody answered: with what does not pass by itself, if that is why. */
  async run(): Promise<View> {
    const found = new Promise<void>((resolve) => {
      this.#tellFound = resolve;
    });
    const heard: Promise<void>[] = [];
    for (const node of this.#parts.nodes) {
      const answered = this.#ask(node);
      heard.push(answered);
      await atMost(this.#parts.clock, patienceMs, Promise.race([found, answered]));
      if (this.#sound) break;
    }
    await Promise.race([found, Promise.all(heard)]);
    this.end('another node has answered');
    return this.#sound ?? this.#unsound ?? this.#fail();
  }

  /** Waits for no answer any more. */
  end(reason: string): void {
    for (const question of this.#questions) question.end(reason);
  }

  async #ask(node: string): Promise<void> {
    const question = new Question(node, { ...this.#parts, timeoutMs: answerMs });
    this.#questions.push(question);
    try {
      const view = await question.answer;
      if (!view.isSound) this.#unsound = view;
      else {
        this.#sound ??= view;
        this.#tellFound();
      }
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

/** Resolves when the work is done, or after `ms`. The work must not reject. */
async function atMost(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  let disarm = (): void => {};
  const timeIsUp = new Promise<void>((resolve) => {
    disarm = clock.after(ms, resolve);
  });
  await Promise.race([work, timeIsUp]);
  disarm();
}
