// A tracker, and processes that are no channels, in virtual time.
import { Process, start, startSupervisor, type Running } from "sluice";
import { attach } from "sluice/telemetry";
import { simulate, type Simulation } from "sluice/testing";
import { presence, type Announces, type Presence, type PresenceOptions } from "sluice/presence";

/** What is said of each. */
export interface Meta {
  readonly n: number;
}
interface Extra {
  readonly name: string;
}
type Here = Presence<Meta, Extra>;
/** Of the child. */
export type Options = PresenceOptions<Meta, Extra>;

/** The presence under test. */
export const here: Here = presence<Meta, Extra>("here");

/** Somebody who is no channel, and says where. */
export class Guest extends Process {
  track(key: string, meta: unknown, topic: string): Promise<string> {
    return here.track(this.self, key, meta as Meta, topic);
  }
  update(key: string, meta: unknown, topic: string): Promise<string> {
    return here.update(this.self, key, meta as Meta, topic);
  }
  untrack(key: string, topic: string): Promise<void> {
    return here.untrack(this.self, key, topic);
  }
  untrackAll(): Promise<void> {
    return here.untrackAll(this.self);
  }
  pushState(topic: string, push: (event: string, payload: object) => void): Promise<void> {
    return here.pushState(
      Object.assign(Object.create(this.self) as object, { topic, push }) as never,
    );
  }
  /** The reason of a refusal; for one that is none of ours, its message. */
  async why(work: "track" | "update", key: string, meta: unknown, topic = "t"): Promise<unknown> {
    try {
      return await this[work](key, meta, topic);
    } catch (error) {
      const { code, details, message } = error as Error & {
        code?: string;
        details?: { why?: string; limit?: string };
      };
      return details?.why ?? details?.limit ?? code ?? message;
    }
  }
}

/** Keeps what clients would be told. */
class Told implements Announces {
  readonly told: { readonly event: string; readonly payload: unknown }[] = [];
  "~clients"(): number {
    return 1;
  }
  "~announce"(_system: unknown, _topic: string, event: string, payload: object): void {
    this.told.push({ event, payload: JSON.parse(JSON.stringify(payload)) });
  }
}

/** What a case works with. */
export interface Bench extends Simulation {
  readonly guest: () => Promise<Running<Guest>>;
  readonly told: Told["told"];
  readonly logs: string[];
}

/** Runs the body with a tracker, in several orders. */
export async function bench(
  options: Options,
  body: (bench: Bench) => Promise<void>,
  seeds = 5,
): Promise<void> {
  const logs: string[] = [];
  using _logs = attach("sluice.log", ({ message }) => void logs.push(message));
  await simulate(
    async (simulation) => {
      const to = new Told();
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: { here: here.child({ to, ...options }) },
      });
      const guests: Running<Guest>[] = [];
      const guest = async (): Promise<Running<Guest>> => {
        const one = await start(Guest);
        guests.push(one);
        return one;
      };
      try {
        await body({ ...simulation, guest, told: to.told, logs });
      } finally {
        for (const one of guests) await one.stop();
      }
    },
    { seeds },
  );
}
