/** The demand that a producer keeps to itself while it accumulates: each as it arose, never summed. A pure value. */
export class HeldDemand {
  readonly counts: number[] = [];
  #sum = 0;

  /** `wanted` is missing in all by now; what of it is new is kept. What the dead had asked for serves the next. */
  note(wanted: number): void {
    const more = wanted - this.#sum;
    if (more <= 0) return;
    this.counts.push(more);
    this.#sum = wanted;
  }
}
