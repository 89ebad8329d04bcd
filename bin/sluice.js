#!/usr/bin/env node
// In a clone the sources run as they are; the published package holds no src/.
import { existsSync } from "node:fs";

const source = new URL("../src/cli/index.ts", import.meta.url);
const fromSource = existsSync(source);
// As "engines" of package.json says, which npm only warns of.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  const hint = fromSource ? " (in a clone 'npm start' and 'npx sluice' bring their own)" : "";
  console.error(
    `sluice: needs Node 22.18 or newer${hint}; this is Node ${process.versions.node}, ${process.execPath}`,
  );
  process.exit(1);
}
const { main } = await import(
  fromSource ? source.href : new URL("../dist/cli/index.js", import.meta.url).href
);
process.exitCode = await main(process.argv.slice(2));
// Connections whose clients do not answer their close hold the program up no longer than this.
setTimeout(() => process.exit(), 500).unref();
