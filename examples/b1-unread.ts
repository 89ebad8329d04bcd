// B1: the pipeline of A8 with a count of unread pushes beside it, in three tries: two have a mistake, one has none.
import { Process, Producer, consumerSupervisor, name, sleep, type TaskContext } from "sluice";
import { child, start, startSupervisor } from "sluice";
import { attach } from "sluice/telemetry";
import type { Simulation } from "sluice/testing";

export interface Push {
  readonly id: number;
  readonly userId: number;
}

class Inbox extends Producer<Push> {
  push(item: Push): Promise<void> {
    return this.offer([item]);
  }
}

/** Which pushes a user has not read: in a database, say; it outlives the process that counts. */
export type Store = Map<number, Set<number>>;

class Unread extends Process {
  readonly #store: Store;
  constructor(store: Store) {
    super();
    this.#store = store;
  }
  count(userId: number): number {
    return this.#of(userId).size;
  }
  set(userId: number, count: number): void {
    this.#store.set(userId, new Set(Array.from({ length: count }, (_, id) => id)));
  }
  addOne(userId: number): number {
    return this.#of(userId).add(this.count(userId)).size;
  }
  /** The same push may come again: it is counted once. */
  add({ id, userId }: Push): number {
    return this.#of(userId).add(id).size;
  }
  #of(userId: number): Set<number> {
    const ids = this.#store.get(userId) ?? new Set();
    this.#store.set(userId, ids);
    return ids;
  }
}

const inbox = name<Inbox>("inbox");
const unread = name<Unread>("unread");

/** A way to count one push; resolves when it is counted. */
export type Count = (push: Push) => Promise<unknown>;

/** Mistake: between the question and the answer another worker may have counted, too. */
export const askThenSet: Count = async ({ userId }) => {
  const count = await unread.call.count(userId);
  unread.cast.set(userId, count + 1);
};

/** Mistake: one message, but a worker that is tried again counts again. */
export const addOneMore: Count = ({ userId }) => unread.call.addOne(userId);

/** One message, and the same push is the same however often it comes. */
export const addOnce: Count = (push) => unread.call.add(push);

/** Twenty pushes for one user, five at once, a second each; then the count has to be twenty. */
export function pipeline(count: Count): (simulation: Simulation) => Promise<void> {
  return async ({ advance, calm }) => {
    using _quiet = attach("sluice.log", () => {});
    const store: Store = new Map();
    const work = async (push: Push, { signal }: TaskContext): Promise<void> => {
      await count(push);
      await sleep(1_000, signal);
    };
    await using _inbox = await start(Inbox, { name: inbox });
    await using _app = await startSupervisor({
      strategy: "one_for_one",
      maxRestarts: 100,
      children: {
        unread: child(Unread, { name: unread, args: [store] }),
        workers: consumerSupervisor(work, {
          restart: "transient",
          maxRestarts: 100,
          subscribeTo: [{ to: inbox, maxDemand: 5 }],
        }),
      },
    });
    for (let id = 1; id <= 20; id++) await inbox.call.push({ id, userId: 1 });
    await advance(4_500);
    calm();
    await advance(60_000);
    const counted = store.get(1)?.size ?? 0;
    if (counted !== 20) throw new Error(`the count is ${counted}, not 20`);
  };
}
