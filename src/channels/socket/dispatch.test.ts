import { describe, expect, it } from "vitest";
import { decide, type Place } from "./dispatch.ts";
import type { WireRef } from "../wire/serializer.ts";

const place = (joinRef: WireRef, ended = false): Place => ({ joinRef, ended });
const joined = place("1");

function decided(
  event: string,
  known: Place | undefined,
  joinRef: WireRef = "1",
  isRouted = true,
  others = 0,
): unknown {
  const places = new Map(
    Array.from({ length: others }, (_, n): [string, Place] => [`t${n}`, joined]),
  );
  if (known !== undefined) places.set("topic", known);
  return decide({ joinRef, ref: "2", topic: "topic", event, payload: {} }, places, isRouted, 3);
}

describe("decide", () => {
  it("answers heartbeats on the reserved topic alone", () => {
    const beat = { joinRef: null, ref: "1", event: "heartbeat", payload: {} };
    expect(decide({ ...beat, topic: "phoenix" }, new Map(), false, 3)).toEqual({
      kind: "heartbeat",
    });
    expect(decide({ ...beat, topic: "topic" }, new Map(), false, 3)).toEqual({ kind: "unmatched" });
    expect(decided("anything", undefined)).toEqual({ kind: "unmatched" });
  });

  it("joins what is routed, up to the limit", () => {
    expect(decided("phx_join", undefined)).toEqual({ kind: "join", replaces: undefined });
    expect(decided("phx_join", undefined, "1", false)).toEqual({ kind: "unmatched" });
    expect(decided("phx_join", undefined, "1", true, 2)).toEqual({
      kind: "join",
      replaces: undefined,
    });
    expect(decided("phx_join", undefined, "1", true, 3)).toEqual({ kind: "tooMany" });
    expect(decided("phx_join", undefined, "1", false, 3)).toEqual({ kind: "unmatched" });
  });

  it("lets the last join win, also with an equal ref, also at the limit", () => {
    expect(decided("phx_join", joined)).toEqual({ kind: "join", replaces: joined });
    expect(decided("phx_join", joined, "2", true, 2)).toEqual({ kind: "join", replaces: joined });
    const ended = place("1", true);
    expect(decided("phx_join", ended, "2", true, 2)).toEqual({ kind: "join", replaces: ended });
  });

  it("delivers to what was joined by the same ref, or by none that is said (R60)", () => {
    expect(decided("event", joined)).toEqual({ kind: "deliver", place: joined });
    expect(decided("event", joined, null)).toEqual({ kind: "deliver", place: joined });
    expect(decided("event", joined, "0")).toEqual({ kind: "stale" });
    expect(decided("event", place(null), "0")).toEqual({ kind: "stale" });
    expect(decided("event", undefined)).toEqual({ kind: "unmatched" });
    expect(decided("event", place("1", true))).toEqual({ kind: "unmatched" });
  });

  it("leaves likewise; what is not there is left already", () => {
    expect(decided("phx_leave", joined)).toEqual({ kind: "leave", place: joined });
    expect(decided("phx_leave", joined, null)).toEqual({ kind: "leave", place: joined });
    expect(decided("phx_leave", joined, "0")).toEqual({ kind: "stale" });
    expect(decided("phx_leave", undefined)).toEqual({ kind: "left" });
    expect(decided("phx_leave", place("1", true))).toEqual({ kind: "left" });
  });
});
