import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Browser, Page } from "playwright-core";
import { startSluice } from "../integration/support/sluice.ts";
import { launch } from "./browser.ts";
import { contrasts, type Contrast } from "./contrast.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const screenshots = ".cache/screenshots";
mkdirSync(screenshots, { recursive: true });

interface Look {
  readonly theme: "light" | "dark";
  readonly width: number;
  readonly height: number;
}

const wide: Look = { theme: "dark", width: 1280, height: 800 };

/** The page at `url`, and everything that went wrong in it. */
async function open(
  url: string,
  { theme, width, height }: Look,
): Promise<{ readonly page: Page; readonly faults: string[] }> {
  const page = await browser.newPage({ colorScheme: theme, viewport: { width, height } });
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) =>
      console.error(`CSP: ${event.violatedDirective}`),
    );
  });
  await page.goto(url);
  return { page, faults };
}

const text = (page: Page, id: string): Promise<string> => page.locator(`#${id}`).innerText();
const number = async (page: Page, id: string): Promise<number> =>
  Number((await text(page, id)).replaceAll(/[^\d.]/g, ""));

/** Posts events to a running `sluice`. */
async function post(url: string, events: readonly object[]): Promise<void> {
  const response = await fetch(`${url}/events`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: events.map((event) => `${JSON.stringify(event)}\n`).join(""),
  });
  expect(response.status).toBe(202);
}

const looks: readonly Look[] = (["light", "dark"] as const).flatMap((theme) => [
  { theme, width: 390, height: 844 },
  { theme, width: 1280, height: 800 },
]);

/** Texts that stand out too little, how far the page is wider than its window, and messages taller than it. */
async function flaws(
  page: Page,
): Promise<{ readonly dim: Contrast[]; readonly tooWide: number; readonly tooTall: boolean }> {
  const dim = (await contrasts(page)).filter(({ ratio }) => ratio < 4.5);
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  const tooTall = await page.evaluate(
    () => document.querySelector("#messages-section")!.clientHeight > innerHeight,
  );
  return { dim, tooWide, tooTall };
}
const noFlaws = { dim: [], tooWide: 0, tooTall: false };

describe("the page of sluice demo", () => {
  it.each(looks)("moves within five seconds, $theme at $width, and can be read", async (look) => {
    await using sluice = startSluice(["demo", "--port", "0"]);
    const url = await sluice.url();
    const { page, faults } = await open(url, look);
    await vi.waitFor(
      async () => expect(await text(page, "connection-text")).toBe("connected"),
      5_000,
    );
    await vi.waitFor(async () => expect(await number(page, "delivered")).toBeGreaterThan(0), 5_000);
    const before = await number(page, "delivered");
    await vi.waitFor(
      async () => expect(await number(page, "delivered")).toBeGreaterThan(before),
      5_000,
    );
    await vi.waitFor(async () => expect(await text(page, "p50")).toMatch(/s$/), 5_000);
    const many = Array.from({ length: 100 }, (_, at) => ({ at }));
    await post(url, [...many, { hello: "from a test" }]);
    await page.locator("#messages-title").scrollIntoViewIfNeeded();
    await vi.waitFor(
      async () => expect(await text(page, "messages")).toContain("from a test"),
      5_000,
    );
    expect(await flaws(page)).toEqual(noFlaws);
    const scheme = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const [red = 0] = /\d+/.exec(scheme) ?? [];
    if (look.theme === "dark") expect(Number(red)).toBeLessThan(60);
    else expect(Number(red)).toBeGreaterThan(200);
    await page.screenshot({ path: `${screenshots}/demo-${look.theme}-${look.width}.png` });
    expect(faults).toEqual([]);
    await page.close();
  });

  it("pushes 1…50: all fifty arrive, five at a time, out of order within a group", async () => {
    await using sluice = startSluice(["demo", "--port", "0"]);
    const { page, faults } = await open(await sluice.url(), wide);
    await page.locator("#push").click();
    await vi.waitFor(
      async () => expect(await text(page, "push-text")).toBe("All fifty have arrived."),
      25_000,
    );
    const arrived = (): Promise<number[]> =>
      page.evaluate(() =>
        [...document.querySelectorAll("#messages li")]
          .map((item) => /push\s*(\d+)/.exec(item.textContent)?.[1])
          .filter((item) => item !== undefined)
          .map(Number)
          .toReversed(),
      );
    const sorted = Array.from({ length: 50 }, (_, n) => n + 1);
    // A message is painted with the next frame.
    await vi.waitFor(
      async () => expect((await arrived()).toSorted((a, b) => a - b)).toEqual(sorted),
      5_000,
    );
    const order = await arrived();
    expect(order).not.toEqual(sorted);
    // Five at a time: nobody is overtaken by one that is five or more behind it in the line of those in work.
    order.forEach((item, place) => expect(item).toBeLessThanOrEqual(place + 5));
    await page.screenshot({ path: `${screenshots}/pushed.png` });
    expect(faults).toEqual([]);
    await page.close();
  }, 40_000);
});

/** What a page does that is not ours: it imports the client that is served, and joins. */
const client = `(async () => {
  const { Socket } = await import("/phoenix.mjs");
  const socket = new Socket("/socket");
  const channel = socket.channel("t");
  const payloads = [];
  const three = new Promise((resolve) =>
    channel.on("push", ({ data }) => payloads.push(data) === 3 && resolve(payloads)),
  );
  channel.join().receive("ok", () => document.body.setAttribute("data-joined", ""));
  socket.connect();
  return three;
})()`;

describe("the page of sluice pipe", () => {
  it.each(looks)("can be read in every state, $theme at $width", async (look) => {
    const sluice = startSluice(
      ["pipe", "--topic", "logs:app", "--token", "a-secret-token", "--port", "0"],
      { stdin: "pipe" },
    );
    const { page } = await open(await sluice.url(), look);
    const shot = (state: string): Promise<Buffer> =>
      page.screenshot({ path: `${screenshots}/pipe-${state}-${look.theme}-${look.width}.png` });
    await page.locator("#token-form").waitFor();
    expect(await flaws(page)).toEqual(noFlaws);
    await shot("token");
    await page.locator("#token").fill("a-secret-token");
    await page.locator("#token-form button").click();
    await page.locator("body[data-connection=connected]").waitFor();
    const stamp = "2026-11-21T07:00:00Z";
    const lines = Array.from({ length: 30 }, (_, at) => `${stamp} INFO request ${at} took 12 ms`);
    sluice.child.stdin!.write(`${lines.join("\n")}\n${stamp} TRACE ${"unbroken".repeat(60)}\n`);
    await vi.waitFor(async () => expect(await text(page, "messages")).toContain("unbroken"), 5_000);
    await vi.waitFor(async () => expect(await number(page, "delivered")).toBe(31), 5_000);
    expect(await flaws(page)).toEqual(noFlaws);
    await shot("connected");
    sluice.signal("SIGTERM");
    await page.locator("#notice").waitFor();
    expect(await text(page, "connection-text")).toBe("reconnecting");
    expect(await flaws(page)).toEqual(noFlaws);
    await shot("reconnecting");
    await page.close();
    await sluice.exited;
  });

  it("serves the stock client, which joins and receives in any page of its origin", async () => {
    await using sluice = startSluice(["pipe", "--topic", "t", "--port", "0"], { stdin: "pipe" });
    const { page, faults } = await open(await sluice.url(), wide);
    const received = page.evaluate<string[]>(client);
    await page.locator("body[data-joined]").waitFor();
    sluice.child.stdin!.write("one\ntwo\nthree\n");
    expect((await received).toSorted()).toEqual(["one", "three", "two"]);
    expect(faults).toEqual([]);
    await page.close();
  });

  it("shows what came before it, and text as text", async () => {
    await using sluice = startSluice(
      ["pipe", "--topic", "logs:app", "--format", "ndjson", "--port", "0"],
      {
        stdin: "pipe",
      },
    );
    const url = await sluice.url();
    sluice.child.stdin!.write('{"line":"before"}\n');
    await post(url, [{ line: '<img src=x onerror="document.title=1">' }]);
    const { page, faults } = await open(url, wide);
    await vi.waitFor(async () => expect(await text(page, "messages")).toContain("before"), 5_000);
    expect(await text(page, "messages")).toContain("<img src=x");
    expect(await page.locator("#messages img").count()).toBe(0);
    expect(await page.locator("#push-section").isVisible()).toBe(false);
    expect(await text(page, "topic")).toBe("logs:app");
    sluice.child.stdin!.write('{"line":"after"}\n');
    await vi.waitFor(async () => expect(await text(page, "messages")).toContain("after"), 5_000);
    expect(faults).toEqual([]);
    await page.close();
  });

  it("asks for the token, refuses a wrong one, and joins with the right one", async () => {
    await using sluice = startSluice([
      "pipe",
      "--topic",
      "t",
      "--token",
      "a-secret-token",
      "--port",
      "0",
    ]);
    const { page } = await open(await sluice.url(), wide);
    const join = async (token: string): Promise<void> => {
      await vi.waitFor(
        async () => expect(await page.locator("#token-form").isVisible()).toBe(true),
        5_000,
      );
      await page.locator("#token").fill(token);
      await page.locator("#token-form button").click();
    };
    await join("not-the-token");
    await vi.waitFor(async () => expect(await text(page, "token-error")).not.toBe(""), 5_000);
    await join("a-secret-token");
    await vi.waitFor(
      async () => expect(await text(page, "connection-text")).toBe("connected"),
      5_000,
    );
    await page.close();
  });

  it("says that it reconnects when the server is gone, and comes back by itself", async () => {
    const first = startSluice(["pipe", "--topic", "t", "--port", "0"], { stdin: "pipe" });
    const url = await first.url();
    const { page } = await open(url, wide);
    await vi.waitFor(
      async () => expect(await text(page, "connection-text")).toBe("connected"),
      5_000,
    );
    first.signal("SIGTERM");
    await first.exited;
    await vi.waitFor(
      async () => expect(await text(page, "connection-text")).toContain("reconnecting"),
      10_000,
    );
    await using _second = startSluice(["pipe", "--topic", "t", "--port", new URL(url).port], {
      stdin: "pipe",
    });
    await vi.waitFor(
      async () => expect(await text(page, "connection-text")).toBe("connected"),
      15_000,
    );
    await post(url, [{ again: "here" }]);
    await vi.waitFor(async () => expect(await text(page, "messages")).toContain("here"), 5_000);
    await page.close();
  }, 40_000);
});
