import { invalidOption, type ExitReason } from "../support/internal.ts";
import { Process, type ChildSpec } from "../process/index.ts";
import { cellOf, specOf, type Engine, type Figures, type Upstream } from "../process/internal.ts";
import { currentSystem } from "../runtime/internal.ts";
import { bus } from "./bus.ts";
import { Link } from "./link.ts";
import { linkOptions, type LinkOptions, type PubSubOptions } from "./link-options.ts";

export type { PubSubOptions };

/** Keeps the link of a system's bus, as a child of a supervisor. */
class PubSubProcess extends Process implements Engine {
  readonly role = "pubsub";
  readonly #link: Link;

  constructor(options: LinkOptions) {
    super();
    const cell = cellOf(this);
    const { system } = cell;
    const joined = system.get(bus);
    if (joined.uplink !== undefined)
      throw invalidOption("pubsub", "a second one", "one in each system");
    this.#link = new Link(system, joined, options);
    cell.engine = this;
  }

  protected override init(): Promise<void> {
    return this.#link.open();
  }

  protected override terminate(): Promise<void> {
    return this.#link.close();
  }

  receive(): void {}

  stopping(): void {
    this.#link.abandon();
  }

  exited(_reason: ExitReason): void {
    this.#link.close().catch(() => {});
  }

  inspect(): { readonly figures: Figures; readonly upstream: readonly Upstream[] } {
    const link = this.#link;
    const { published, received, unsent, unread, late, subscriptions, pendingBytes } = link;
    const connected = link.isUp ? 1 : 0;
    return {
      figures: {
        connected,
        subscriptions,
        published,
        received,
        dropped: unsent,
        unread,
        late,
        pendingBytes,
      },
      upstream: [],
    };
  }
}

/**
 * Joins this node to others: what is broadcast on a topic, by `topic(…)` or an endpoint, reaches the subscribers on all
 * nodes. Comes first in the tree: the children after it start connected, and stop before it.
 *
 * At most once, in order of one node and topic. Only nodes with subscribers of a topic get its messages. While the broker
 * is away, broadcasts stay on this node and are counted (`sluice.pubsub.unsent`); it reconnects by itself, restores all
 * subscriptions, and then all nodes are told of the gap (`sluice.pubsub.gap`). What crosses is JSON: a message that is
 * none, or is larger than the broker takes, is refused with `SLUICE_PAYLOAD_REFUSED` where it is broadcast.
 *
 * ```ts no-run
 * import { run } from "sluice";
 * import { natsAdapter } from "sluice/nats";
 * import { pubsub } from "sluice/pubsub";
 *
 * await run({
 *   strategy: "rest_for_one",
 *   children: {
 *     pubsub: pubsub({ adapter: natsAdapter({ servers: "127.0.0.1:4222" }) }),
 *   },
 * });
 * ```
 * The start fails with `SLUICE_ADAPTER_DOWN` when it is not connected in time, unless `unconnected` says otherwise.
 *
 * @throws SluiceError `SLUICE_INVALID_OPTION`, naming the option.
 */
export function pubsub(options: PubSubOptions): ChildSpec<object> {
  const checked = linkOptions(options);
  return specOf(PubSubProcess, { args: [checked] }, "worker", "pubsub");
}

/**
 * How other nodes know this one: what `topic.direct` takes. Unique, unless `pubsub({ nodeName })` has set it; the same as
 * long as the program runs.
 */
export function nodeName(): string {
  return currentSystem().get(bus).nodeName;
}
