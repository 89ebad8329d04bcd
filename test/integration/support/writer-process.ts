// Writes numbered lines to standard output as fast as they are taken, and says on standard error how many bytes were:
// `node writer-process.ts <lines> <bytes per line>`. Where nobody reads, it blocks, as any program in a pipe does.
import { writeSync } from "node:fs";

const [lines = 0, lineBytes = 0] = process.argv.slice(2).map(Number);
const chunkBytes = 65_536;

let chunk = "";
let written = 0;

function flush(): void {
  const bytes = Buffer.from(chunk);
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);
  written += bytes.length;
  writeSync(2, `${written}\n`);
  chunk = "";
}

try {
  for (let number = 1; number <= lines; number++) {
    chunk += `${`${number} `.padEnd(lineBytes - 1, "x")}\n`;
    if (chunk.length >= chunkBytes) flush();
  }
  flush();
} catch (error) {
  // The reader has gone.
  if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
}
