import { Process, child, names, sleep, type ChildSpec, type Name } from "sluice";

/** The processes of a row. */
export const hop: (key: string) => Name<Hop> = names<Hop>("hop");
/** Passes what it is given on to the next, after some work. */
export class Hop extends Process {
  readonly #next: string | undefined;
  readonly #done: string[];
  readonly #ms: number;
  constructor(next: string | undefined, done: string[], ms: number) {
    super();
    this.#next = next;
    this.#done = done;
    this.#ms = ms;
  }
  async pass(item: string): Promise<void> {
    if (this.#ms > 0) await sleep(this.#ms, new AbortController().signal);
    if (this.#next === undefined) this.#done.push(item);
    else hop(this.#next).cast.pass(item);
  }
}

/** A row of processes, the first of which is called "0"; each works so many ms. */
export function row(
  works: readonly number[],
  done: string[],
): { readonly [id: string]: ChildSpec<Hop> } {
  return Object.fromEntries(
    works.map((ms, index) => {
      const next = index + 1 < works.length ? String(index + 1) : undefined;
      const id = String(index);
      return [`hop${id}`, child(Hop, { name: hop(id), args: [next, done, ms] })];
    }),
  );
}
