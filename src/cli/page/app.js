import { Socket } from "/phoenix.mjs";
import { showConnection } from "./connection.js";
import { byId, write } from "./dom.js";
import { showFigures } from "./figures.js";
import { addMessage, resetMessages } from "./messages.js";
import { offerPush, showArrival } from "./push.js";
import { showStages } from "./stages.js";

const tokenKey = "sluice.token";
const config = await (await fetch("/config.json")).json();
write(byId("topic"), config.topic);
document.title = `${config.topic} · Sluice`;

let token = config.token ? (sessionStorage.getItem(tokenKey) ?? undefined) : undefined;
if (config.demo) offerPush(() => token);
if (config.token && token === undefined) askToken("");
else start();

/** Joins the topic and the figures about it. */
function start() {
  const socket = new Socket("/socket");
  const params = token === undefined ? {} : { token };
  const channel = socket.channel(config.topic, params);
  const stats = socket.channel("sluice:stats", params);
  let refused = false;
  const lost = () => refused || showConnection("reconnecting");

  channel.on(config.event, (payload) => receive(channel, payload));
  stats.on("stats", (payload) => {
    showFigures(payload);
    showStages(payload);
  });
  socket.onError(lost);
  socket.onClose(lost);
  channel.onClose(() => refused || showConnection("closed"));
  channel
    .join()
    .receive("ok", (reply) => {
      showConnection("connected");
      const recent = reply["~"]?.recent?.filter(({ event }) => event === config.event);
      if (recent !== undefined) resetMessages(recent.map(({ payload }) => payload));
    })
    .receive("error", ({ reason }) => {
      refused = true;
      socket.disconnect();
      if (reason === "unauthorized") askToken(token === undefined ? "" : "That is not the token.");
      else showConnection("closed", `The server did not let this page join: ${reason}.`);
    });
  stats.join();
  socket.connect();
}

/** Shows a message; a receipt that it asks for goes back when it is in the page. */
function receive(channel, payload) {
  const { receipt, oneIn = 1 } = payload["~"] ?? {};
  addMessage(
    payload,
    receipt === undefined || Math.random() * oneIn >= 1
      ? undefined
      : () => channel.push("~receipt", { id: receipt }),
  );
  if (config.demo) showArrival(payload);
}

function askToken(error) {
  showConnection("locked");
  const form = byId("token-form");
  sessionStorage.removeItem(tokenKey);
  form.hidden = false;
  write(byId("token-error"), error);
  byId("token").focus();
  form.addEventListener(
    "submit",
    (event) => {
      event.preventDefault();
      form.hidden = true;
      showConnection("connecting");
      token = byId("token").value;
      sessionStorage.setItem(tokenKey, token);
      start();
    },
    { once: true },
  );
}
