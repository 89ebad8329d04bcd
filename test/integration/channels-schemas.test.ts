// Schemas of the libraries people use, as they come, over a real socket: what they refuse, and what they make of the rest.
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { startSupervisor, withSystem } from "sluice";
import { endpoint } from "sluice/channels";
import { attach } from "sluice/telemetry";
import { hangUp, join, push, stockClient } from "./support/clients.ts";

interface Booking {
  join(params: { readonly guest: string }): { readonly greeting: string };
  in: {
    book(payload: { readonly day: string; readonly nights: string }): { readonly until: string };
  };
}
interface Topics {
  zod: Booking;
  valibot: Booking;
  arktype: Booking;
}
const web = endpoint<Topics>("web");

const day = /^\d{4}-\d\d-\d\d$/;
const dayMs = 86_400_000;
const until = (from: Date, nights: number): { readonly until: string } => ({
  until: new Date(from.getTime() + nights * dayMs).toISOString().slice(0, 10),
});

const channels = [
  web.channel("zod", {
    schemas: {
      join: z.object({ guest: z.string().trim().min(1) }),
      book: z.object({
        day: z
          .string()
          .regex(day)
          .transform((text) => new Date(text)),
        nights: z.string().transform(Number),
      }),
    },
    join: ({ guest }) => ({ assigns: { guest }, reply: { greeting: `hello ${guest}` } }),
    on: { book: ({ day: from, nights }) => until(from, nights) },
  }),
  web.channel("valibot", {
    schemas: {
      join: v.object({ guest: v.pipe(v.string(), v.trim(), v.minLength(1)) }),
      book: v.object({
        day: v.pipe(
          v.string(),
          v.regex(day),
          v.transform((text) => new Date(text)),
        ),
        nights: v.pipe(v.string(), v.transform(Number)),
      }),
    },
    join: ({ guest }) => ({ assigns: { guest }, reply: { greeting: `hello ${guest}` } }),
    on: { book: ({ day: from, nights }) => until(from, nights) },
  }),
  web.channel("arktype", {
    schemas: {
      join: type({ guest: type("string.trim").to("string >= 1") }),
      book: type({
        day: type(day).pipe((text) => new Date(text)),
        nights: type("string.numeric.parse"),
      }),
    },
    join: ({ guest }) => ({ assigns: { guest }, reply: { greeting: `hello ${guest}` } }),
    on: { book: ({ day: from, nights }) => until(from, nights) },
  }),
];

/** What each says of the same five mistakes, but for what it quotes of them (R92). */
const said: { readonly [topic in keyof Topics]: readonly string[] } = {
  zod: [
    "join guest: Invalid input: expected string, received undefined",
    "join guest: Invalid input: expected string, received number",
    "join guest: Too small: expected string to have >=1 characters",
    "book day: Invalid string: must match pattern /^\\d{4}-\\d\\d-\\d\\d$/",
    "book nights: Invalid input: expected string, received number",
  ],
  valibot: [
    'join guest: Invalid key: Expected "guest" but received undefined',
    "join guest: Invalid type: Expected string but received …",
    "join guest: Invalid length: Expected >=1 but received 0",
    'book day: Invalid format: Expected /^\\d{4}-\\d\\d-\\d\\d$/ but received "…"',
    "book nights: Invalid type: Expected string but received …",
  ],
  arktype: [
    "join guest: guest must be a string (was missing)",
    "join guest: guest must be a string (was a number)",
    "join guest: guest must be non-empty",
    'book day: day must be matched by ^\\d{4}-\\d\\d-\\d\\d$ (was "…")',
    "book nights: nights must be a string (was a number)",
  ],
};

describe.each(["zod", "valibot", "arktype"] as const)("schemas of %s", (topic) => {
  it("refuse what does not fit, and hand over what they make of the rest", () =>
    withSystem(async () => {
      const reasons: string[] = [];
      const invalid: string[] = [];
      using _invalid = attach("sluice.channels.invalid", ({ pattern, event, issues }) => {
        for (const { path, message } of issues)
          invalid.push(`${pattern} ${event} ${path}: ${message}`);
      });
      using _refused = attach("sluice.channels.refused", ({ reason }) => reasons.push(reason));
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          web: web.child({ port: 0, sockets: { "/socket": { connect: () => ({}), channels } } }),
        },
      });
      const socket = stockClient((await app.children.web.call.address()).url);
      for (const params of [{}, { guest: 1 }, { guest: "  " }])
        await expect(join(socket, topic, params)).rejects.toMatchObject({
          reason: { reason: "invalid payload" },
        });
      const { channel, reply } = await join(socket, topic, { guest: " Ada " });
      expect(reply).toEqual({ greeting: "hello Ada" });
      expect(await push(channel, "book", { day: "2026-12-30", nights: "3" })).toEqual([
        "ok",
        { until: "2027-01-02" },
      ]);
      for (const payload of [
        { day: "tomorrow", nights: "1" },
        { day: "2026-12-30", nights: 1 },
      ])
        expect(await push(channel, "book", payload)).toEqual([
          "error",
          { reason: "invalid payload" },
        ]);
      expect(invalid).toEqual(said[topic].map((text) => `${topic} ${text}`));
      expect(reasons).toEqual(Array.from({ length: 5 }, () => "invalid payload"));
      await hangUp(socket);
    }));
});
