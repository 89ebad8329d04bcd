import { byId, element, write } from "./dom.js";

const total = 50;
const cells = [];

/** Offers the button that pushes 1…50 to `POST /events`, and a place for each to arrive at. `token()` is sent along. */
export function offerPush(token) {
  for (let item = 1; item <= total; item++) cells.push(element("li", "", String(item)));
  byId("cells").replaceChildren(...cells);
  byId("push").addEventListener("click", () => void push(token()));
  byId("push-section").hidden = false;
}

/** Marks the item that a message carries as arrived. */
export function showArrival(payload) {
  const cell = cells[payload.push - 1];
  if (cell === undefined) return;
  cell.dataset.state = "arrived";
  const arrived = cells.filter((each) => each.dataset.state === "arrived").length;
  write(
    byId("push-text"),
    arrived === total ? "All fifty have arrived." : `${arrived} of ${total} have arrived.`,
  );
}

async function push(token) {
  const button = byId("push");
  button.disabled = true;
  for (const cell of cells) cell.dataset.state = "waiting";
  write(
    byId("push-text"),
    "Pushed. They run five at a time, so they arrive out of order within a group.",
  );
  try {
    const response = await fetch("/events", {
      method: "POST",
      headers: {
        "content-type": "application/x-ndjson",
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: cells.map((_, i) => `{"push":${i + 1}}\n`).join(""),
    });
    if (!response.ok) refused((await response.json()).error);
  } catch {
    refused("the server cannot be reached");
  } finally {
    button.disabled = false;
  }
}

function refused(why) {
  for (const cell of cells) delete cell.dataset.state;
  write(byId("push-text"), `Not taken: ${why}.`);
}
