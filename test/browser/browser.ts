import { existsSync } from "node:fs";
import { env } from "node:process";
import { chromium, type Browser } from "playwright-core";

/** Where machines have a Chromium or Chrome of their own. */
const installed = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The machine's browser if there is one, else the one that a package brings; `SLUICE_BROWSER=package` takes that one. */
export async function launch(): Promise<Browser> {
  const own =
    env["SLUICE_BROWSER"] === "package" ? undefined : installed.find((path) => existsSync(path));
  if (own !== undefined) return chromium.launch({ executablePath: own, args });
  const { default: packaged } = await import("@sparticuz/chromium");
  return chromium.launch({
    executablePath: await packaged.executablePath(),
    args: [...new Set([...packaged.args, ...args])],
    headless: true,
  });
}
