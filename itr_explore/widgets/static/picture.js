// The picture: image, heat, boxes, true boxes, edges; or the regions in a circle, for their edges' sake.

const LIT = 0.15; // share of the colour scale from which on a region or word counts as lit
const TAGS = 3; // how many of the strongest regions carry their number
const TAG = 20; // height of a tag, pixels
const MOST_EDGES = 400;
const DISC = 8.5; // radius of an edge's end, pixels

class Picture {
  /** `aside`: one of several of the same image, which the keyboard and readers meet in another place. */
  constructor(payload, actions, aside = false) {
    this.payload = payload;
    this.aside = aside;
    this.heat = "fill";
    this.placed = payload.boxes !== null;
    this.boxes = payload.boxes ?? tiles(payload.regions);
    const { image } = payload;
    this.aspect = this.placed && image ? image.height / image.width : image && payload.regions === 0 ? 1 : 0.72;
    this.spots = this.boxes; // where the regions are drawn
    this.circle = payload.circle?.length === payload.regions && payload.regions > 1 ? payload.circle : null;
    this.photo = image && this.placed ? make("img", { src: image.src, alt: aside ? "" : payload.alt, draggable: "false" }) : null;
    this.crops = make("canvas", { "aria-hidden": "true", hidden: true });
    this.veil = make("canvas", { "aria-hidden": "true" });
    this.edges = makeSvg("g", { class: "edges", "aria-hidden": "true" });
    this.truth = makeSvg("g", { class: "truth", "aria-hidden": "true" });
    this.regions = this.boxes.map((_, index) => this.region(index, actions));
    const byArea = [...this.regions.keys()].sort((a, b) => area(this.boxes[b]) - area(this.boxes[a]));
    this.layer = makeSvg("svg", aside ? { "aria-hidden": "true" } : { role: "group", "aria-label": "regions" }, ...byArea.map((index) => this.regions[index]), this.truth, this.edges);
    this.tags = make("div", { class: "tags", "aria-hidden": "true" });
    this.stage = make("div", { class: "stage", "data-blank": !this.photo, "data-many": payload.regions > 30 }, this.photo, this.crops, this.veil, this.layer, this.tags);
    this.root = make("figure", { class: "picture" }, this.stage, aside ? null : this.remark());
  }

  remark() {
    const { image } = this.payload;
    if (this.placed && image) return null;
    const small = image && !this.placed ? make("img", { class: "aside", src: image.src, alt: this.payload.alt }) : null;
    const text = this.placed
      ? "No image is known for this pair: the boxes stand on a blank sheet."
      : "No boxes are known for this collection: its regions are listed as tiles, not where they are in the image.";
    return make("figcaption", {}, small, text);
  }

  region(index, actions) {
    const spoken = { role: "button", tabindex: index ? -1 : 0, "aria-label": nameRegion(this.payload, index) };
    const node = makeSvg("rect", { class: "region", "data-region": index, ...(this.aside ? {} : spoken) });
    node.addEventListener("pointerenter", () => actions.rest({ axis: "region", index }));
    node.addEventListener("pointerleave", actions.leave);
    node.addEventListener("click", () => actions.pin({ axis: "region", index }));
    if (this.aside) return node;
    node.addEventListener("focus", () => node.matches(":focus-visible") && actions.rest({ axis: "region", index }));
    node.addEventListener("blur", actions.leave);
    node.addEventListener("keydown", (event) => {
      const next = walk(this.regions, event);
      if (next !== null) actions.walk({ axis: "region", index: next });
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        actions.pin({ axis: "region", index });
      }
    });
    return node;
  }

  /** Fit into a width; every drawn length is in CSS pixels, so lines keep their width. */
  layout(width, tallest) {
    this.width = Math.max(1, Math.min(width, tallest / this.aspect));
    this.height = Math.max(1, this.width * this.aspect);
    this.sharp = window.devicePixelRatio || 1;
    this.stage.style.width = `${this.width}px`;
    this.stage.style.height = `${this.height}px`;
    for (const canvas of [this.veil, this.crops]) {
      canvas.width = Math.round(this.width * this.sharp);
      canvas.height = Math.round(this.height * this.sharp);
    }
    this.layer.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.stand();
  }

  /** Regions in a circle, each as a small square, or where they are in the image. */
  arrange(circled) {
    this.circled = Boolean(circled && this.circle);
    this.stage.classList.toggle("circled", this.circled);
    if (this.width) this.stand();
  }

  stand() {
    this.spots = this.circled ? this.onCircle() : this.boxes;
    this.regions.forEach((node, index) => place(node, this.pixels(this.spots[index])));
    this.crops.hidden = !(this.circled && this.photo);
    if (!this.crops.hidden) this.drawCrops();
  }

  onCircle() {
    const shorter = Math.min(this.width, this.height);
    const side = Math.min(0.15 * shorter, (0.86 * Math.PI * 0.86 * shorter) / this.circle.length);
    const reach = 0.48 * shorter - side / 2;
    return this.circle.map(([x, y]) => {
      const [cx, cy] = [this.width / 2 + reach * x, this.height / 2 + reach * y];
      return [(cx - side / 2) / this.width, (cy - side / 2) / this.height, (cx + side / 2) / this.width, (cy + side / 2) / this.height];
    });
  }

  drawCrops() {
    const { photo } = this;
    if (!photo.naturalWidth) return photo.addEventListener("load", () => this.stand(), { once: true });
    const pen = this.crops.getContext("2d");
    pen.clearRect(0, 0, this.crops.width, this.crops.height);
    this.spots.forEach((spot, index) => {
      const [left, top, right, bottom] = this.pixels(spot).map((length) => length * this.sharp);
      cropSquare(pen, photo, this.boxes[index], left, top, Math.min(right - left, bottom - top));
    });
  }

  pixels([left, top, right, bottom]) {
    return [left * this.width, top * this.height, right * this.width, bottom * this.height];
  }

  /** Where a region's edges end: the middle of its box, or inside the circle before it. */
  end(index) {
    const [left, top, right, bottom] = this.pixels(this.spots[index]);
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    if (!this.circled) return [x, y];
    const [dx, dy] = this.circle[index];
    const by = (right - left) * 0.55 + DISC;
    return [x - dx * by, y - dy * by];
  }

  light(lights, theme) {
    const colours = lights.regions ? Array.from(lights.regions, (value, at) => lights.colour(value, lights.regionRow(at))) : null;
    const chosen = lights.active?.axis === "region" ? lights.active.index : lights.cross?.axis === "region" ? lights.cross.index : -1;
    this.stage.classList.toggle("busy", Boolean(colours) || chosen >= 0);
    this.regions.forEach((node, index) => {
      const strength = colours ? colours[index].strength : 0;
      if (!looksNew(node, strength, index === chosen, index === chosen && lights.pinned)) return;
      node.classList.toggle("lit", strength >= LIT);
      node.classList.toggle("active", index === chosen);
      node.setAttribute("aria-pressed", String(index === chosen && lights.pinned));
      node.style.strokeWidth = strength >= LIT ? 1.2 + 2 * strength : "";
    });
    this.drawWeights(colours, lights, chosen, theme);
    this.drawTags(colours, lights, chosen);
    const boxes = this.circled ? [] : lights.trueBoxes;
    if (boxes.length || this.truth.firstChild) this.truth.replaceChildren(...boxes.map((box) => place(makeSvg("rect"), this.pixels(box))));
  }

  drawWeights(colours, lights, chosen, theme) {
    if (!colours && chosen < 0) {
      if (looksNew(this.veil, "bare", this.veil.width)) this.veil.getContext("2d").clearRect(0, 0, this.veil.width, this.veil.height);
      return;
    }
    looksNew(this.veil, "drawn");
    const kind = this.circled ? "contour" : this.heat;
    drawHeat(kind, this.veil, this.spots, {
      strength: (index) => (colours ? colours[index].strength : Number(index === chosen)),
      tone: (index) => colours?.[index].rgb,
      colourAt: colours && lights.colourAt,
      shade: channels(PALETTE.veil),
      depth: kind === "smooth" && theme === "light" ? 0 : this.photo ? 0.55 : theme === "dark" ? 0.35 : 0.06,
      tint: this.photo ? (theme === "dark" ? 0.28 : 0.45) : 0.85,
      sharp: this.sharp,
    });
  }

  drawTags(colours, lights, chosen) {
    const strongest = colours
      ? [...colours.keys()].filter((at) => colours[at].strength >= LIT).sort((a, b) => colours[b].strength - colours[a].strength).slice(0, this.aside ? 1 : TAGS)
      : [];
    const shown = chosen >= 0 && (!this.aside || !colours) && !strongest.includes(chosen) ? [...strongest, chosen] : strongest;
    const taken = [];
    const tags = shown.map((index) => {
      const [left, top, , bottom] = this.pixels(this.spots[index]);
      const rgb = colours && strongest.includes(index) ? colours[index].rgb : channels(PALETTE.inks[0]);
      const start = bottom - top < 2.5 * TAG ? top - TAG : top; // a small region is not hidden by its tag
      let y = Math.min(Math.max(start, 0), this.height - TAG);
      const x = Math.min(Math.max(left, 0), this.width - 62);
      while (taken.some(([tx, ty]) => Math.abs(tx - x) < 62 && Math.abs(ty - y) < TAG) && y < this.height - 2 * TAG) y += TAG;
      taken.push([x, y]);
      const text = lights.regions && colours ? `${index} · ${short(lights.regions[index])}` : `${index}`;
      return make("span", { class: "tag", style: `left:${x}px;top:${y}px;background:${css(rgb)};color:${inkOn(rgb)}` }, text);
    });
    if (!this.placed || !this.photo) {
      this.regions.forEach((_, index) => {
        if (shown.includes(index)) return;
        if (this.circled) return; // the discs of its edges say which it is
        const [left, top] = this.pixels(this.spots[index]);
        tags.push(make("span", { class: "tag plain", style: `left:${left + 3}px;top:${top + 2}px` }, String(index)));
      });
    }
    this.tags.replaceChildren(...tags);
  }

  /** Relation edges at or above a threshold, strongest last. */
  drawEdges(edges, largest) {
    const shown = edges.slice(0, MOST_EDGES).reverse();
    const nodes = new Set(shown.flatMap(({ from, to }) => [from, to]));
    const lines = shown.map(({ from, to, value }) => {
      const strength = Math.abs(value) / (largest || 1);
      return arrow(this.end(from), this.end(to), 1 + 3 * strength, { class: value < 0 ? "edge negative" : "edge", "data-from": from, "data-to": to });
    });
    const crowded = this.circled && this.regions.length > 60;
    const dots = [...nodes].map((index) => {
      const [x, y] = this.end(index);
      return makeSvg("g", { class: "node", "data-node": index }, makeSvg("circle", { cx: x, cy: y, r: crowded ? 3 : DISC }), crowded ? null : makeSvg("text", { x, y: y + 3.5 }, String(index)));
    });
    this.edges.replaceChildren(...lines, ...dots);
  }

  /** Let the active region's edges stand out, those `from` it, `to` it or `both`; all step back behind a word's heat. */
  lightEdges(active, way = "both") {
    this.edges.classList.toggle("behind", active?.axis === "word");
    const region = active?.axis === "region" ? String(active.index) : null;
    for (const { classList, dataset } of this.edges.children) {
      if (dataset.node) classList.toggle("active", dataset.node === region);
      else classList.toggle("faint", region !== null && !(dataset.from === region && way !== "to") && !(dataset.to === region && way !== "from"));
    }
  }
}

const area = ([left, top, right, bottom]) => (right - left) * (bottom - top);

const nameRegion = (payload, index) => `region ${index}${payload.labels[index] ? ` (${payload.labels[index]})` : ""}`;

/** The middle square of a region's box, drawn small. */
function cropSquare(pen, photo, [left, top, right, bottom], x, y, size) {
  const [width, height] = [photo.naturalWidth, photo.naturalHeight];
  if (!photo.complete || !width) return;
  const side = Math.max(1, Math.min((right - left) * width, (bottom - top) * height));
  const [cx, cy] = [((left + right) / 2) * width, ((top + bottom) / 2) * height];
  pen.save();
  pen.beginPath();
  pen.roundRect(x, y, size, size, size / 12);
  pen.clip();
  pen.drawImage(photo, cx - side / 2, cy - side / 2, side, side, x, y, size, size);
  pen.restore();
}

function place(node, [left, top, right, bottom]) {
  return fill(node, { x: left, y: top, width: Math.max(right - left, 1), height: Math.max(bottom - top, 1) }, []);
}

/** Boxes for regions whose place is unknown: a grid, read row by row. */
function tiles(count) {
  const columns = Math.max(1, Math.ceil(Math.sqrt(count * 1.3)));
  const rows = Math.max(1, Math.ceil(count / columns));
  return Array.from({ length: count }, (_, index) => {
    const [x, y] = [index % columns, Math.floor(index / columns)];
    return [(x + 0.06) / columns, (y + 0.06) / rows, (x + 0.94) / columns, (y + 0.94) / rows];
  });
}

/** A curved arrow with a pale rim, so that it reads on any photo. */
function arrow([x1, y1], [x2, y2], width, attributes) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = Math.hypot(dx, dy) || 1;
  const bend = Math.min(0.16 * length, 42);
  const [mx, my] = [(x1 + x2) / 2 - (dy / length) * bend, (y1 + y2) / 2 + (dx / length) * bend];
  const toward = (fx, fy, tx, ty, by) => {
    const far = Math.hypot(tx - fx, ty - fy) || 1;
    return [fx + ((tx - fx) / far) * by, fy + ((ty - fy) / far) * by];
  };
  const [sx, sy] = toward(x1, y1, mx, my, Math.min(9, length / 3));
  const [ex, ey] = toward(x2, y2, mx, my, Math.min(10, length / 3));
  const head = 4 + 1.4 * width;
  const [bx, by] = toward(ex, ey, mx, my, head);
  const [nx, ny] = [((ey - by) / head) * head * 0.5, ((bx - ex) / head) * head * 0.5];
  const line = `M${sx} ${sy}Q${mx} ${my} ${bx} ${by}`;
  const tip = `M${ex} ${ey}L${bx + nx} ${by + ny}L${bx - nx} ${by - ny}Z`;
  return makeSvg("g", attributes,
    makeSvg("path", { class: "rim", d: line, "stroke-width": width + 2 }),
    makeSvg("path", { class: "line", d: line, "stroke-width": width }),
    makeSvg("path", { class: "tip", d: tip }));
}
