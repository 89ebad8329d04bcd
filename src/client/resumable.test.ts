import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { Socket, type Channel } from "phoenix";
import { describe, expect, it } from "vitest";
import { resumable, type ResumeOptions } from "./resumable.ts";

/** The stock client's channel, and a server's end of its line. */
function line(options: ResumeOptions = {}) {
  const sent: unknown[][] = [];
  const wires: Wire[] = [];
  class Wire {
    readyState = 1;
    onopen = (): void => {};
    onmessage = (_event: { readonly data: string }): void => {};
    onclose = (): void => {};
    onerror = (): void => {};
    constructor() {
      wires.push(this);
    }
    send(text: string): void {
      sent.push(JSON.parse(text) as unknown[]);
    }
    close(): void {}
  }
  const socket = new Socket("ws://localhost/socket", {
    transport: Wire as unknown as typeof WebSocket,
  });
  const channel: Channel = socket.channel("feed", () => ({ device: "phone" }));
  const heard: unknown[] = [];
  channel.on("said", ({ n }: { readonly n: number }) => void heard.push(n));
  resumable(channel, options);
  channel.join();
  socket.connect();
  wires.at(-1)!.onopen();
  const tell = (...message: unknown[]): void =>
    wires.at(-1)!.onmessage({ data: JSON.stringify(message) });
  const joins = (): unknown[][] => sent.filter(([, , , event]) => event === "phx_join");
  const answer = (response: object): void => {
    const [ref] = joins().at(-1)!;
    tell(ref, ref, "feed", "phx_reply", { status: "ok", response });
  };
  const said = (n: number, offset: number): void =>
    tell(null, null, "feed", "said", { n, "~": { offset } });
  return { channel, socket, heard, joins, answer, said, tell };
}

function storage(kept: Record<string, string> = {}) {
  return {
    kept,
    getItem: (key: string): string | null => kept[key] ?? null,
    setItem: (key: string, value: string): void => void (kept[key] = value),
  };
}
function spoiled(kept: string) {
  const lost: string[] = [];
  const store = storage({ "sluice:feed": kept });
  return { ...line({ storage: store, lost: (status) => lost.push(status) }), lost, store };
}
const recent = (n: number, offset: number): object => ({
  event: "said",
  payload: { n, "~": { offset } },
});

describe("resumable", () => {
  it("is a recipe of at most 60 lines", () => {
    const source = readFileSync(new URL("resumable.ts", import.meta.url), "utf8");
    const code = stripTypeScriptTypes(source)
      .replaceAll(/\/\*\*.*?\*\//gs, "")
      .split("\n")
      .filter((text) => !/^\s*(\/\/.*)?$/.test(text));
    expect(code.length).toBeLessThanOrEqual(60);
  });

  it("takes its place from what tells nothing else, where messages are hidden from it", () => {
    const store = storage();
    const { answer, said, tell, heard } = line({ storage: store });
    answer({ "~": { epoch: "e", offset: 7 } });
    tell(null, null, "feed", "~place", { "~": { offset: 20 } });
    expect(store.kept).toEqual({ "sluice:feed": '{"epoch":"e","offset":20}' });
    said(20, 20);
    said(21, 21);
    expect(heard).toEqual([21]);
  });

  it("joins as it would without, the first time, and keeps where the topic stands", () => {
    const store = storage();
    const { joins, answer } = line({ storage: store });
    expect(joins()[0]![4]).toEqual({ device: "phone" });
    answer({ "~": { epoch: "e", offset: 7 } });
    expect(store.kept).toEqual({ "sluice:feed": '{"epoch":"e","offset":7}' });
  });

  it("leaves a topic without history as it is", () => {
    const store = storage();
    const { answer, tell, heard } = line({ storage: store });
    answer({});
    tell(null, null, "feed", "said", { n: 1 });
    expect([heard, store.kept]).toEqual([[1], {}]);
  });

  it("hands the recent messages to the handlers, and lets go of what comes twice", () => {
    const { answer, said, heard } = line();
    answer({ "~": { epoch: "e", offset: 3, recent: [recent(2, 2), recent(3, 3)] } });
    said(3, 3);
    said(4, 4);
    said(4, 4);
    expect(heard).toEqual([2, 3, 4]);
  });

  it("joins with the place of the page before, under a key of its own if it has one", () => {
    const kept = { mine: '{"epoch":"e","offset":5}' };
    const { joins } = line({ storage: storage(kept), key: "mine" });
    expect(joins()[0]![4]).toEqual({ device: "phone", since: { epoch: "e", offset: 5 } });
  });

  it.each([
    ["{", null],
    ["null", null],
    ["[5]", [5]],
    ['{"epoch":"e","offset":"5"}', { epoch: "e", offset: "5" }],
  ])("lets the server say what it is worth that %s is stored as the place", (kept, since) => {
    const { joins, answer, said, heard, lost, store } = spoiled(kept);
    expect(joins()[0]![4]).toEqual({ device: "phone", since });
    answer({ "~": { epoch: "e", offset: 9, after: 7, status: "reset" } });
    said(8, 8);
    expect([lost, heard]).toEqual([["reset"], [8]]);
    expect(store.kept).toEqual({ "sluice:feed": '{"epoch":"e","offset":8}' });
  });

  it("takes no place from a push, which names the join, nor withholds it", () => {
    const { answer, said, tell, heard, joins } = line();
    answer({ "~": { epoch: "e", offset: 1 } });
    tell(joins()[0]![0], null, "feed", "said", { n: "push", "~": { offset: 1_000 } });
    tell(joins()[0]![0], null, "feed", "said", { n: "push", "~": { offset: 1 } });
    said(2, 2);
    expect(heard).toEqual(["push", "push", 2]);
  });

  it("tells of a storage that throws once, and goes on in memory, with nothing lost", () => {
    const failures: unknown[] = [];
    const full = new Error("quota exceeded");
    const store = {
      getItem: () => null,
      setItem(): void {
        throw full;
      },
    };
    const { answer, said, heard, joins, channel, socket } = line({
      storage: store,
      failed: (error) => failures.push(error),
    });
    answer({ "~": { epoch: "e", offset: 1, recent: [recent(1, 1)] } });
    for (const n of [2, 3]) said(n, n);
    expect([heard, failures]).toEqual([[1, 2, 3], [full]]);
    expect(channel.state).toBe("joined");
    (channel as unknown as { rejoin(): void }).rejoin();
    expect(joins().at(-1)![4]).toEqual({ device: "phone", since: { epoch: "e", offset: 3 } });
    socket.disconnect();
  });

  it("of a storage that cannot be read, joins as it would without", () => {
    const closed = {
      ...storage(),
      getItem(): string {
        throw new Error("no access");
      },
    };
    expect(line({ storage: closed }).joins()[0]![4]).toEqual({ device: "phone" });
  });

  it.each(["gap", "reset"] as const)("tells of a %s before what comes behind it", (status) => {
    const order: unknown[] = [];
    const kept = { "sluice:feed": '{"epoch":"old","offset":50}' };
    const { answer, said, channel } = line({
      storage: storage(kept),
      lost: (what) => order.push(what),
    });
    channel.on("said", ({ n }: { readonly n: number }) => void order.push(n));
    answer({ "~": { epoch: "e", offset: 9, after: 7, status } });
    said(8, 8);
    said(9, 9);
    expect(order).toEqual([status, 8, 9]);
    expect(JSON.parse(kept["sluice:feed"])).toEqual({ epoch: "e", offset: 9 });
  });

  it("of a handler that throws, keeps the place before, hears nothing more, and reports it", () => {
    const failures: unknown[] = [];
    const store = storage();
    const { channel, answer, said, heard } = line({
      storage: store,
      failed: (error) => failures.push(error),
    });
    channel.on("said", ({ n }: { readonly n: number }) => {
      if (n === 2) throw new Error("its own");
    });
    answer({ "~": { epoch: "e", offset: 0 } });
    for (const n of [1, 2, 3]) said(n, n);
    expect(heard).toEqual([1, 2]);
    expect(channel.state).toBe("errored");
    expect(store.kept["sluice:feed"]).toBe('{"epoch":"e","offset":1}');
    expect(failures).toEqual([new Error("its own")]);
    channel.leave();
  });
});
