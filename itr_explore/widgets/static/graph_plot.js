// One drawing of a graph: nodes that can be rested on, pinned and walked, edges that can be chosen.
// The same class draws over the image, along the sentence and as a layout; they differ in where nodes stand.

const MOST_DRAWN = 400; // edges
const THUMB = 72; // pixels of a node's piece of the image
const SIGNS = { cut: "M-4-4 4 4M4-4-4 4", reverse: "M-5-2.6H5M2-5.4 5-2.6M5 2.6H-5M-2 5.4-5 2.6", mean: "M-4-2.2H4M-4 2.2H4" };

class GraphPlot {
  constructor(label, actions, back = []) {
    this.actions = actions;
    this.back = makeSvg("g", { class: "back", "aria-hidden": "true" }, ...back);
    this.lines = makeSvg("g", { "aria-hidden": "true" }); // the pointer meets edges below the nodes,
    this.dots = makeSvg("g");
    this.hits = makeSvg("g", { class: "hits" }); // the keyboard after them: Tab goes from a node to its edges
    this.names = makeSvg("g", { class: "names", "aria-hidden": "true" }); // on top, so that no node hides another's
    this.svg = makeSvg("svg", { class: "plot", role: "group", "aria-label": label }, this.back, this.lines, this.dots, this.hits, this.names);
    this.nodes = [];
    this.edges = [];
    this.look = new Map();
  }

  setNodes(names, kind) {
    this.kind = kind;
    this.svg.dataset.kind = kind;
    this.nodes = names.map((name, index) => this.node(name, index));
    this.dots.replaceChildren(...this.nodes);
    this.texts = names.map(({ text }) => makeSvg("text", {}, [...text].length > 15 ? `${[...text].slice(0, 14).join("")}…` : text));
    this.names.replaceChildren(...this.texts);
  }

  node({ title }, index) {
    const node = makeSvg("g", { class: "node", role: "button", tabindex: index ? -1 : 0, "data-node": index, "aria-label": title, "aria-pressed": "false" },
      makeSvg("circle", { class: "reach", r: 15 }), makeSvg("rect", { class: "pad" }), makeSvg("circle", { class: "disc" }));
    node.addEventListener("pointerenter", () => this.actions.rest(index));
    node.addEventListener("pointerleave", this.actions.leave);
    node.addEventListener("focus", () => node.matches(":focus-visible") && this.actions.rest(index));
    node.addEventListener("blur", this.actions.leave);
    node.addEventListener("click", () => this.actions.pin(index));
    node.addEventListener("keydown", (event) => {
      const next = walk(this.nodes, event);
      if (next !== null) this.actions.walk(next);
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        this.actions.pin(index);
      }
    });
    return node;
  }

  /** A piece of the image inside each node. */
  setPictures(pictures) {
    this.nodes.forEach((node, index) => {
      node.querySelector("image")?.remove();
      if (pictures?.[index]) node.append(makeSvg("image", { href: pictures[index], preserveAspectRatio: "xMidYMid slice" }));
    });
  }

  size(width, height) {
    [this.width, this.height] = [Math.max(1, width), Math.max(1, height)];
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.svg.style.width = `${this.width}px`;
    this.svg.style.height = `${this.height}px`;
  }

  /** Where nodes stand and how large they are, in pixels; their names stand `inside`, `below` or `alone`. */
  put(points, radii, where) {
    [this.points, this.radii] = [points, radii];
    this.nodes.forEach((node, index) => {
      const [[x, y], r] = [points[index], radii[index]];
      node.style.transform = this.texts[index].style.transform = `translate(${x}px,${y}px)`;
      node.querySelector(".disc").setAttribute("r", r);
      node.querySelector(".reach").setAttribute("r", where === "alone" ? 0 : Math.max(r, 13));
      const pad = where === "alone" ? { x: -r, y: -10, width: 2 * r, height: 20, rx: 5 } : { width: 0, height: 0 };
      fill(node.querySelector(".pad"), pad, []);
      const picture = node.querySelector("image");
      if (picture) fill(picture, { x: -r, y: -r, width: 2 * r, height: 2 * r }, []);
      this.texts[index].setAttribute("y", where === "below" ? r + 11 : 0);
    });
  }

  /** Edges, the strongest first. `marks` says which were edited, and how. */
  drawEdges(edges, { largest, symmetric, plain, bow, marks = new Map() }) {
    const met = new Set(); // one line for both ways
    const drawn = symmetric ? edges.filter(({ from, to, id }) => met.add(id) && !met.has(`${to}-${from}`)) : edges;
    this.edges = drawn.slice(0, MOST_DRAWN);
    this.look = new Map();
    const lines = [];
    const hits = this.edges.map((edge) => {
      const { from, to, value, id } = edge;
      const way = this.way(from, to, plain ? 1.6 : 1 + 3 * (Math.abs(value) / (largest || 1)), bow, symmetric ? 0 : null);
      const mark = marks.get(id);
      const line = makeSvg("g", { class: `edge${value < 0 ? " negative" : ""}${mark === "cut" ? " gone" : ""}`, "data-from": from, "data-to": to },
        makeSvg("path", { class: "grab", d: way.line, "data-grab": id }),
        makeSvg("path", { class: "rim", d: way.line, "stroke-width": way.width + 2 }),
        makeSvg("path", { class: "line", d: way.line, "stroke-width": way.width }),
        symmetric ? null : makeSvg("path", { class: "tip", d: way.tip }),
        mark ? makeSvg("g", { class: "mark", transform: `translate(${way.middle})` }, makeSvg("circle", { r: 8 }), makeSvg("path", { d: SIGNS[mark] })) : null);
      const hit = makeSvg("path", { class: "hit", d: way.line, role: "button", tabindex: -1, "data-edge": id, "aria-haspopup": "menu", "aria-label": this.actions.nameEdge(edge) });
      lines.push(line);
      this.look.set(id, [line, hit]);
      this.listenEdge(line, hit, edge);
      return hit;
    });
    this.lines.replaceChildren(...lines.reverse());
    this.hits.replaceChildren(...hits);
  }

  listenEdge(line, hit, edge) {
    line.addEventListener("pointerenter", () => this.actions.restEdge(edge));
    line.addEventListener("pointerleave", this.actions.leave);
    line.addEventListener("click", () => this.actions.choose(edge, hit));
    hit.addEventListener("focus", () => hit.matches(":focus-visible") && this.actions.restEdge(edge));
    hit.addEventListener("blur", this.actions.leave);
    hit.addEventListener("click", () => this.actions.choose(edge, hit)); // a screen reader's
    hit.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.actions.choose(edge, hit);
    });
  }

  /** A curve from rim to rim of two nodes, with a tip; along the sentence it bows out to one side. */
  way(from, to, width, bow, tip = null) {
    const [p, q] = [this.points[from], this.points[to]];
    const [dx, dy] = [q[0] - p[0], q[1] - p[1]];
    const length = Math.hypot(dx, dy) || 1;
    const bend = Math.min(0.16 * length, 40);
    const middle = [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2];
    const control = bow ? bow(p, q) : [middle[0] - (dy / length) * bend, middle[1] + (dx / length) * bend];
    const toward = (start, end, by) => {
      const far = Math.hypot(end[0] - start[0], end[1] - start[1]) || 1;
      return [start[0] + ((end[0] - start[0]) / far) * by, start[1] + ((end[1] - start[1]) / far) * by];
    };
    const [start, end] = bow ? [[p[0] + (control[0] > p[0] ? 1 : -1) * this.radii[from], p[1]], [q[0] + (control[0] > q[0] ? 1 : -1) * this.radii[to], q[1]]]
      : [toward(p, control, Math.min(this.radii[from] + 1, length / 3)), toward(q, control, Math.min(this.radii[to] + 2, length / 3))];
    const head = tip ?? 4 + 1.4 * width; // a line without a tip reaches the rim
    const base = toward(end, control, head);
    const side = [(end[1] - base[1]) / 2, (base[0] - end[0]) / 2];
    const at = ([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`;
    return {
      width,
      line: `M${at(start)}Q${at(control)} ${at(base)}`,
      tip: `M${at(end)}L${at([base[0] + side[0], base[1] + side[1]])} ${at([base[0] - side[0], base[1] - side[1]])}Z`,
      middle: [0, 1].map((axis) => ((start[axis] + base[axis]) / 4 + control[axis] / 2).toFixed(1)),
    };
  }

  /** What is rested on or pinned stands out; the edges of a pinned node become tab stops. */
  light({ node, edge, pinned }) {
    const near = new Set(edge ? [edge.from, edge.to] : node === null ? [] : [node]);
    this.svg.classList.toggle("busy", near.size > 0);
    for (const { from, to, id } of this.edges) {
      const on = edge ? id === edge.id : node !== null && (from === node || to === node);
      if (on && !edge) near.add(from).add(to);
      const [line, hit] = this.look.get(id);
      const stop = pinned !== null && (from === pinned || to === pinned);
      if (looksNew(line, on)) line.classList.toggle("lit", on);
      if (looksNew(hit, stop)) hit.setAttribute("tabindex", stop ? 0 : -1);
    }
    this.nodes.forEach((dot, index) => {
      if (!looksNew(dot, index === node, near.has(index), index === pinned)) return;
      dot.classList.toggle("active", index === node);
      dot.classList.toggle("near", near.has(index));
      dot.classList.toggle("pinned", index === pinned);
      dot.setAttribute("aria-pressed", String(index === pinned));
      if (index === node) this.nodes.forEach((other) => other.setAttribute("tabindex", other === dot ? 0 : -1));
      this.texts[index].setAttribute("class", dot.getAttribute("class").replace("node", ""));
    });
  }

  hitOf(id) {
    return this.hits.querySelector(`[data-edge="${id}"]`);
  }
}

/** The middle square of each box of a photo, as small pictures; null where it cannot be read. */
function cutPieces(photo, boxes) {
  const [W, H] = [photo.naturalWidth, photo.naturalHeight];
  if (!W || !H) return null;
  const sheet = make("canvas", { width: THUMB, height: THUMB });
  const pen = sheet.getContext("2d");
  return boxes.map(([left, top, right, bottom]) => {
    const side = Math.max(1, Math.min((right - left) * W, (bottom - top) * H));
    pen.clearRect(0, 0, THUMB, THUMB);
    pen.drawImage(photo, ((left + right) / 2) * W - side / 2, ((top + bottom) / 2) * H - side / 2, side, side, 0, 0, THUMB, THUMB);
    return sheet.toDataURL("image/jpeg", 0.8);
  });
}
