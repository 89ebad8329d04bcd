#!/usr/bin/env node
// In a clone the sources run as they are; the published package holds no src/.
import { existsSync } from "node:fs";

const source = new URL("../src/cli/index.ts", import.meta.url);
const fromSource = existsSync(source);
if (fromSource && !process.features.typescript) {
  console.error(
    `sluice: Node ${process.versions.node} cannot run TypeScript sources; use 'npx sluice' (the repo brings Node 24) or Node 22.18 or newer.`,
  );
  process.exit(1);
}
const { main } = await import(
  fromSource ? source.href : new URL("../dist/cli/index.js", import.meta.url).href
);
process.exitCode = await main(process.argv.slice(2));
// Connections whose clients do not answer their close hold the program up no longer than this.
setTimeout(() => process.exit(), 500).unref();
