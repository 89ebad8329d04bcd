// Stock clients that all come back at once: `node storm-clients.ts <url> <count>`. Tells its parent how many are in.
import { Socket } from "phoenix";

const [, , url = "", count = ""] = process.argv;
let [inside, joins] = [0, 0];
let isTelling = false;
/** Once in a turn at most. */
const tell = (): void => {
  if (isTelling) return;
  isTelling = true;
  setTimeout(() => {
    isTelling = false;
    process.send!({ inside, joins });
  }, 5);
};

for (let n = 0; n < Number(count); n++) {
  const socket = new Socket(`${url.replace("http", "ws")}/socket`, { timeout: 20_000 });
  let isIn = false;
  const change = (now: boolean): void => {
    if (isIn !== now) inside += now ? 1 : -1;
    isIn = now;
    tell();
  };
  const channel = socket.channel("figures");
  channel.onError(() => change(false));
  channel.join().receive("ok", () => {
    joins++;
    change(true);
  });
  socket.connect();
}
process.on("disconnect", () => process.exit());
