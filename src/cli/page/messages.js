import { byId, element, write } from "./dom.js";
import { clock, pairs } from "./format.js";

const mostRows = 100;
/** With more in one frame, a flash per row would be a flicker. */
const mostFlashes = 4;

const list = byId("messages");
const pause = byId("pause");
let waiting = [];
let shownCallbacks = [];
let missed = 0;
let scheduled = false;
let paused = false;

/** Shows a message at the next frame; `shown` is called when it is in the page, or has been passed over by newer ones. */
export function addMessage(payload, shown) {
  waiting.push({ payload, time: clock(new Date()) });
  if (waiting.length > mostRows) waiting.shift();
  if (paused) missed += 1;
  if (shown !== undefined) shownCallbacks.push(shown);
  if (scheduled) return;
  scheduled = true;
  // A hidden page has no frames.
  if (document.hidden) setTimeout(flush, 100);
  else requestAnimationFrame(flush);
}

/** Begins anew with these messages, the oldest first: what a join hands over. */
export function resetMessages(payloads) {
  waiting = [];
  list.replaceChildren(
    ...payloads
      .slice(-mostRows)
      .map((payload) => row({ payload, time: "earlier" }))
      .reverse(),
  );
  showEmpty();
}

function flush() {
  if (!scheduled) return;
  scheduled = false;
  if (paused) {
    write(pause, `Resume (${missed} new)`);
  } else {
    const rows = waiting.map(row).reverse();
    if (rows.length <= mostFlashes) for (const each of rows) each.classList.add("new");
    list.prepend(...rows);
    while (list.childElementCount > mostRows) list.lastElementChild.remove();
    waiting = [];
    showEmpty();
  }
  const callbacks = shownCallbacks;
  shownCallbacks = [];
  for (const shown of callbacks) shown();
}

function row({ payload, time }) {
  const content = element("p");
  for (const { key, value } of pairs(payload)) {
    content.append(
      key === undefined
        ? element("span", "text", value)
        : element("span", "pair", element("b", "", key), " ", value),
      " ",
    );
  }
  return element("li", "", element("time", "", time), content);
}

function showEmpty() {
  byId("empty").hidden = list.childElementCount > 0;
}

function setPaused(next) {
  paused = next;
  missed = 0;
  pause.setAttribute("aria-pressed", String(paused));
  write(pause, paused ? "Resume" : "Pause");
  scheduled = true;
  flush();
}

pause.addEventListener("click", () => setPaused(!paused));
document.addEventListener("visibilitychange", flush);
