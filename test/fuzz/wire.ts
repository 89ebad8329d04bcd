import { decodeFrame } from "../../src/channels/wire/decoded.ts";
import { decide } from "../../src/channels/socket/dispatch.ts";
import { defaultLimits as limits } from "../../src/channels/limits.ts";
import type { Decoded, Serializer, WireRef } from "../../src/channels/wire/serializer.ts";
import { v1 } from "../../src/channels/wire/v1-serializer.ts";
import { v2, v2Text } from "../../src/channels/wire/v2-serializer.ts";
import { bytesInput, seeded, textInput } from "./mutate.ts";

/** What became of the inputs of one kind. */
export interface Tally {
  readonly kind: string;
  readonly inputs: number;
  readonly message: number;
  readonly refused: number;
  readonly undecodable: number;
}

/** An input that was not handled as every input has to be. */
export interface Crash {
  readonly kind: string;
  /** The text, or the bytes in hex. */
  readonly input: string;
  readonly error: string;
}

/** What a run has found. */
export interface Report {
  readonly seed: number;
  readonly tallies: readonly Tally[];
  readonly crashes: readonly Crash[];
  /** The longest that one input took. */
  readonly slowestMs: number;
}

const cases: readonly {
  readonly kind: string;
  readonly serializer: Serializer;
  readonly input: (random: () => number) => string | Uint8Array;
}[] = [
  { kind: "V2 text", serializer: v2, input: (random) => textInput(random, "v2") },
  { kind: "V1 text", serializer: v1, input: (random) => textInput(random, "v1") },
  { kind: "V2 binary", serializer: v2, input: bytesInput },
  { kind: "V2 binary, text out", serializer: v2Text, input: bytesInput },
  { kind: "V1 binary", serializer: v1, input: bytesInput },
];
const mostCrashes = 20;

/** Decodes so many mutated frames of all serializers, and looks at what comes of each. */
export function fuzz(inputs: number, seed: number): Report {
  const random = seeded(seed);
  const tallies = cases.map(({ kind }) => ({
    kind,
    inputs: 0,
    message: 0,
    refused: 0,
    undecodable: 0,
  }));
  const crashes: Crash[] = [];
  const prototype = inherited();
  let slowestMs = 0;
  for (let n = 0; n < inputs && crashes.length < mostCrashes; n++) {
    const { kind, serializer, input: make } = cases[n % cases.length]!;
    const tally = tallies[n % cases.length]!;
    const input = make(random);
    tally.inputs++;
    const tookMs = timed(() => decodeFrame(serializer, input, limits));
    // A slow one may have met a pause of the machine: then it is quick the second time.
    if (tookMs > slowestMs)
      slowestMs = Math.max(
        slowestMs,
        Math.min(
          tookMs,
          timed(() => decodeFrame(serializer, input, limits)),
        ),
      );
    try {
      const decoded = decodeFrame(serializer, input, limits);
      tally[decoded.kind]++;
      check(decoded, serializer);
      if (inherited() !== prototype) throw new Error("Object.prototype was changed");
    } catch (error) {
      const shown = typeof input === "string" ? input : Buffer.from(input).toString("hex");
      crashes.push({ kind, input: shown, error: String(error) });
    }
  }
  return { seed, tallies, crashes, slowestMs };
}

/** Everything that a socket does with what it decoded: that must not fail, either. */
function check(decoded: Decoded, serializer: Serializer): void {
  if (decoded.kind === "undecodable") {
    if (decoded.reason === "") throw new Error("undecodable without a reason");
    return;
  }
  const address = decoded.kind === "message" ? decoded.message : decoded;
  const { joinRef, ref, topic } = address;
  if (!isRef(joinRef) || !isRef(ref) || typeof topic !== "string") throw new Error("no address");
  const wire = serializer.reply(joinRef, ref, topic, "error", '{"reason":"x"}');
  const read = JSON.parse(wire as string) as unknown;
  const answered = Array.isArray(read)
    ? (read as unknown[])[1]
    : (read as { readonly ref: unknown }).ref;
  // JSON knows no −0.
  if (answered !== (ref === 0 ? 0 : ref)) throw new Error("the answer is to another ref");
  if (decoded.kind !== "message") return;
  const { event, payload } = decoded.message;
  if (typeof event !== "string") throw new Error("no event");
  if (Buffer.byteLength(topic) > limits.maxTopicBytes) throw new Error("topic over its limit");
  if (Buffer.byteLength(event) > limits.maxEventBytes) throw new Error("event over its limit");
  if (typeof ref === "string" && Buffer.byteLength(ref) > limits.maxRefBytes)
    throw new Error("ref over its limit");
  decide(decoded.message, new Map(), true, limits.maxChannels);
  // What a handler broadcasts again has to be writable (R62).
  if (!(payload instanceof Uint8Array)) JSON.stringify(payload);
}

function timed(run: () => unknown): number {
  const startMs = performance.now();
  try {
    run();
  } catch {
    // Found again, and told, below.
  }
  return performance.now() - startMs;
}

function isRef(value: unknown): value is WireRef {
  return value === null || typeof value === "string" || Number.isFinite(value);
}

function inherited(): string {
  return Object.getOwnPropertyNames(Object.prototype).join();
}
