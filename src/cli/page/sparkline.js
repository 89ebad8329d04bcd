const width = 120;
const height = 32;

/** The last values as a line over a filled area. */
export class Sparkline {
  #values = [];
  #size;
  #line;
  #area;

  constructor(svg, size) {
    this.#size = size;
    this.#line = svg.querySelector("polyline");
    this.#area = svg.querySelector("polygon");
  }

  push(value) {
    this.#values.push(Number.isFinite(value) ? value : 0);
    if (this.#values.length > this.#size) this.#values.shift();
    const highest = Math.max(...this.#values, 1e-9);
    const step = width / (this.#size - 1);
    const start = width - (this.#values.length - 1) * step;
    const points = this.#values.map(
      (each, i) =>
        `${(start + i * step).toFixed(1)},${(height - 2 - (each / highest) * (height - 4)).toFixed(1)}`,
    );
    this.#line.setAttribute("points", points.join(" "));
    this.#area.setAttribute(
      "points",
      `${start.toFixed(1)},${height} ${points.join(" ")} ${width},${height}`,
    );
  }
}
