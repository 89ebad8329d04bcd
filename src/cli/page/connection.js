import { byId, write } from "./dom.js";
import { clock } from "./format.js";

const texts = {
  connecting: "connecting",
  connected: "connected",
  reconnecting: "reconnecting",
  closed: "closed",
  locked: "token needed",
};
let lastSeen;

/** Shows how the connection is; what the page shows without one is old, and it says so. */
export function showConnection(state, why) {
  if (document.body.dataset.connection === "connected" && state !== "connected")
    lastSeen = clock(new Date());
  document.body.dataset.connection = state;
  write(byId("connection-text"), texts[state]);
  const notice = byId("notice");
  notice.hidden = state !== "reconnecting" && state !== "closed";
  const since = lastSeen === undefined ? "" : ` What you see is from ${lastSeen}.`;
  write(
    notice,
    state === "closed"
      ? `${why ?? "The server has ended this topic."} Reload the page to join again.${since}`
      : `The connection is lost; trying again.${since}`,
  );
}
