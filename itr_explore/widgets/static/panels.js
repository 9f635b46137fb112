// Several maps of one pair side by side: the same picture once a panel, one word in focus, one scale for all.

const WEIGHTS = ["softmax", "row_sum", "unit"]; // each the share of a whole, so they compare as they are

/** The maps that say something of regions. */
const ofRegions = (maps) => maps.filter((map) => map.axes.includes("region") && map.kind !== "region_to_region");

/** The map of a panel that answers best to the one in view: of its name, of its kind, or of words and regions. */
function answering(maps, wanted) {
  const found = ofRegions(maps);
  return found.find((map) => map.name === wanted?.name) ?? found.find((map) => map.kind === wanted?.kind) ?? found[0] ?? null;
}

/** Values as shares of the sum of all sizes of their row, signs kept. */
function shares(map) {
  const found = new Float32Array(map.values.length);
  for (let row = 0; row < map.rows; row++) {
    const values = map.row(row);
    const whole = values.reduce((sum, value) => sum + Math.abs(value), 0) || 1;
    values.forEach((value, at) => (found[row * map.columns + at] = value / whole));
  }
  return found;
}

class Panel {
  /** `head` and `foot` are nodes under the title and at the end; `maps` are decoded. */
  constructor(payload, { title, maps, head = null, foot = null }, actions) {
    Object.assign(this, { payload, title, maps });
    this.map = null;
    this.picture = new Picture(payload, actions, true);
    this.tally = make("span", { class: "tally" });
    this.from = make("p", { class: "from" });
    this.top = make("p", { class: "top" });
    this.chips = make("ul", { class: "chips", "aria-label": `${title}: mentions and whether the strongest region of each is right` });
    this.root = make("section", { class: "panel", "aria-label": title },
      make("h4", {}, make("bdi", {}, title), this.tally), head, this.from, this.picture.root, this.top, this.chips, foot);
    this.chips.addEventListener("pointerover", (event) => {
      const at = event.target.closest("li")?.dataset.mention;
      if (at) actions.rest({ axis: "word", index: payload.mentions[at].words.at(-1) });
    });
    this.chips.addEventListener("pointerleave", actions.leave);
  }

  show(map) {
    this.map = map;
    const judged = map?.verdicts ?? [];
    const checked = judged.filter(([state]) => state !== "ungrounded");
    this.tally.replaceChildren(...(checked.length ? [make("b", {}, `${checked.filter(([state]) => state === "hit").length} of ${checked.length}`), " right"] : []));
    this.from.textContent = map ? [families([map], ["kind", "origin"])[0].title, map.exact ? null : "not exact"].filter(Boolean).join(", ") : "no map of regions";
    this.chips.replaceChildren(...judged.map(([state, top], at) => {
      const name = this.payload.mentions[at].words.map((word) => this.payload.words[word]).join(" ");
      const says = `${BADGES[state].says}${state === "hit" || state === "miss" ? `: region ${top}` : ""}`;
      return make("li", { "data-mention": at, "data-state": state, title: `${name}: ${says}` }, make("bdi", {}, name), badge(state), make("span", { class: "unseen" }, says));
    }));
    this.chips.hidden = !judged.length;
  }

  /** This panel's values for what is active, or null. */
  values(active) {
    const { map } = this;
    if (!map) return null;
    const at = map.axes[0] === null ? 0 : active?.axis === "word" ? active.index : -1;
    return at < 0 ? null : this.scaled.subarray(at * map.columns, (at + 1) * map.columns);
  }

  light(now, scale, theme) {
    const values = this.values(now.active);
    this.picture.light({ ...now, regions: values, words: null, regionRow: () => null, colour: scale.colour, colourAt: scale.at }, theme);
    const top = values && values.some((value) => value) ? argmax(values) : -1;
    this.top.textContent = top < 0 ? "" : `strongest: region ${top} · ${short(values[top])}`;
    for (const chip of this.chips.children) chip.classList.toggle("active", now.active?.axis === "word" && this.payload.mentions[chip.dataset.mention].words.includes(now.active.index));
  }
}

class Panels {
  constructor(payload, panels, actions, label) {
    this.panels = panels.map((panel) => new Panel(payload, panel, actions));
    this.scale = make("p", { class: "scale" });
    this.root = make("section", { class: "beside", "aria-label": label },
      make("div", { class: "panels" }, ...this.panels.map(({ root }) => root)), this.scale);
  }

  /** Show a map in each panel (null: it has none), and put all on one scale, which is written below. */
  show(maps, theme) {
    const known = maps.filter(Boolean);
    const raw = known.every(({ scale }) => WEIGHTS.includes(scale)) || known.every(({ scale }) => scale === "cosine");
    this.panels.forEach((panel, at) => {
      panel.show(maps[at]);
      panel.scaled = maps[at] && (raw ? maps[at].values : shares(maps[at]));
    });
    const largest = Math.max(0, ...this.panels.map(({ scaled }) => (scaled ? Math.max(...scaled) : 0)));
    const below = this.panels.some(({ scaled }) => scaled?.some((value) => value < 0));
    const at = ramp(PALETTE[theme].sequential);
    this.colours = {
      at,
      colour: (value) => {
        const strength = largest ? Math.min(Math.max(value / largest, 0), 1) : 0;
        return { strength, rgb: at(strength) };
      },
    };
    const stops = Array.from({ length: 11 }, (_, step) => css(at(step / 10)));
    const rows = known.some(({ axes }) => axes[0] === "word") ? "word" : "map";
    const unit = raw ? `${known[0]?.scale === "cosine" ? "cosines" : "weights"} as they are` : `each ${rows}’s shares of the sum of its absolute values`;
    this.scale.replaceChildren("One scale for all: ", unit, make("span", { class: "ends" }, "0", make("i", { class: "bar", style: `background:linear-gradient(90deg,${stops.join()})` }), `${short(largest)}, the largest of any${below ? "; below zero nothing is lit" : ""}`));
    this.theme = theme;
  }

  heat(kind) {
    for (const { picture } of this.panels) picture.heat = kind;
  }

  layout(width) {
    const gap = 20;
    const fit = Math.max(1, Math.min(this.panels.length, Math.floor((width + gap) / (width < 400 ? 150 + gap : 190 + gap))));
    const each = (width - gap * (fit - 1)) / fit;
    this.root.style.setProperty("--panels", fit);
    for (const { picture } of this.panels) picture.layout(Math.min(each, 560), 400);
  }

  light(now) {
    for (const panel of this.panels) panel.light(now, this.colours, this.theme);
  }
}
