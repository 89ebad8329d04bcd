import { Refused, endpoint, type Channel, type Endpoint } from "../channels/index.ts";
import type { Payload } from "./payload.ts";
import type { Stats } from "./stats.ts";
import { isToken } from "./token.ts";

/** What a client says to join. */
interface JoinParams {
  readonly token?: unknown;
}

/** What `sluice pipe` serves: the topic of its option, and the figures about it. */
export interface PipeTopics {
  "sluice:stats": { join(params: JoinParams): void; out: { stats: Stats }; history: true };
  "*": {
    join(params: JoinParams): void;
    out: { readonly [event: string]: Payload };
    history: true;
  };
}

/** The topic of the figures. */
export const statsTopic = "sluice:stats";
/** Messages of the topic that are kept for whoever comes later. */
const keptMessages = 100;

/** The endpoint of `sluice pipe`. */
export const web: Endpoint<PipeTopics, {}> = endpoint<PipeTopics, {}>("sluice.pipe");

/** The channels: one for the topic, one for the figures; both ask for the token if there is one. */
export function channels(topic: string, token: string | undefined): readonly Channel<{}>[] {
  const admit = (params: JoinParams | null): { readonly assigns: {} } => {
    if (token !== undefined && !isToken(params?.token, token))
      throw new Refused({ reason: "unauthorized" });
    return { assigns: {} };
  };
  return [
    web.channel("sluice:stats", { schemas: "trusted", join: admit, history: { count: 1 } }),
    web.channel("*", {
      schemas: "trusted",
      join: (params, joining) => {
        if (joining.topic !== topic) throw new Refused({ reason: "unmatched topic" });
        return admit(params);
      },
      history: { count: keptMessages, onJoin: keptMessages },
    }),
  ];
}
