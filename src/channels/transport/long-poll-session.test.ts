// The line of a client that polls, on virtual time: polls, posts and their answers are values that the test hands over.
import { describe, expect, it } from "vitest";
import { currentSystem } from "../../runtime/internal.ts";
import { simulate, type Simulation } from "../../testing/index.ts";
import { pongFrame, textFrame } from "../wire/frame.ts";
import { limitsOf, type Limits } from "../limits.ts";
import { readPost } from "./long-poll-body.ts";
import { LongPollSession, type Poll, type Post } from "./long-poll-session.ts";
import type { Peer } from "./transport.ts";

interface Answered extends Poll {
  /** What it was answered: status, token, messages. */
  answered: readonly [number, string | null, ...string[]] | undefined;
}
interface Posted extends Post {
  status: number | undefined;
}

interface World extends Simulation {
  readonly session: LongPollSession;
  /** A client polls that has had the answer of this number. */
  readonly poll: (after: number) => Answered;
  /** A client posts a batch. */
  readonly post: (...lines: readonly string[]) => Posted;
  /** What the session told. */
  readonly told: string[];
  readonly say: (text: string) => boolean;
}

const sweepMs = 250;
const windowMs = 1_000;

async function world(
  body: (world: World) => Promise<void> | void,
  changes: Partial<Limits> = {},
): Promise<void> {
  await simulate(
    async (simulation) => {
      const told: string[] = [];
      const limits = limitsOf(changes);
      const peer: Peer = {
        text: (text) => told.push(text),
        binary: () => told.push("bytes"),
        ping: () => told.push("ping"),
        writable: () => told.push("writable"),
        broken: (code, reason) => told.push(`broken ${code} ${reason}`),
        gone: () => told.push("gone"),
      };
      const keeper = {
        system: currentSystem(),
        limits,
        windowMs,
        token: (answer: number) => `t${answer}`,
        ended: () => told.push("ended"),
      };
      const session = new LongPollSession(keeper, peer);
      const poll = (after: number): Answered => {
        const waiting: Answered = {
          answered: undefined,
          answer(status, token, messages) {
            expect(waiting.answered).toBe(undefined);
            waiting.answered = [status, token, ...messages];
          },
        };
        session.poll(waiting, after);
        return waiting;
      };
      const post = (...lines: readonly string[]): Posted => {
        const posted: Posted = {
          messages: undefined,
          status: undefined,
          answer(status) {
            expect(posted.status).toBe(undefined);
            posted.status = status;
          },
        };
        if (!session.post(posted)) return posted;
        posted.messages = readPost(Buffer.from(lines.join("\n")), true, limits);
        session.posted();
        return posted;
      };
      const say = (text: string): boolean => session.send(textFrame(text));
      await body({ ...simulation, session, poll, post, told, say });
    },
    { seeds: 1 },
  );
}

describe("the polls of a session", () => {
  it("are answered at once with all that waits, or when something comes (L29)", () =>
    world(({ poll, say, session }) => {
      for (const text of ["one", "two"]) say(text);
      expect(poll(0).answered).toEqual([200, "t1", "one", "two"]);
      const waiting = poll(1);
      expect(waiting.answered).toBe(undefined);
      session.send(Buffer.concat([textFrame("three"), pongFrame(Buffer.from("p"))]));
      expect(waiting.answered).toEqual([200, "t2", "three"]);
    }));

  it("wait for their window at most, and then are 204 with the token they came with (L29)", () =>
    world(({ poll, session }) => {
      const waiting = poll(0);
      for (let at = sweepMs; at < windowMs; at += sweepMs) session.sweep(sweepMs);
      expect(waiting.answered).toBe(undefined);
      session.sweep(sweepMs);
      expect(waiting.answered).toEqual([204, "t0"]);
    }));

  it("are two at a time: the newest is answered, an older one 204, at once where it is the third (R80)", () =>
    world(({ poll, say, session }) => {
      const [first, second, third] = [poll(0), poll(0), poll(0)];
      expect(first.answered).toEqual([204, "t0"]);
      say("one");
      expect([second.answered, third.answered]).toEqual([undefined, [200, "t1", "one"]]);
      // In order: what comes next is not handed to the older one while it is unknown whether `one` has arrived.
      say("two");
      expect(second.answered).toBe(undefined);
      for (let at = 0; at < windowMs; at += sweepMs) session.sweep(sweepMs);
      expect(second.answered).toEqual([204, "t0"]);
      expect(poll(1).answered).toEqual([200, "t2", "two"]);
    }));

  it("are answered with messages at a pace; what comes too soon gathers", () =>
    world(
      async ({ poll, say, advance }) => {
        for (let at = 0; at < 4; at++) {
          say(`${at}`);
          expect(poll(at).answered).toEqual([200, `t${at + 1}`, `${at}`]);
        }
        const soon = poll(4);
        for (const text of ["4", "5"]) say(text);
        expect(soon.answered).toBe(undefined);
        await advance(249);
        expect(soon.answered).toBe(undefined);
        await advance(1);
        expect(soon.answered).toEqual([200, "t5", "4", "5"]);
      },
      { pollsPerSecond: 4 },
    ));
});

describe("messages that were handed out", () => {
  it("are kept until the token that came with them is used: asked with an older one, they come again (R80)", () =>
    world(({ poll, say, session }) => {
      say("one");
      poll(0);
      say("two");
      expect(poll(1).answered).toEqual([200, "t2", "two"]);
      expect(session.pendingBytes).toBe(textFrame("two").length);
      say("three");
      expect(poll(1).answered).toEqual([200, "t3", "two", "three"]);
      expect(session.pendingBytes).toBe(textFrame("two").length + textFrame("three").length);
      const last = poll(3);
      expect([last.answered, session.pendingBytes]).toEqual([undefined, 0]);
    }));

  it("come again at once when the connection of their answer broke, to a poll that waits", () =>
    world(({ poll, say, session }) => {
      const [older, broken] = [poll(0), poll(0)];
      say("one");
      expect(broken.answered).toEqual([200, "t1", "one"]);
      session.lost(broken);
      expect(older.answered).toEqual([200, "t2", "one"]);
    }));

  it("count as arrived for a client that always asks with its first token, unless their connection broke", () =>
    world(({ poll, say, session }) => {
      say("one");
      expect(poll(0).answered).toEqual([200, "t1", "one"]);
      say("two");
      const broken = poll(0);
      expect(broken.answered).toEqual([200, "t2", "two"]);
      session.lost(broken);
      expect(poll(0).answered).toEqual([200, "t3", "two"]);
      expect(poll(0).answered).toBe(undefined);
    }));

  it("are not handed to a poll that is gone", () =>
    world(({ poll, say, session }) => {
      const gone = poll(0);
      session.lost(gone);
      say("one");
      expect(gone.answered).toBe(undefined);
      expect(poll(0).answered).toEqual([200, "t1", "one"]);
    }));
});

describe("a line that is full", () => {
  it("says so until its client has what was handed out, not before (design of slow clients)", () =>
    world(({ poll, say, session, told }) => {
      const large = "x".repeat(40 * 1_024);
      expect(say(large)).toBe(true);
      expect(say(large)).toBe(false);
      expect(session.pendingBytes).toBe(2 * textFrame(large).length);
      expect(poll(0).answered?.length).toBe(4);
      expect(told).toEqual([]);
      poll(1);
      expect(told).toEqual(["writable"]);
      expect(session.pendingBytes).toBe(0);
    }));

  it("is a quarter of what may wait for one client, where that is less", () =>
    world(({ say }) => expect(say("x".repeat(100))).toBe(false), {
      maxPendingBytes: 400,
      lowMarkBytes: 100,
    }));
});

describe("the posts of a session", () => {
  it("are heard in order and answered 200; blank lines are none, base64 is bytes (L37, R80)", () =>
    world(({ post, told }) => {
      expect(post('["1"]', "", "AAEC", "\r", '{"v":1}').status).toBe(200);
      expect(told).toEqual(['["1"]', "bytes", '{"v":1}']);
    }));

  it("wait while the session is not read, behind each other; more than two are 429", () =>
    world(async ({ session, post, told, quiet }) => {
      session.pause();
      const posts = ["1", "2", "3"].map((line) => post(`[${line}]`));
      expect(posts.map(({ status }) => status)).toEqual([undefined, undefined, 429]);
      expect(told).toEqual([]);
      session.resume();
      await quiet();
      expect(posts.map(({ status }) => status)).toEqual([200, 200, 429]);
      expect(told).toEqual(["[1]", "[2]"]);
    }));

  it("that cannot be read within the window are 408, and end the session (L39)", () =>
    world(async ({ session, post, told, quiet }) => {
      session.pause();
      const posts = [post("[1]"), post("[2]")];
      for (let at = 0; at < windowMs; at += sweepMs) session.sweep(sweepMs);
      await quiet();
      expect(posts.map(({ status }) => status)).toEqual([408, 408]);
      expect(told).toEqual([
        "broken 1008 messages that could not be read in time",
        "ended",
        "gone",
      ]);
    }));

  it("that are never whole are withdrawn, and hold up nobody", () =>
    world(({ session, post, told }) => {
      const never: Posted = { messages: undefined, status: undefined, answer: () => {} };
      expect(session.post(never)).toBe(true);
      const behind = post("[2]");
      expect(behind.status).toBe(undefined);
      session.withdraw(never);
      expect([behind.status, told]).toEqual([200, ["[2]"]]);
    }));

  it.each([
    ["!!!!", "broken 1011 a line that is neither JSON nor base64"],
    [`["${"x".repeat(70_000)}"]`, "broken 1009 a message over 65536 bytes"],
  ])("that hold what is no message end the session (%#)", (line, why) =>
    world(async ({ post, told, quiet }) => {
      expect(post("[1]", line, "[3]").status).toBe(410);
      await quiet();
      expect(told).toEqual(["[1]", why, "ended", "gone"]);
    }),
  );
});

describe("the end of a session", () => {
  it("is 410 for the poll that waits, and for posts that wait (L46)", () =>
    world(async ({ session, poll, post, told, quiet }) => {
      const waiting = poll(0);
      session.pause();
      const unread = post("[1]");
      session.close(1001);
      await quiet();
      expect(waiting.answered).toEqual([410, null]);
      expect(unread.status).toBe(410);
      expect(told).toEqual(["ended", "gone"]);
      expect(post("[2]").status).toBe(410);
    }));

  it("comes behind what was said before it: that is fetched first", () =>
    world(async ({ session, poll, say, told, quiet }) => {
      say("last");
      session.close(1012);
      await quiet();
      expect(told).toEqual([]);
      expect(poll(0).answered).toEqual([200, "t1", "last"]);
      expect(poll(1).answered).toEqual([410, null]);
      await quiet();
      expect(told).toEqual(["ended", "gone"]);
    }));

  it("waits five seconds for that, and not at all for a client that is slow", () =>
    world(async ({ session, say, told, quiet }) => {
      say("last");
      session.close(1012);
      for (let at = 0; at < 5_000; at += sweepMs) session.sweep(sweepMs);
      expect(told).toEqual([]);
      session.sweep(sweepMs);
      await quiet();
      expect(told).toEqual(["ended", "gone"]);
    }).then(() =>
      world(async ({ session, say, told, quiet }) => {
        say("last");
        session.close(4008);
        await quiet();
        expect(told).toEqual(["ended", "gone"]);
      }),
    ));

  it("is due when no poll has come for one and a half windows; posts do not count (L38)", () =>
    world(({ session, poll, post }) => {
      poll(0);
      const looks = Array.from({ length: 10 }, () => session.sweep(sweepMs));
      // Four sweeps until the poll is 204, six more without one.
      expect(looks).toEqual(Array.from({ length: 10 }, () => true));
      post("[1]");
      expect(session.sweep(sweepMs)).toBe(false);
    }));
});
