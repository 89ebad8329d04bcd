import { bus } from "../../pubsub/internal.ts";
import type { Topic } from "../../pubsub/index.ts";
import type { Membership } from "./membership.ts";

/**
 * Resolves when this node hears the topic of a join, and those its channel subscribes to, from other nodes as well: before
 * that the client is not answered, lest it miss what is broadcast right after. Until it enters it is told nothing.
 */
export function joinConfirmed(
  membership: Membership,
  topics: readonly Topic<unknown>[],
): Promise<unknown> | undefined {
  const { definition, socket } = membership;
  const { fanOut, system } = socket.world;
  const joined = system.get(bus);
  if (joined.uplink === undefined) return undefined;
  const confirmed = [
    // Where it has history, its log is the bus.
    definition.history === undefined ? fanOut.expect(membership) : undefined,
    ...topics.map(({ key }) => joined.confirmed(key)),
  ].filter((wait) => wait !== undefined);
  return confirmed.length === 0 ? undefined : Promise.all(confirmed);
}
