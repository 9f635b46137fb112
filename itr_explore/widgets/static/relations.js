// Relations between regions: which map, from what weight on, how many a region, which way, where they stand.

const FIRST_EDGES = 1; // edges a region that the first threshold leaves
const MOST_A_REGION = [0, 1, 2, 3, 5, 10]; // 0: all
const WAYS = { from: "from", to: "to", both: "both" };
const STANDS = { image: "in the image", circle: "in a circle" };

class Relations {
  /** `maps` relate regions to regions; `moved()` is called when the regions stand elsewhere. */
  constructor(maps, picture, moved) {
    this.picture = picture;
    this.map = maps[0];
    Object.assign(this, { on: false, threshold: 0, most: 0, way: "both", place: "image", all: [], largest: 0, active: null });
    this.toggle = make("input", { type: "checkbox" });
    this.slider = make("input", { type: "range", min: 0, max: 1, step: 0.005, "aria-label": "least weight of a relation that is drawn" });
    this.count = make("output", {});
    this.toggle.addEventListener("change", () => this.set({ on: this.toggle.checked }));
    this.slider.addEventListener("input", () => this.set({ threshold: this.slider.value * this.largest }));
    const most = choice("At most", MOST_A_REGION.map((most) => (most ? `${most} a region` : "all")), (at) => this.set({ most: MOST_A_REGION[at] }));
    most.title = "each region’s strongest relations to others";
    const circle = picture.circle ? switchOf("where the regions stand", STANDS, "image", (place) => this.set({ place })) : null;
    this.more = make("div", { class: "controls relations" },
      mapPicker("Which", maps, (map) => ((this.map = map), this.start()), ["origin"]),
      make("label", { class: "slider" }, this.slider, this.count),
      most,
      make("span", { class: "choice", title: "of the region that is rested on or held" }, "Of a region", switchOf("which relations of a region", WAYS, "both", (way) => this.set({ way }))),
      circle);
    this.moved = moved;
    this.switch = make("label", { class: "toggle" }, this.toggle, "Relations between regions");
    this.start();
  }

  start() {
    const { map } = this;
    this.all = [];
    for (let from = 0; from < map.rows; from++) {
      const row = map.row(from);
      const order = [...row.keys()].filter((to) => to !== from && row[to] !== 0).sort((a, b) => Math.abs(row[b]) - Math.abs(row[a]));
      order.forEach((to, rank) => this.all.push({ from, to, value: row[to], rank }));
    }
    this.all.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    this.largest = this.all.length ? Math.abs(this.all[0].value) : 0;
    const keep = Math.min(this.all.length, Math.round(FIRST_EDGES * map.rows)) - 1;
    this.threshold = keep >= 0 ? Math.abs(this.all[keep].value) : 0;
    this.slider.value = this.largest ? this.threshold / this.largest : 0;
    this.slider.disabled = !this.all.length;
    this.draw();
  }

  set(change) {
    const before = this.circled;
    Object.assign(this, change);
    if (this.circled !== before) {
      this.picture.arrange(this.circled);
      this.moved();
    }
    this.draw();
  }

  get circled() {
    return this.on && this.place === "circle";
  }

  draw() {
    this.more.hidden = !this.on;
    if (!this.picture.width) return;
    const shown = this.all.filter(({ value, rank }) => Math.abs(value) >= this.threshold - 1e-9 && (!this.most || rank < this.most));
    this.picture.drawEdges(this.on ? shown : [], this.largest);
    this.picture.stage.classList.toggle("graph", this.on);
    const capped = shown.length > MOST_EDGES ? `, the ${MOST_EDGES} strongest drawn` : "";
    this.count.textContent = `weight ≥ ${short(this.threshold)}: ${shown.length} of ${this.all.length}${capped}`;
    this.light(this.active);
  }

  light(active) {
    this.active = active;
    if (this.on) this.picture.lightEdges(active, this.way);
  }
}
