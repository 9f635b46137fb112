// ModelCompare: several systems on one pair, side by side on one scale; with a kernel, any pair of a collection.

const PAUSE = 60; // milliseconds without another choice before the kernel is asked

function mountModelCompare(host, payload, kernel) {
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  host.classList.add("itr-model-compare");
  host.setAttribute("data-lm-suppress-shortcuts", "true"); // in JupyterLab arrows and Enter would move cells
  const state = { shown: payload.shown, theme: "light" };
  const { choosing } = payload;
  const place = make("span", { class: "place" });
  const body = make("div", { class: "pair" });
  const trouble = make("div", { "aria-live": "polite" });
  const chooser = choosing && kernel ? new Chooser(choosing, kernel, show, complain) : null;
  const counts = choosing && !chooser ? make("p", { class: "about" }, tellGroups(choosing)) : null;
  const root = make("section", { class: "view", "aria-label": `${payload.models.join(", ")}: several systems on one pair` },
    make("header", {}, make("span", { class: "model" }, payload.models.join(" | ")), place),
    chooser?.root ?? null, counts, trouble, body);
  shadow.replaceChildren(make("style", {}, STYLE), root);

  let compared = null;

  function show(shown) {
    trouble.replaceChildren();
    state.shown = shown;
    place.textContent = shown.where;
    chooser?.at(shown.place);
    compared?.stop();
    compared = new Compared(shown, state.theme);
    body.replaceChildren(compared.root);
    compared.layout(inner());
  }

  function complain(error) {
    trouble.replaceChildren(complaint(error));
  }

  function inner() {
    const style = getComputedStyle(root);
    return root.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  }

  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && compared?.letGo()) event.stopPropagation();
  });
  const follow = followTheme(root, (theme) => {
    state.theme = theme;
    compared?.follow(theme);
  });
  const stopLooking = onNewWidth(root, () => {
    root.classList.toggle("wide", inner() >= 720);
    follow.look();
    compared?.layout(inner());
  });
  show(state.shown);

  return () => {
    follow.stop();
    stopLooking();
    compared?.stop();
    shadow.replaceChildren();
  };
}

const tellGroups = ({ groups, captions, asked }) =>
  `Of ${captions} captions: ${groups.map(({ name, count }) => `${name}: ${count}`).join("; ")}. A system is right where it ${asked}. Other pairs need a kernel.`;

/** A group of pairs, a pair of it, or any pair by its numbers. */
class Chooser {
  constructor(choosing, kernel, show, complain) {
    Object.assign(this, { kernel, choosing, complain, entries: [] });
    this.ask = debounced(PAUSE, (image, caption) => kernel.askLast("show", "show", { image, caption }).then(show, complain));
    const groups = choosing.groups.map(({ name, count }) => `${name}: ${count}`);
    this.groups = choice("Pairs", groups, (at) => this.list(choosing.groups[at].name));
    this.groups.title = `of ${choosing.captions} captions; a system is right where it ${choosing.asked}`;
    this.pairs = choice("Pair", [], (at) => this.go(at));
    this.back = this.step("‹", "pair before", -1);
    this.ahead = this.step("›", "next pair", 1);
    const number = (label, most) => {
      const field = make("input", { type: "number", min: 0, max: most, step: 1, value: 0, inputmode: "numeric" });
      field.addEventListener("input", () => field.value !== "" && this.typed(field));
      return { field, label: make("label", { class: "choice" }, label, field) };
    };
    this.image = number("Image", choosing.images - 1);
    this.caption = number("Caption", 99);
    this.root = make("div", { class: "controls chooser" }, this.groups,
      make("span", { class: "choice" }, this.pairs, make("span", { class: "switch" }, this.back, this.ahead)), this.image.label, this.caption.label);
    this.list((choosing.groups.find(({ count }) => count) ?? choosing.groups[0]).name, false);
    this.groups.querySelector("select").selectedIndex = Math.max(0, choosing.groups.findIndex(({ count }) => count));
  }

  step(sign, says, by) {
    const node = make("button", { type: "button", "aria-label": says, title: says }, sign);
    node.addEventListener("click", () => this.go(this.pairs.querySelector("select").selectedIndex + by));
    return node;
  }

  list(group, first = true) {
    this.kernel.askLast("list", "list", { group }).then((entries) => {
      this.entries = entries;
      const left = this.choosing.groups.find(({ name }) => name === group).count - entries.length;
      const select = this.pairs.querySelector("select");
      select.replaceChildren(...entries.map(({ text, ranks }) => make("option", {}, `${ranks.join(" | ")} · ${text}`)));
      select.title = `ranks of the systems, then the caption${left > 0 ? `; ${left} more are not listed` : ""}`;
      select.disabled = !entries.length;
      if (!entries.length) select.append(make("option", {}, "none"));
      if (first && entries.length) this.go(0);
      else this.at(this.place);
    }, this.complain);
  }

  go(at) {
    const entry = this.entries[at];
    if (!entry) return;
    this.at([entry.image, entry.caption]);
    this.ask(entry.image, entry.caption);
  }

  typed(field) {
    if (field === this.image.field) this.caption.field.value = 0; // another image: its first caption
    const [image, caption] = [this.image.field, this.caption.field].map(({ value }) => Number(value));
    this.at([image, caption]);
    this.ask(image, caption);
  }

  /** Let the lists say which pair is shown. */
  at(place) {
    this.place = place;
    if (!place) return;
    [this.image.field, this.caption.field].forEach((field, at) => {
      if (Number(field.value) !== place[at] && !field.matches(":focus")) field.value = place[at]; // not while one types
    });
    const at = this.entries.findIndex(({ image, caption }) => image === place[0] && caption === place[1]);
    if (this.entries.length) this.pairs.querySelector("select").selectedIndex = at;
    this.back.disabled = at <= 0;
    this.ahead.disabled = at < 0 ? !this.entries.length : at >= this.entries.length - 1;
  }
}

/** One pair: the sentence once, a column a system. */
class Compared {
  constructor({ pair, systems }, theme) {
    const state = { resting: null, pinned: null };
    Object.assign(this, { pair, systems, theme, state, inside: null });
    const payload = { ...pair, unknown: [] };
    const actions = {
      rest: (target) => ((state.resting = target), this.paint()),
      leave: () => ((state.resting = null), this.paint()),
      pin: (target) => {
        const same = state.pinned && state.pinned.axis === target.axis && state.pinned.index === target.index;
        state.pinned = same ? null : { axis: target.axis, index: target.index };
        this.paint();
      },
      walk: (target) => {
        if (state.pinned) state.pinned = target;
        state.resting = target;
        this.paint();
      },
    };
    this.sentence = new Sentence(payload, actions);
    this.sentence.judge({ verdicts: null });
    this.maps = systems.map((system) => ofRegions(system.maps.map(decode)));
    this.chosen = this.maps.map((maps) => answering(maps, { kind: "word_to_region" }));
    this.looks = systems.map((system, at) => this.look(system, at));
    this.panels = new Panels(payload, systems.map((system, at) => ({ title: system.name, maps: this.maps[at], head: this.facts(system), foot: this.foot(system, at) })), actions, "the systems side by side");
    this.readout = make("p", { class: "readout", "aria-live": "polite" });
    this.more = make("div", { class: "inside" });
    this.root = make("div", {}, make("div", { class: "reading" }, this.sentence.root), this.readout, this.panels.root, this.legend(), this.more);
    this.panels.show(this.chosen, theme);
  }

  facts({ score, ranks }) {
    const said = [
      ["score", score, "the system’s score of this pair"],
      ["image rank", ranks.image, "where the image stands among all images, for this caption"],
      ["caption rank", ranks.caption, "where this caption stands among it and those of other images, for this image"],
    ].filter(([, value]) => value);
    return make("p", { class: "facts" }, ...said.map(([name, value, title]) => make("span", { title }, `${name} `, make("b", {}, value))));
  }

  foot(system, at) {
    const unseen = system.unknown.length ? make("p", { class: "from" }, `has never seen: ${system.unknown.map((word) => this.pair.words[word]).join(", ")}`) : null;
    const picker = this.maps[at].length > 1 ? mapPicker("Map", this.maps[at], (map) => this.choose(at, map)) : null;
    return make("div", { class: "foot" }, unseen, make("div", { class: "controls" }, picker, this.looks[at]));
  }

  /** A button that opens the whole linked view of one system below. */
  look(system, at) {
    const node = make("button", { type: "button", class: "look", "aria-expanded": "false" }, "Look inside");
    node.addEventListener("click", () => this.open(this.inside?.at === at ? -1 : at));
    return node;
  }

  open(at) {
    this.inside?.stop();
    this.inside = null;
    this.looks.forEach((node, other) => node.setAttribute("aria-expanded", String(other === at)));
    if (at < 0) return this.more.replaceChildren();
    const host = make("div");
    this.more.replaceChildren(host);
    this.inside = { at, stop: mountPairView(host, { ...this.pair, ...this.systems[at], model: this.systems[at].name }, null) };
  }

  choose(at, map) {
    this.chosen[at] = map;
    this.panels.show(this.chosen, this.theme);
    this.paint();
  }

  follow(theme) {
    this.theme = theme;
    this.panels.show(this.chosen, theme);
    this.paint();
  }

  layout(width) {
    if (!(width > 0)) return;
    this.panels.layout(width);
    this.laid = true;
    this.paint();
  }

  letGo() {
    if (!this.state.pinned && !this.state.resting) return false;
    this.state.pinned = this.state.resting = null;
    this.paint();
    return true;
  }

  paint() {
    if (!this.laid) return;
    const { pair } = this;
    const active = this.state.pinned ?? this.state.resting;
    const now = { active, cross: null, pinned: Boolean(this.state.pinned), words: null, named: new Set(), trueBoxes: [] };
    if (active?.axis === "word" && pair.boxes) {
      for (const mention of pair.mentions) if (mention.words.includes(active.index)) now.trueBoxes.push(...mention.boxes);
    } else if (active?.axis === "region") {
      pair.right.forEach((regions, word) => regions.includes(active.index) && now.named.add(word));
    }
    this.sentence.light({ ...now, colour: this.panels.colours.colour, wordRow: () => null });
    this.panels.light(now);
    this.readout.replaceChildren(...this.describe(active));
  }

  describe(active) {
    if (!active) return [make("span", { class: "hint" }, "Rest on a word and it is looked for in every column. Click holds it, Escape lets go, arrow keys walk.")];
    const name = active.axis === "word" ? `“${this.pair.words[active.index]}”` : nameRegion(this.pair, active.index);
    const said = this.panels.panels.flatMap((panel, at) => {
      const values = panel.values(active);
      const top = values && values.some((value) => value) ? argmax(values) : -1;
      return active.axis === "word" && top >= 0 ? [`${this.systems[at].name}: region ${top} (${short(values[top])})`] : [];
    });
    return [make("b", {}, name), said.length ? ` → ${said.join("; ")}` : ""];
  }

  legend() {
    const { mentions, truth } = this.pair;
    const items = [item(make("b", {}, "1"), "rank 1 is first; ties count as their mean"), make("li", {}, "scores of two systems have no common unit; ranks do")];
    if (truth && mentions.length) items.push(item(badge("hit"), "strongest region is right (IoU ≥ 0.5)"), item(badge("miss"), "it is not"), item(make("i", { class: "true-box" }), "true box"));
    return make("ul", { class: "legend", "aria-label": "legend" }, ...items);
  }

  stop() {
    this.inside?.stop();
  }
}
