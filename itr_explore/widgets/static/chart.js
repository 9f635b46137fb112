// A small line chart: SVG lines over epochs, a cursor that the pointer or the arrow keys move, values in its key.

const DASHES = [null, "7 3", "2 3", "9 3 2 3"]; // lines are told apart without colour, too
const EDGES = { left: 46, right: 14, top: 8, bottom: 26 };

/** Round numbers from `from` to `to`, about `count` of them. */
function ticks(from, to, count) {
  const rough = (to - from) / Math.max(count, 1);
  if (!(rough > 0)) return [from];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.99);
  const found = [];
  for (let at = Math.ceil(from / step - 1e-9); at * step <= to + step * 1e-6; at++) found.push(at * step);
  return found;
}

const plain = (value) => {
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e5)) return value.toExponential(1).replace("-", "−");
  return String(Number(value.toPrecision(3))).replace("-", "−");
};

class LineChart {
  /** `moved(x)` is told where the cursor stands, null where it left; `unit` is said after a value. */
  constructor({ title, unit = "", moved = () => {}, controls = null }) {
    this.title = title;
    this.unit = unit;
    this.moved = moved;
    this.series = [];
    this.at = null;
    this.key = make("span", { class: "key" });
    this.where = make("span", { class: "where" });
    this.plot = makeSvg("svg", { class: "plot", role: "slider", tabindex: 0, "aria-label": `${title}: arrow keys read its points`, "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0, "aria-valuetext": "nothing yet" });
    this.empty = make("span", { class: "empty" }, "nothing yet");
    this.root = make("figure", { class: "chart" },
      make("figcaption", {}, make("b", {}, title), this.key, this.where, controls),
      make("div", { class: "frame" }, this.plot, this.empty));
    this.plot.addEventListener("pointermove", (event) => this.point(this.valueAt(event.clientX - this.plot.getBoundingClientRect().left)));
    this.plot.addEventListener("pointerleave", () => this.point(null));
    this.plot.addEventListener("blur", () => this.point(null));
    this.plot.addEventListener("keydown", (event) => this.walk(event));
  }

  /** Lines `{name, x, y, digits, best}`, x from 0 to `end`; `log` for the y axis, which begins at `from` unless a value is below. */
  show(series, { end, log = false, from = null }) {
    this.series = series.map((line, at) => ({ ...line, colour: PALETTE.categories[at % PALETTE.categories.length], dash: DASHES[at % DASHES.length] }));
    this.end = Math.max(end, 1e-9);
    this.log = log;
    this.from = from;
    this.stops = [...new Set(this.series.flatMap((line) => line.x))].sort((a, b) => a - b);
    this.draw();
  }

  layout(width, height) {
    this.width = Math.max(width, 120);
    this.height = height;
    this.draw();
  }

  draw() {
    if (!this.width) return;
    const { width, height, plot } = this;
    plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
    plot.style.height = `${height}px`;
    const values = this.series.flatMap((line) => line.y).filter((value) => !this.log || value > 0);
    this.empty.hidden = values.length > 0;
    this.empty.textContent = this.stops?.length ? "no value above zero" : "nothing yet";
    const least = values.length ? values.reduce((a, b) => Math.min(a, b)) : 0;
    const begins = this.from !== null && this.from <= least;
    let low = begins ? this.from : least;
    let high = values.length ? values.reduce((a, b) => Math.max(a, b)) : 1;
    if (this.log) [low, high] = values.length ? [Math.log10(values.reduce((a, b) => Math.min(a, b))), Math.log10(high)] : [-1, 0];
    if (high - low < 1e-9) [low, high] = this.log ? [low - 0.5, high + 0.5] : [Math.min(low, 0), Math.max(high, low + 1e-6)];
    else [low, high] = [begins ? low : low - 0.04 * (high - low), high + 0.04 * (high - low)];
    this.low = low;
    this.high = high;
    const gridlines = this.log
      ? ticks(Math.ceil(low), Math.floor(high), 4).filter(Number.isInteger).map((power) => 10 ** power)
      : ticks(low, high, height > 150 ? 5 : 3);
    const marks = gridlines.length ? gridlines : [10 ** ((low + high) / 2)];
    const grid = marks.flatMap((value) => [
      makeSvg("line", { class: "grid", x1: EDGES.left, x2: width - EDGES.right, y1: this.y(value), y2: this.y(value) }),
      makeSvg("text", { class: "tick", x: EDGES.left - 8, y: this.y(value) + 4, "text-anchor": "end" }, plain(value)),
    ]);
    const along = ticks(0, this.end, Math.min(8, (width - 60) / 48)).map((value) =>
      makeSvg("text", { class: "tick", x: this.x(value), y: height - 8, "text-anchor": "middle" }, plain(value)));
    const floor = makeSvg("line", { class: "axis", x1: EDGES.left, x2: width - EDGES.right, y1: height - EDGES.bottom, y2: height - EDGES.bottom });
    this.cursor = makeSvg("g", { class: "cursor", "aria-hidden": "true" });
    plot.replaceChildren(...grid, floor, ...along, ...this.series.flatMap((line) => this.line(line)), this.cursor);
    plot.setAttribute("aria-valuemax", this.end);
    this.key.replaceChildren(...this.series.map((line) => this.entry(line)));
    this.point(this.at, false);
  }

  line({ x, y, colour, dash, best, dots }) {
    const spots = x.map((value, at) => [value, y[at]]).filter(([, value]) => !this.log || value > 0).map(([a, b]) => [this.x(a), this.y(b)]);
    const d = spots.map(([a, b], at) => `${at ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
    const drawn = [makeSvg("path", { class: "line", d, stroke: colour, "stroke-dasharray": dash })];
    if (dots || spots.length === 1) drawn.push(...spots.map(([a, b]) => makeSvg("circle", { cx: a, cy: b, r: spots.length > 30 ? 1.6 : 2.6, fill: colour })));
    if (best !== undefined && best !== null) {
      const at = x.indexOf(best);
      if (at >= 0) drawn.push(makeSvg("circle", { class: "best", cx: this.x(x[at]), cy: this.y(y[at]), r: 6.5 }));
    }
    return drawn;
  }

  entry(line) {
    line.value = make("output", {});
    const sample = makeSvg("svg", { class: "sample-line", viewBox: "0 0 22 8", "aria-hidden": "true" }, makeSvg("line", { x1: 0, x2: 22, y1: 4, y2: 4, stroke: line.colour, "stroke-width": 2.4, "stroke-dasharray": line.dash }));
    return make("span", { class: "entry" }, line.name ? sample : null, line.name, line.value);
  }

  x(value) {
    return EDGES.left + (value / this.end) * (this.width - EDGES.left - EDGES.right);
  }

  y(value) {
    const place = this.log ? Math.log10(value) : value;
    return this.height - EDGES.bottom - ((place - this.low) / (this.high - this.low)) * (this.height - EDGES.bottom - EDGES.top);
  }

  valueAt(pixels) {
    return ((pixels - EDGES.left) / (this.width - EDGES.left - EDGES.right)) * this.end;
  }

  nearest(line, value) {
    return line.x.reduce((best, x, at) => (Math.abs(x - value) < Math.abs(line.x[best] - value) ? at : best), 0);
  }

  /** Put the cursor at a value of x, or take it away; the key then has the last values. */
  point(value, tell = true) {
    this.at = value;
    if (!this.cursor) return;
    const known = this.series.filter((line) => line.x.length);
    const stop = value === null || !this.stops?.length ? null : this.stops.reduce((best, x) => (Math.abs(x - value) < Math.abs(best - value) ? x : best));
    const read = known.map((line) => ({ line, at: stop === null ? line.x.length - 1 : this.nearest(line, stop) }));
    for (const { line, at } of read) line.value.textContent = `${plain(line.y[at])}${this.unit}`;
    this.where.textContent = stop === null ? "" : `epoch ${plain(stop)}`;
    this.cursor.replaceChildren();
    if (stop !== null) {
      this.cursor.append(makeSvg("line", { x1: this.x(stop), x2: this.x(stop), y1: EDGES.top, y2: this.height - EDGES.bottom }));
      for (const { line, at } of read) if (!this.log || line.y[at] > 0) this.cursor.append(makeSvg("circle", { cx: this.x(line.x[at]), cy: this.y(line.y[at]), r: 3.6, fill: line.colour }));
    }
    const text = read.map(({ line, at }) => `${line.name} ${plain(line.y[at])}${this.unit}`).join(", ");
    const place = stop ?? this.stops?.at(-1);
    this.plot.setAttribute("aria-valuenow", place ?? 0);
    this.plot.setAttribute("aria-valuetext", text ? `epoch ${plain(place)}: ${text}` : "nothing yet");
    if (tell) this.moved(stop);
  }

  walk(event) {
    const stops = this.stops ?? [];
    const at = this.at === null ? stops.length - 1 : stops.reduce((best, x, index) => (Math.abs(x - this.at) < Math.abs(stops[best] - this.at) ? index : best), 0);
    const jump = Math.max(1, Math.round(stops.length / 10));
    const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, PageDown: at - jump, PageUp: at + jump, Home: 0, End: stops.length - 1 }[event.key];
    if (event.key === "Escape") return this.point(null);
    if (to === undefined || !stops.length) return;
    event.preventDefault();
    this.point(stops[Math.min(Math.max(to, 0), stops.length - 1)]);
  }
}
