// What the compiler refuses in clients, and what it must not refuse. Nothing of this runs: `tsc` is the test.
import { Presence, Socket, type Channel } from "phoenix";
import { resumable, sendReceipts, typed } from "sluice/client";

interface User {
  join(params: { readonly device: string }): { readonly unread: number };
  in: {
    ack(payload: { readonly id: string }): { readonly left: number };
    image(payload: Uint8Array): void;
  };
  out: { push: { readonly text: string }; thumbnail: Uint8Array };
  history: true;
}
interface Topics {
  "user:*": User;
  lobby: { out: { hello: { readonly n: number } } };
  own: { out: { presence_count: { readonly mine: true } } };
}

const socket = new Socket("/socket");
const web = typed<Topics>(socket);
const user = web.channel("user:1", { device: "phone" });
const lobby = web.channel("lobby");
web.channel("user:1", () => ({ device: "phone" }));
web.channel("lobby", { anything: 1 });
// A contract that says so itself is right.
web.channel("own").on("presence_count", ({ mine }) => console.info(mine));
sendReceipts(user);
resumable(user, { storage: sessionStorage, lost: (status) => console.info(status) });
resumable(socket.channel("user:1", {}));

user.on("push", ({ text }) => console.info(text.length));
user.on("thumbnail", (bytes) => console.info(bytes.byteLength));
lobby.on("hello", ({ n }) => console.info(n.toFixed()));
user.join().receive("ok", ({ unread }) => console.info(unread.toFixed()));
user
  .push("ack", { id: "1" })
  .receive("ok", ({ left }) => console.info(left.toFixed()))
  .receive("error", (reason) => console.info(reason))
  .receive("timeout", () => {});
user.push("image", new ArrayBuffer(8), 1_000);
new Presence(user).onSync(() => {});
new Presence(lobby, { events: { state: "presence_state", diff: "presence_diff" } });
export const stock: Channel = user;
user.on("presence_state", (state) => console.info(state["ann"]?.metas[0]?.phx_ref.length));
lobby.on("presence_diff", ({ joins, leaves }) => console.info({ ...joins, ...leaves }));
lobby.off(
  "presence_count",
  lobby.on("presence_count", ({ count }) => count.toFixed()),
);

// @ts-expect-error an unknown topic
web.channel("usr:1", { device: "phone" });
// @ts-expect-error forgotten params
web.channel("user:1");
// @ts-expect-error wrong params
web.channel("user:1", { device: 1 });
// @ts-expect-error wrong params, made for each join
web.channel("user:1", () => ({ token: "" }));
// @ts-expect-error an unknown event
user.on("pusch", () => {});
// @ts-expect-error an event of presences that there is not
user.on("presence_list", () => {});
// @ts-expect-error what the server says of presences, no client says
user.push("presence_state", {});
// @ts-expect-error what it carries
user.on("presence_count", ({ size }) => console.info(size));
// @ts-expect-error an event of another topic
lobby.on("push", () => {});
// @ts-expect-error what the event carries
user.on("push", ({ txt }) => console.info(txt));
// @ts-expect-error bytes come as an ArrayBuffer
user.on("thumbnail", (bytes: Uint8Array) => console.info(bytes));
// @ts-expect-error an event that only the server says
user.push("push", { text: "" });
// @ts-expect-error a wrong payload
user.push("ack", { id: 1 });
// @ts-expect-error a forgotten payload
user.push("ack");
// @ts-expect-error a wrong reply
user.push("ack", { id: "1" }).receive("ok", ({ right }) => console.info(right));
// @ts-expect-error a wrong reply to the join
user.join().receive("ok", ({ read }) => console.info(read));
// @ts-expect-error a topic without client's events hears nothing
lobby.push("ack", { id: "1" });
// @ts-expect-error no channel
resumable({ topic: "user:1" });
