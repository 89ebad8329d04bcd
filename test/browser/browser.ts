import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { env } from "node:process";
import { fileURLToPath } from "node:url";
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

/** Unpacks the browser of the package once, with the libraries and fonts that a bare machine has not. */
async function unpack(): Promise<string> {
  const home = new URL("../", import.meta.resolve("@sparticuz/chromium"));
  const { version } = JSON.parse(readFileSync(new URL("package.json", home), "utf8")) as {
    readonly version: string;
  };
  const folder = resolve(`.cache/chromium-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(".cache", { recursive: true });
  const unfinished = mkdtempSync(resolve(".cache/unpacking-"));
  const { default: packaged, inflate } = await import("@sparticuz/chromium");
  // The package unpacks into the folder for temporary files, whatever is there by that name.
  const temporary = env["TMPDIR"];
  env["TMPDIR"] = unfinished;
  try {
    await packaged.executablePath();
    await inflate(fileURLToPath(new URL("bin/al2023.tar.br", home)));
  } finally {
    if (temporary === undefined) delete env["TMPDIR"];
    else env["TMPDIR"] = temporary;
  }
  const conf = join(unfinished, "fonts/fonts.conf");
  writeFileSync(conf, readFileSync(conf, "utf8").replaceAll("/tmp/fonts", join(folder, "fonts")));
  if (existsSync(folder)) rmSync(unfinished, { recursive: true });
  else renameSync(unfinished, folder);
  return folder;
}

/** The machine's browser if there is one, else the one that a package brings; `SLUICE_BROWSER=package` takes that one. */
export async function launch(): Promise<Browser> {
  const own =
    env["SLUICE_BROWSER"] === "package" ? undefined : installed.find((path) => existsSync(path));
  if (own !== undefined) return chromium.launch({ executablePath: own, args });
  const folder = await unpack();
  return chromium.launch({
    executablePath: join(folder, "chromium"),
    args,
    env: {
      ...(env as Record<string, string>),
      LD_LIBRARY_PATH: join(folder, "al2023/lib"),
      FONTCONFIG_PATH: join(folder, "fonts"),
    },
  });
}
