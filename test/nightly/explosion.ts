// R55 at its full size: a part of `npm run test:nightly`. Fails when a limit does not hold; puts the figures down.
import { explode } from "../presence/explosion.ts";
import { score } from "../scoreboard.ts";
import { check } from "./support/check.ts";

const found = await explode(100);
score("R55", "1,000 processes track 100 keys each in one topic", JSON.stringify(found));
check("R55", "an explosion", {
  keys: [found.keys, 10_000],
  "metas of one key": [found.metasOfOne, 10],
  "left of whoever ended": [found.left, 0],
});
