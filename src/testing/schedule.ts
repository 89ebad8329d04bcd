import { invalidOption } from "../support/internal.ts";
import { seededRandom } from "./seeded-random.ts";

/**
 * Something that goes wrong with the processes called `label`: a crash instead of the `nth` message, or instead of the
 * end (`abort`) of the `nth` callback that took its time; or, right before that message, a wait or a jump of the clock.
 */
export interface Fault {
  readonly kind: "crash" | "abort" | "slow" | "jump";
  readonly label: string;
  readonly nth: number;
  /** How slow, or how far the wall clock jumps. */
  readonly ms: number;
}

/** What a run follows from beside its seed: what goes wrong, and where another than the first process in line runs. */
export interface Script {
  readonly faults: readonly Fault[];
  /** `[which choice it was, whom it took]`, only where it did not take the first. */
  readonly picks: readonly (readonly [nth: number, chosen: number])[];
}

const codes = { crash: "c", abort: "a", slow: "s", jump: "j" } as const;
const kinds = { c: "crash", a: "abort", s: "slow", j: "jump" } as const;

/** The script of a seed as text that can be given instead of the seed. */
export function replayOf(seed: number, { faults, picks }: Script): string {
  const wrong = faults.map(
    ({ kind, label, nth, ms }) =>
      `${codes[kind]}${nth}${ms === 0 ? "" : `~${ms}`}@${encodeURIComponent(label)}`,
  );
  let before = 0;
  const chosen = picks.map(([nth, choice]) => {
    const gap = nth - before;
    before = nth;
    return `${gap}.${choice}`;
  });
  return [seed, wrong.join(","), chosen.join(",")].join("/");
}

/** The seed and the script in such a text. @throws SLUICE_INVALID_OPTION */
export function parseReplay(text: string): { readonly seed: number; readonly script: Script } {
  const refuse = () => invalidOption("seeds", text, "a seed, or what a failure said to replay");
  const [seed, wrong, chosen, ...more] = text.split("/");
  if (chosen === undefined || more.length > 0 || !/^\d+$/.test(seed!)) throw refuse();
  const faults = items(wrong!).map((item): Fault => {
    const {
      kind,
      nth,
      ms = 0,
      label,
    } = /^(?<kind>[casj])(?<nth>\d+)(?:~(?<ms>-?[\d.]+))?@(?<label>.*)$/.exec(item)?.groups ?? {};
    if (kind === undefined) throw refuse();
    const named = kinds[kind as keyof typeof kinds];
    return { kind: named, label: decodeURIComponent(label!), nth: Number(nth), ms: Number(ms) };
  });
  let before = 0;
  const picks = items(chosen).map((item) => {
    if (!/^\d+\.\d+$/.test(item)) throw refuse();
    const [gap, choice] = item.split(".").map(Number) as [number, number];
    return [(before += gap), choice] as const;
  });
  return { seed: Number(seed), script: { faults, picks } };
}

const items = (list: string): string[] => (list === "" ? [] : list.split(","));

/** What may go wrong, how probably and by how much at most; in the order in which it is looked at. */
export type Odds = readonly (readonly [kind: Fault["kind"], probability: number, maxMs: number])[];

/**
 * The choices of one run, drawn from its seed or read from a script, and written down as they are made: who runs next
 * and what goes wrong have sources of chance of their own, so that one can be changed and the other stays.
 */
export class Schedule {
  /** What was chosen so far, where it was not first come, first served. */
  readonly picks: (readonly [number, number])[] = [];
  /** What went wrong so far. */
  readonly faults: Fault[] = [];
  readonly #order: () => number;
  readonly #chance: () => number;
  readonly #given: ReadonlyMap<number, number> | undefined;
  readonly #wrong: ReadonlyMap<string, Fault> | undefined;
  readonly #counts: Map<string, number> = new Map();
  #choices = 0;

  constructor(seed: number, script?: Script) {
    this.#order = seededRandom(seed);
    this.#chance = seededRandom(seed ^ 0x5bd1e995);
    if (script === undefined) return;
    this.#given = new Map(script.picks);
    this.#wrong = new Map(script.faults.map((fault) => [keyOf(fault), fault]));
  }

  /** Who of `count` goes next. */
  pick(count: number): number {
    if (count === 1) return 0;
    const nth = ++this.#choices;
    const chosen =
      this.#given === undefined
        ? Math.floor(this.#order() * count)
        : Math.min(this.#given.get(nth) ?? 0, count - 1);
    if (chosen > 0) this.picks.push([nth, chosen]);
    return chosen;
  }

  /** What goes wrong when a process of this label goes on with its next message, or with its next callback to end. */
  faultsOf(label: string, occasion: "message" | "end", odds: Odds): readonly Fault[] {
    const key = `${occasion} ${label}`;
    const nth = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, nth);
    const found: Fault[] = [];
    for (const [kind, probability, maxMs] of odds) {
      const fault = this.#fault(kind, label, nth, probability, maxMs);
      if (fault === undefined) continue;
      found.push(fault);
      // What has crashed is not slow as well.
      if (kind === "crash") break;
    }
    this.faults.push(...found);
    return found;
  }

  #fault(
    kind: Fault["kind"],
    label: string,
    nth: number,
    probability: number,
    maxMs: number,
  ): Fault | undefined {
    if (probability <= 0) return undefined;
    if (this.#wrong !== undefined) return this.#wrong.get(keyOf({ kind, label, nth }));
    if (this.#chance() >= probability) return undefined;
    // In thousandths, so that its text is exact.
    const share = kind === "jump" ? 2 * this.#chance() - 1 : kind === "slow" ? this.#chance() : 0;
    return { kind, label, nth, ms: Math.round(share * maxMs * 1_000) / 1_000 };
  }
}

const keyOf = ({ kind, label, nth }: Pick<Fault, "kind" | "label" | "nth">): string =>
  `${kind} ${nth} ${label}`;
