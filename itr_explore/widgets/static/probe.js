// The probe of a run: one pair, and what a word of it attends to, epoch by epoch, on one scale.

const STRONG = 3; // how many of the strongest regions carry their number

class Probe {
  constructor(probe, maps) {
    this.probe = probe;
    this.maps = [];
    this.theme = "light";
    this.last = true; // stays with the newest epoch until someone looks back
    this.at = 0;
    this.word = this.firstWord();
    this.words = [];
    this.sentence = make("p", { class: "sentence", dir: "auto", "data-long": probe.words.length > 45 });
    for (const [text, index] of probe.pieces) this.sentence.append(index === null ? text : (this.words[index] = this.wordButton(text, index)));
    this.slider = make("input", { type: "range", min: 0, max: 0, step: 1, value: 0, "aria-label": "epoch whose map is shown" });
    this.play = make("button", { type: "button", class: "plain" }, "Play");
    this.when = make("output", { class: "when" });
    this.facts = make("p", { class: "facts", "aria-live": "polite" });
    this.veil = make("canvas", { "aria-hidden": "true" });
    this.marks = makeSvg("svg", { "aria-hidden": "true" });
    const { image } = probe;
    this.placed = probe.boxes !== null;
    this.shot = make("div", { class: "shot", "data-blank": !(image && this.placed) },
      image && this.placed ? make("img", { src: image.src, alt: probe.alt, draggable: "false" }) : null, this.veil, this.marks);
    this.strip = make("canvas", { class: "strip-map", "aria-hidden": "true" });
    this.stripTitle = make("p", { class: "about" });
    this.legend = make("ul", { class: "legend", "aria-label": "legend" });
    this.table = make("details", { class: "numbers" }, make("summary", {}, "The epochs as a table"));
    this.root = make("section", { class: "probe", "aria-label": "a pair and its map after each epoch" },
      make("div", { class: "bar" }, make("h3", {}, "One pair, epoch by epoch"), make("span", { class: "stepper" }, this.play, this.slider, this.when)),
      this.sentence, this.facts,
      make("div", { class: "sides" }, this.shot, make("div", { class: "over" }, this.stripTitle, this.strip)),
      this.legend, this.table);
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    this.play.addEventListener("click", () => (this.playing ? this.halt() : this.run()));
    this.strip.addEventListener("click", (event) => {
      const row = Math.floor((event.clientY - this.strip.getBoundingClientRect().top - this.head) / this.row);
      if (row >= 0 && row < this.maps.length) this.go(row);
    });
    this.table.addEventListener("toggle", () => this.table.open && this.fillTable());
    this.take(maps);
  }

  wordButton(text, index) {
    const node = make("button", { type: "button", class: "word", "data-word": index, "data-unknown": this.probe.unknown.includes(index) }, text);
    node.addEventListener("click", () => this.choose(index));
    node.addEventListener("keydown", (event) => {
      const next = walk(this.words, event, getComputedStyle(this.sentence).direction);
      if (next !== null) this.choose(next);
    });
    return node;
  }

  /** Which word is chosen, and a sign behind each mention of whether its strongest region is right. */
  drawWords(map) {
    this.words.forEach((node, index) => {
      node.classList.toggle("active", index === this.word);
      node.setAttribute("tabindex", index === this.word ? 0 : -1);
      node.setAttribute("aria-pressed", String(index === this.word));
      node.setAttribute("aria-label", this.probe.words[index]);
      node.querySelector(".badge")?.remove();
    });
    (map?.verdicts ?? []).forEach((verdict, at) => {
      const node = this.words[Math.max(...this.probe.mentions[at].words)];
      if (node.querySelector(".badge")) return;
      const text = `${BADGES[verdict[0]].says}: the strongest is region ${verdict[1]} at ${short(verdict[2])}`;
      node.append(badge(verdict[0], text));
      node.setAttribute("aria-label", `${node.getAttribute("aria-label")}; ${text}`);
    });
  }

  firstWord() {
    const grounded = this.probe.mentions.find((mention) => mention.right.length) ?? this.probe.mentions[0];
    return grounded ? Math.max(...grounded.words) : Math.min(this.probe.words.length - 1, 1);
  }

  /** All maps that are known, oldest first. */
  take(maps) {
    this.maps = maps.map(({ epoch, score, map }) => ({ epoch, score, map: map && decode(map) }));
    const drawn = this.maps.filter(({ map }) => map);
    this.largest = drawn.reduce((most, { map }) => Math.max(most, map.largest), 0);
    this.signed = drawn.some(({ map }) => map.signed);
    this.slider.max = Math.max(this.maps.length - 1, 0);
    this.slider.disabled = this.play.disabled = this.maps.length < 2;
    if (this.last || this.at >= this.maps.length) this.at = this.maps.length - 1;
    this.draw();
  }

  go(at) {
    this.at = at;
    this.last = at === this.maps.length - 1;
    this.draw();
  }

  choose(word) {
    this.word = word;
    this.draw();
  }

  run() {
    if (this.at === this.maps.length - 1) this.go(0);
    this.play.textContent = "Pause";
    this.playing = setInterval(() => (this.at < this.maps.length - 1 ? this.go(this.at + 1) : this.halt()), Math.max(120, Math.min(700, 8000 / this.maps.length)));
  }

  halt() {
    clearInterval(this.playing);
    this.playing = null;
    this.play.textContent = "Play";
  }

  layout(width) {
    const aspect = this.probe.image && this.placed ? this.probe.image.height / this.probe.image.width : 0.72;
    const wide = width >= 640;
    this.root.classList.toggle("wide", wide);
    this.wide = wide ? Math.min(width * 0.42, 400) : Math.min(width, 460);
    this.tall = this.wide * aspect;
    this.room = wide ? width - this.wide - 28 : width;
    this.shot.style.width = `${this.wide}px`;
    this.shot.style.height = `${this.tall}px`;
    this.draw();
  }

  colour(value) {
    const share = this.largest ? Math.min(Math.abs(value) / this.largest, 1) : 0;
    const { sequential, diverging } = PALETTE[this.theme];
    return { strength: this.signed && value < 0 ? 0 : share, rgb: this.signed ? ramp(diverging)(0.5 + (Math.sign(value) * share) / 2) : ramp(sequential)(share) };
  }

  name(epoch) {
    return epoch === 0 ? "before training" : `after epoch ${plain(epoch)}`;
  }

  draw() {
    const shown = this.maps[this.at];
    if (!shown || !this.wide) return;
    const { map } = shown;
    this.slider.value = this.at;
    this.slider.setAttribute("aria-valuetext", this.name(shown.epoch));
    this.when.textContent = this.name(shown.epoch);
    this.drawWords(map);
    this.facts.replaceChildren(...this.say(shown));
    this.drawShot(map);
    this.drawStrip();
    this.drawLegend();
    if (this.table.open) this.fillTable();
  }

  right(map) {
    const checked = (map?.verdicts ?? []).filter(([state]) => state !== "ungrounded");
    return { hits: checked.filter(([state]) => state === "hit").length, of: checked.length };
  }

  say({ score, map }) {
    const parts = ["score ", make("b", {}, short(score))];
    if (!map) return [...parts, ". This model has no map of words and regions."];
    const { hits, of } = this.right(map);
    if (of) parts.push(" · ", make("b", {}, `${hits} of ${of}`), " mentions on a right region");
    const values = map.row(this.word);
    const top = argmax(values);
    parts.push(" · ", make("b", {}, `“${this.probe.words[this.word]}”`), ` → region ${top} (${short(values[top])})`);
    if (this.probe.truth && this.rightRegions().length) parts.push(this.rightRegions().includes(top) ? ", a right one" : `; right: ${this.rightRegions().slice(0, 6).join(", ")}`);
    return parts;
  }

  rightRegions() {
    return this.probe.right[this.word] ?? [];
  }

  drawShot(map) {
    const sharp = window.devicePixelRatio || 1;
    const { wide, tall, veil } = this;
    veil.width = Math.round(wide * sharp);
    veil.height = Math.round(tall * sharp);
    const boxes = this.placed ? this.probe.boxes : null;
    this.marks.setAttribute("viewBox", `0 0 ${wide} ${tall}`);
    this.marks.replaceChildren();
    const pen = veil.getContext("2d");
    if (!map || !boxes) return;
    const looks = Array.from(map.row(this.word), (value) => this.colour(value));
    const shade = channels(PALETTE.veil);
    const depth = this.shot.dataset.blank === undefined ? 0.6 : this.theme === "dark" ? 0.35 : 0.08;
    pen.fillStyle = css(shade, depth);
    pen.fillRect(0, 0, veil.width, veil.height);
    const order = [...looks.keys()].sort((a, b) => looks[a].strength - looks[b].strength);
    const place = (index) => {
      const [left, top, right, bottom] = boxes[index];
      return [left * wide, top * tall, (right - left) * wide, (bottom - top) * tall];
    };
    for (const index of order) {
      const box = place(index).map((length) => length * sharp);
      pen.clearRect(...box);
      pen.fillStyle = css(shade, depth * (1 - looks[index].strength ** 0.6));
      pen.fillRect(...box);
      pen.fillStyle = css(looks[index].rgb, 0.4 * looks[index].strength);
      pen.fillRect(...box);
    }
    const rect = (box, attributes) => makeSvg("rect", { x: box[0], y: box[1], width: box[2], height: box[3], ...attributes });
    for (const index of order) this.marks.append(rect(place(index), { class: "region-box" }));
    for (const mention of this.probe.mentions.filter(({ words }) => words.includes(this.word))) {
      for (const [left, top, right, bottom] of mention.boxes) this.marks.append(rect([left * wide, top * tall, (right - left) * wide, (bottom - top) * tall], { class: "true" }));
    }
    const taken = [];
    for (const index of order.slice(-STRONG).reverse()) {
      if (looks[index].strength < 0.05) continue;
      const [left, top, , height] = place(index);
      const x = Math.min(Math.max(left, 0), wide - 34);
      let y = Math.min(Math.max(height < 45 ? top - 18 : top, 0), tall - 18); // a small region is not hidden by its tag
      while (taken.some(([tx, ty]) => Math.abs(tx - x) < 36 && Math.abs(ty - y) < 18) && y < tall - 36) y += 18;
      taken.push([x, y]);
      this.marks.append(rect([x, y, 34, 18], { rx: 3, fill: css(looks[index].rgb) }), makeSvg("text", { class: "number", x: x + 17, y: y + 13, fill: inkOn(looks[index].rgb) }, String(index)));
    }
  }

  /** A row an epoch, a column a region: how the word came to look where it looks. */
  drawStrip() {
    const { regions } = this.probe;
    const sharp = window.devicePixelRatio || 1;
    const label = 42;
    const cell = Math.min(24, Math.max(3, (this.room - label - 4) / Math.max(regions, 1)));
    this.head = 20;
    this.row = Math.max(4, Math.min(20, 320 / Math.max(this.maps.length, 1)));
    const [width, height] = [label + cell * regions + 4, this.head + this.row * this.maps.length + 4];
    this.stripTitle.textContent = `“${this.probe.words[this.word]}”: its weights on the ${regions} regions, a row an epoch`;
    this.strip.width = Math.round(width * sharp);
    this.strip.height = Math.round(height * sharp);
    this.strip.style.cssText = `width:${width}px;height:${height}px`;
    const pen = this.strip.getContext("2d");
    pen.scale(sharp, sharp);
    const look = getComputedStyle(this.root);
    const muted = look.getPropertyValue("--muted");
    pen.font = `11px ${look.fontFamily}`;
    pen.fillStyle = muted;
    pen.textAlign = "center";
    const every = cell >= 15 ? 1 : cell >= 8 ? 5 : 10;
    for (let at = 0; at < regions; at++) if (at % every === 0) pen.fillText(String(at), label + (at + 0.5) * cell, 12);
    const gap = this.row > 9 && cell > 6 ? 0.75 : 0;
    this.maps.forEach(({ epoch, map }, at) => {
      const y = this.head + at * this.row;
      pen.textAlign = "end";
      pen.fillStyle = muted;
      const spaced = Math.ceil(13 / this.row);
      if (at % spaced === 0 || at === this.maps.length - 1) pen.fillText(epoch === 0 ? "start" : plain(epoch), label - 7, y + this.row / 2 + 4);
      if (!map) return;
      const values = map.row(this.word);
      const top = argmax(values);
      for (let region = 0; region < regions; region++) {
        const { rgb } = this.colour(values[region]);
        pen.fillStyle = css(rgb);
        pen.fillRect(label + region * cell + gap, y + gap, cell - 2 * gap, this.row - 2 * gap);
        if (region !== top || this.row < 8 || cell < 6) continue;
        pen.fillStyle = inkOn(rgb);
        pen.beginPath();
        pen.arc(label + (region + 0.5) * cell, y + this.row / 2, 2.2, 0, 7);
        pen.fill();
      }
    });
    pen.strokeStyle = look.getPropertyValue("--ring");
    pen.lineWidth = 2;
    for (const region of this.rightRegions()) pen.strokeRect(label + region * cell + 1, this.head + 1, cell - 2, this.row * this.maps.length - 2);
    pen.strokeStyle = look.getPropertyValue("--ink");
    pen.strokeRect(label - 1, this.head + this.at * this.row, cell * regions + 2, this.row);
  }

  drawLegend() {
    const stops = Array.from({ length: 11 }, (_, at) => css(this.signed ? ramp(PALETTE[this.theme].diverging)(at / 10) : ramp(PALETTE[this.theme].sequential)(at / 10)));
    const item = (sign, text) => make("li", {}, sign, text);
    const items = [
      make("li", { class: "scale" }, make("span", {}, this.signed ? short(-this.largest) : "0"), make("i", { class: "bar", style: `background:linear-gradient(90deg,${stops.join()})` }), make("span", {}, `${short(this.largest)}, the largest of all epochs`)),
      item(make("i", { class: "dot" }), "the word’s strongest region"),
    ];
    if (this.probe.truth) items.push(item(make("i", { class: "ring" }), "right region (IoU ≥ 0.5)"), item(make("i", { class: "true-box" }), "true box"), item(badge("hit"), "strongest region is right"), item(badge("miss"), "it is not"));
    this.legend.replaceChildren(...items);
  }

  fillTable() {
    const rows = this.maps.map(({ epoch, score, map }) => {
      if (!map) return [this.name(epoch), short(score), "", "", ""];
      const values = map.row(this.word);
      const top = argmax(values);
      const { hits, of } = this.right(map);
      return [this.name(epoch), short(score), `region ${top}`, short(values[top]), of ? `${hits} of ${of}` : "not known"];
    });
    this.table.querySelector(".scroll")?.remove();
    this.table.append(table(["epoch", "score", `“${this.probe.words[this.word]}” is strongest on`, "weight", "mentions right"], rows));
  }
}
