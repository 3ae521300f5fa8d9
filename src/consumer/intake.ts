/** One at a time, in the order they came: reading and recovering share the free slots, and neither may count them twice. */
export class Intake {
  #last: Promise<unknown> = Promise.resolve();
  #inLine = 0;

  /** Whether somebody waits for whoever has it now. */
  get isContended(): boolean {
    return this.#inLine > 1;
  }

  exclusive<T>(work: () => Promise<T>): Promise<T> {
    this.#inLine += 1;
    const turn = this.#last.then(work).finally(() => {
      this.#inLine -= 1;
    });
    this.#last = turn.catch(() => {});
    return turn;
  }
}
