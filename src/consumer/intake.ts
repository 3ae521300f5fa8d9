/** One at a time, in the order they came: reading and recovering share the free slots, and neither may count them twice. */
export class Intake {
  #last: Promise<unknown> = Promise.resolve();

  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
