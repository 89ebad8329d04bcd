// R55 at its full size: `npm run test:nightly`. Fails when a limit does not hold; prints the figures.
import { explode } from "../presence/explosion.ts";

const found = await explode(100);
console.info(`R55: ${JSON.stringify(found)}`);
if (found.keys !== 10_000 || found.metasOfOne !== 10 || found.left !== 0)
  throw new Error("R55: a limit does not hold");
