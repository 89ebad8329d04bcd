import { columns } from "./columns.js";
import { byId, element, write } from "./dom.js";
import { count } from "./format.js";

const figures = {
  asked: "Events asked for and not yet received",
  buffered: "Events that wait here",
  running: "Events in work",
  done: "Events that went through",
  dropped: "Events lost here",
};
const mostDots = 12;
const kinds = {
  producer: "producer",
  producer_consumer: "producer-consumer",
  consumer: "consumer",
  consumer_supervisor: "consumer supervisor",
};

/** One box of the picture. */
class Box {
  item = element("li", "stage");
  #values = new Map();
  #dots = element("span", "dots");
  #done = 0;

  constructor(id, kind) {
    this.#dots.setAttribute("aria-hidden", "true");
    const list = element("dl");
    for (const [name, about] of Object.entries(figures)) {
      const value = element("dd", "", "–");
      const pair = element("div", name, element("dt", "", name), value);
      pair.title = about;
      list.append(pair);
      this.#values.set(name, value);
    }
    this.item.append(
      element("h3", "", id),
      element("small", "", kinds[kind] ?? kind),
      this.#dots,
      list,
    );
  }

  show(stage) {
    for (const [name, value] of this.#values) write(value, count(stage[name] ?? 0));
    this.#values.get("dropped").classList.toggle("bad", stage.dropped > 0);
    this.item.classList.toggle("moving", stage.done > this.#done);
    this.#done = stage.done;
    const running = Math.min(stage.running ?? 0, mostDots);
    if (this.#dots.childElementCount !== running) {
      this.#dots.replaceChildren(...Array.from({ length: running }, () => element("i")));
    }
  }
}

/** The last box: who is served. */
class ClientsBox {
  item = element("li", "stage clients");
  #count = element("strong", "", "–");
  #word = element("small", "", "clients");

  constructor() {
    this.item.append(element("h3", "", "browsers"), this.#count, this.#word);
  }

  show(clients) {
    write(this.#count, count(clients));
    write(this.#word, clients === 1 ? "client joined" : "clients joined");
  }
}

let shape = "";
let boxes = new Map();
const clientsBox = new ClientsBox();

/** Shows the stages of one stats event. */
export function showStages(stats) {
  const stages = stats.stages ?? [];
  const wanted = columns(stages);
  const nextShape = JSON.stringify(
    wanted.map((column) => column.map(({ id, kind }) => [id, kind])),
  );
  if (nextShape !== shape) {
    shape = nextShape;
    boxes = new Map(stages.map(({ id, kind }) => [id, new Box(id, kind)]));
    const lists = wanted.map((column) =>
      element("li", "column", element("ol", "", ...column.map(({ id }) => boxes.get(id).item))),
    );
    byId("stages").replaceChildren(
      ...lists,
      element("li", "column", element("ol", "", clientsBox.item)),
    );
  }
  for (const stage of stages) boxes.get(stage.id).show(stage);
  clientsBox.show(stats.clients);
}
