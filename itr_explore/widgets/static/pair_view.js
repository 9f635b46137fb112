// PairView: one picture, one sentence, and what a model relates between them; all linked, no kernel, no network.
// `mountPairView` is the whole of it: anywidget's `render` and the exported page both call it.

const SCALES = {
  softmax: "weights; each row sums to 1",
  row_sum: "weights; each row sums to 1",
  unit: "weights between 0 and 1",
  cosine: "cosines between −1 and 1",
  signed: "signed values, 0 in the middle",
};
const NARROW = 520; // pixels of a phone: the matrix is folded away, things are larger to touch

function mountPairView(host, payload) {
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  host.classList.add("itr-pair-view");
  host.setAttribute("data-lm-suppress-shortcuts", "true"); // in JupyterLab arrows and Enter would move cells
  const maps = payload.maps.map(decode);
  const related = maps.filter((map) => map.kind === "region_to_region" && map.rows > 1);
  const panels = (payload.beside ?? []).map(({ title, maps: own }) => ({ title, own: !own, maps: own ? own.map((map) => ({ ...decode(map), source: title })) : maps }));
  const state = { map: maps[0] ?? null, beside: maps[0] ?? null, stretch: false, whole: false, resting: null, pinned: null, scroll: false, theme: "light" };

  const actions = {
    rest(target) {
      player.pause();
      state.resting = target;
      paint(target.axis === "word" || target.axis === "region");
    },
    leave() {
      if (player.playing) return;
      state.resting = null;
      paint();
    },
    pin(target) {
      player.pause();
      const same = state.pinned && state.pinned.axis === target.axis && state.pinned.index === target.index;
      state.pinned = same ? null : { axis: target.axis, index: target.index };
      paint();
    },
    walk(target) {
      player.pause();
      if (state.pinned) state.pinned = target;
      state.resting = target;
      paint(true);
    },
  };

  const sentence = new Sentence(payload, actions);
  const player = new Player(payload.words.length, (index) => {
    state.pinned = null;
    state.resting = { axis: "word", index };
    paint(true);
  }, letGo);
  const picture = new Picture(payload, actions);
  const matrix = state.map ? new Matrix(payload, picture.photo, actions) : null;
  const readout = make("p", { class: "readout", "aria-live": "polite" });
  const tally = make("span", { class: "tally" });
  const about = make("p", { class: "about" });
  const legend = make("ul", { class: "legend", "aria-label": "legend" });
  const numbers = make("details", { class: "numbers" }, make("summary", {}, "Numbers as a table"));
  const relations = related.length ? new Relations(related, picture, () => (drawLegend(), paint())) : null;
  const beside = panels.length ? new Panels(payload, panels, actions, "the same picture by other maps") : null;

  const choosable = [...maps, ...panels.flatMap((panel) => (panel.own ? [] : ofRegions(panel.maps)))];
  const mapChoice = mapPicker("Map", choosable, (map) => {
    state.map = map;
    if (!map.source) state.beside = map;
    changeMap();
  });
  const scaleChoice = make("span", { class: "switch", role: "group", "aria-label": "colour scale" });
  const heatChoice = switchOf("how weights lie on the picture", HEATS, "fill", (kind) => {
    picture.heat = kind;
    beside?.heat(kind);
    drawLegend();
    paint();
  });
  const fold = make("details", { class: "fold", open: true }, make("summary", {}, "Matrix of words and regions"), matrix?.root ?? null);

  const header = make("header", {},
    make("span", { class: "model" }, payload.model),
    make("span", { class: "score", title: "the model's score of this pair" }, "score ", make("b", {}, payload.score)),
    tally,
    make("span", { class: "controls" }, choosable.length > 1 ? mapChoice : null, matrix ? make("span", { class: "choice" }, "Colours", scaleChoice) : null));
  const root = make("section", { class: "view", "aria-label": `${payload.model}: the picture and “${payload.caption}”` },
    header,
    make("div", { class: "reading" }, payload.words.length > 1 && matrix ? player.button : null, sentence.root),
    readout,
    make("div", { class: "board" },
      make("div", { class: "left" }, picture.root,
        make("div", { class: "controls under" }, matrix ? make("span", { class: "choice" }, "Heat", heatChoice) : null, relations?.switch ?? null),
        relations?.more ?? null),
      make("div", { class: "right" }, matrix ? fold : make("p", { class: "about" }, "This model has no map to show."), about)),
    beside?.root ?? null, legend, numbers);
  shadow.replaceChildren(make("style", {}, STYLE), root);

  root.addEventListener("keydown", (event) => {
    if (player.playing && event.target !== player.button) {
      player.pause();
      if (event.key === " ") return event.preventDefault();
    }
    if (event.key !== "Escape" || !(state.pinned || state.resting)) return;
    event.stopPropagation();
    letGo();
  });
  root.addEventListener("pointerdown", (event) => !player.button.contains(event.target) && player.pause());
  numbers.addEventListener("toggle", () => numbers.open && fillNumbers());

  function letGo() {
    player.pause();
    player.at = -1;
    state.pinned = state.resting = null;
    paint();
  }

  const judged = () => state.map?.verdicts ?? [];
  const rowName = (map) => (map.axes[0] ?? map.axes[1]) === "word" ? "word" : "region";

  function changeMap() {
    const { map } = state;
    matrix.show(map);
    sentence.judge(map, verdictText);
    const found = judged().filter(([verdict]) => verdict === "hit" || verdict === "miss" || verdict === "uncovered");
    const hits = found.filter(([verdict]) => verdict === "hit").length;
    tally.replaceChildren();
    if (found.length) {
      tally.append(make("b", {}, `${hits} of ${found.length}`), ` right (by chance ${payload.chance.toFixed(1)})`);
      tally.title = "mentions whose strongest region covers (IoU ≥ 0.5) what they name; chance: a region drawn at random";
    }
    about.textContent = [
      `${map.source ? `${map.source}: ` : ""}${ARROWS[map.kind]}, ${map.origin}: ${SCALES[map.scale]}`,
      map.exact ? "the score is computed from these values" : "the score is not computed from these values",
      map.note,
    ].filter(Boolean).join("; ") + ".";
    drawScaleChoice();
    beside?.show(panels.map((panel) => answering(panel.maps, state.beside)), state.theme);
    if (numbers.open) fillNumbers();
    layout();
  }

  function drawScaleChoice() {
    const { map } = state;
    const from = map.signed ? "±" : "0 – ";
    const options = [[from + short(map.largest), "one scale for the whole map, up to its largest value", () => !state.stretch && !state.whole, { stretch: false, whole: false }]];
    if (map.scale !== "signed") options.push([`${from}1`, "one scale, the whole range that such values can have", () => !state.stretch && state.whole, { stretch: false, whole: true }]);
    if (map.axes[0] !== null) options.push([`stretch per ${rowName(map)}`, `each ${rowName(map)} has its own scale, up to its own largest value: colours of two ${rowName(map)}s cannot be compared`, () => state.stretch, { stretch: true, whole: false }]);
    scaleChoice.replaceChildren(...options.map(([text, title, on, change]) => {
      const node = make("button", { type: "button", title, "aria-pressed": String(on()) }, text);
      node.addEventListener("click", () => {
        Object.assign(state, change);
        [...scaleChoice.children].forEach((other) => other.setAttribute("aria-pressed", String(other === node)));
        recolour();
      });
      return node;
    }));
  }

  /** What colour a value has, and its share of the scale (0..1), on the scale that is switched on. */
  function colour(value, row) {
    const { map } = state;
    const span = state.stretch && row !== null ? state.spans[row] : state.whole ? 1 : map.largest;
    const share = span ? Math.min(Math.abs(value) / span, 1) : 0;
    const { signed } = map;
    return { strength: signed && value < 0 ? 0 : share, rgb: signed ? state.diverging(0.5 + (Math.sign(value) * share) / 2) : state.sequential(share) };
  }

  function recolour() {
    if (!state.map) return paint();
    const { map } = state;
    state.sequential = ramp(PALETTE[state.theme].sequential);
    state.diverging = ramp(PALETTE[state.theme].diverging);
    state.spans = Array.from({ length: map.rows }, (_, row) => largestOf(map.row(row)));
    const look = getComputedStyle(root);
    matrix.draw(colour, { ring: look.getPropertyValue("--ring"), muted: look.getPropertyValue("--muted"), font: look.fontFamily });
    drawLegend();
    paint();
  }

  /** The colour at a share of the scale above zero. */
  const colourAt = (share) => (state.map.signed ? state.diverging(0.5 + share / 2) : state.sequential(share));

  function layout() {
    const style = getComputedStyle(root);
    const width = root.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (!(width > 0)) return; // out of sight, or not yet in the document
    const wide = width >= 720;
    root.classList.toggle("wide", wide);
    const narrow = width <= NARROW;
    if (narrow !== state.narrow) fold.open = !narrow; // a reader's own choice stays until the form changes
    state.narrow = narrow;
    root.classList.toggle("narrow", narrow);
    const left = wide ? Math.min(width * 0.48, 560) : width;
    picture.layout(left, wide ? 440 : 520);
    root.style.setProperty("--left", `${wide ? Math.max(picture.width, 260) : width}px`);
    if (matrix) matrix.layout(wide ? width - Math.max(picture.width, 260) - 28 : width, wide ? Math.max(picture.height, 480) : 480);
    beside?.layout(width);
    relations?.draw();
    recolour();
  }

  /** Everything that lights up at once, from what is pinned or else rested on. */
  function lights() {
    const { map } = state;
    const active = state.pinned ?? state.resting;
    const cross = state.pinned ? state.resting && (state.resting.axis !== state.pinned.axis ? state.resting : state.resting.cross) : state.resting?.cross;
    const found = { active, cross: cross ?? null, pinned: Boolean(state.pinned), words: null, regions: null, named: new Set(), trueBoxes: [], colour, colourAt: map && colourAt, scroll: state.scroll, wordRow: () => null, regionRow: () => null };
    if (map) {
      const [rows, columns] = map.axes;
      const give = (axis, values, rowOf) => {
        found[`${axis}s`] = values;
        found[`${axis}Row`] = rowOf;
      };
      if (rows === null) give(columns, map.row(0), () => 0);
      else if (columns === null) give(rows, map.values, () => null);
      else if (active?.axis === rows) give(columns, map.row(active.index), () => active.index);
      else if (active?.axis === columns) give(rows, map.column(active.index), (at) => at);
    }
    if (active?.axis === "word" && picture.placed) {
      for (const mention of payload.mentions) if (mention.words.includes(active.index)) found.trueBoxes.push(...mention.boxes);
    } else if (active?.axis === "region") {
      payload.right.forEach((regions, word) => regions.includes(active.index) && found.named.add(word));
    }
    return found;
  }

  function paint(scroll = false) {
    if (!state.theme || !picture.width) return;
    state.scroll = scroll;
    const now = lights();
    sentence.light(now);
    picture.light(now, state.theme);
    if (matrix) matrix.light(now);
    relations?.light(now.active);
    beside?.light(now);
    const said = describe(now);
    if (looksNew(readout, ...said.map((part) => part.textContent ?? part))) readout.replaceChildren(...said); // else a press on its button would be lost
    readout.classList.toggle("pinned", now.pinned);
  }

  function verdictText(at) {
    const [verdict, top, weight] = judged()[at];
    const mention = payload.mentions[at];
    const name = mention.words.map((word) => payload.words[word]).join(" ");
    const strongest = `its strongest, ${nameRegion(payload, top)} at ${short(weight)},`;
    const few = mention.right.slice(0, 6).join(", ") + (mention.right.length > 6 ? " …" : "");
    const right = `Right: ${few} (IoU ≥ 0.5 with a true box).`;
    if (verdict === "hit") return `“${name}” hit: ${strongest} is right. ${right}`;
    if (verdict === "miss") return `“${name}” miss: ${strongest} is wrong. ${right}`;
    if (verdict === "uncovered") return `“${name}” cannot be hit: no region reaches IoU 0.5 with a true box of it.`;
    return `“${name}” is not checked: what it names has no box.`;
  }

  function strongest(values, name, count = 4) {
    const order = [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, count).filter((at, place) => place === 0 || values[at] !== 0);
    return order.map((at) => `${name(at)} (${short(values[at])})`).join(", ");
  }

  function describe(now) {
    const { active, cross } = now;
    if (!active) return [make("span", { class: "hint" }, "Rest on a word, a region or a cell. Click holds it, Escape lets go, arrow keys walk.")];
    const word = active.axis === "word";
    const title = word ? `“${payload.words[active.index]}”` : nameRegion(payload, active.index);
    const parts = [make("b", {}, title)];
    const vector = state.map && (state.map.axes[0] === null || state.map.axes[1] === null);
    const values = word ? now.words : now.regions;
    if (vector && values) parts.push(": ", short(values[active.index]));
    if (word && payload.unknown.includes(active.index)) parts.push(" (a word the model has never seen)");
    if (word && now.regions && !vector) parts.push(" → ", strongest(now.regions, (at) => `region ${at}`));
    if (!word && now.words && !vector) parts.push(" ← ", strongest(now.words, (at) => payload.words[at]));
    if (!word && now.regions && !vector) parts.push(" → ", strongest(now.regions, (at) => `region ${at}`));
    if (word && now.words && !vector) parts.push(" → ", strongest(now.words, (at) => payload.words[at]));
    const other = cross && (cross.axis === "word" ? now.words : now.regions);
    if (other) parts.push(make("span", { class: "cross" }, ` here: ${cross.axis === "word" ? payload.words[cross.index] : `region ${cross.index}`}: ${short(other[cross.index])}`));
    if (word) {
      const at = payload.mentions.findIndex((mention) => mention.words.includes(active.index));
      const verdict = judged()[at];
      if (verdict) parts.push(make("span", { class: `verdict ${verdict[0]}` }, verdictText(at)));
    } else if (now.named.size) {
      parts.push(make("span", { class: "verdict" }, `It covers what ${[...now.named].map((at) => `“${payload.words[at]}”`).join(", ")} name${now.named.size > 1 ? "" : "s"}.`));
    }
    if (now.pinned) {
      const release = make("button", { type: "button", class: "held", "aria-label": "held; let go" }, "held ✕");
      release.addEventListener("click", letGo);
      parts.splice(1, 0, release);
    }
    return parts;
  }

  function drawLegend() {
    const { map } = state;
    if (!map) return legend.replaceChildren(...edgeItems());
    const { signed } = map;
    const stops = Array.from({ length: 11 }, (_, at) => css(signed ? state.diverging(at / 10) : state.sequential(at / 10)));
    const most = state.stretch ? `each ${rowName(map)}’s largest` : state.whole ? "1" : `${short(map.largest)}, the largest in this map`;
    const least = !signed ? "0" : state.stretch ? "−" : state.whole ? "−1" : short(-map.largest);
    const items = [make("li", { class: "scale" }, make("span", {}, least), make("i", { class: "bar", style: `background:linear-gradient(90deg,${stops.join()})` }), make("span", {}, most))];
    if (map.axes.includes("region")) items.push(make("li", {}, relations?.circled ? "in a circle: regions lie as seen from the middle of the image" : HEATS[picture.heat].says));
    if (map.axes[1] !== null && map.columns > 1) items.push(item(make("i", { class: "dot" }), map.axes[0] === null ? "the largest" : `the ${rowName(map)}’s largest`));
    if (map.judged) {
      items.push(item(make("i", { class: "ring" }), "right region (IoU ≥ 0.5)"));
      if (picture.placed) items.push(item(make("i", { class: "true-box" }), "true box"));
      const seen = new Set(judged().map(([verdict]) => (verdict === "ungrounded" ? "uncovered" : verdict)));
      if (seen.has("hit")) items.push(item(badge("hit"), "strongest region is right"));
      if (seen.has("miss")) items.push(item(badge("miss"), "it is not"));
      if (seen.has("uncovered")) items.push(item(badge("uncovered"), "cannot be checked"));
    } else if (!payload.truth) items.push(make("li", { class: "quiet" }, "No truth is known for this pair, so nothing is judged."));
    if (payload.unknown.length) items.push(item(make("i", { class: "unknown" }, "word"), "never seen by the model"));
    legend.replaceChildren(...items, ...edgeItems());
  }

  function edgeItems() {
    const sample = (kind) => makeSvg("svg", { class: "sample", viewBox: "0 0 26 12", "aria-hidden": "true" }, arrow([-7, 4], [35, 4], 1.6, { class: kind }));
    const items = related.length ? [item(sample("edge"), "relation, from → to, width its weight")] : [];
    if (related.some((found) => found.values.some((value) => value < 0))) items.push(item(sample("edge negative"), "below zero"));
    return items;
  }

  function fillNumbers() {
    const { map } = state;
    numbers.querySelector(".scroll")?.remove();
    if (!map || map.axes[0] === null || map.axes[1] === null) {
      const names = map ? Array.from(map.values, (value, at) => [`${(map.axes[0] ?? map.axes[1]) === "word" ? payload.words[at] : `region ${at}`}`, short(value)]) : [];
      return numbers.append(table(["", "value"], names));
    }
    const of = (axis, at) => (axis === "word" ? payload.words[at] : `region ${at}`);
    const rows = Array.from({ length: map.rows }, (_, row) => {
      const values = map.row(row);
      const top = argmax(values);
      const at = payload.mentions.findIndex((mention) => map.axes[0] === "word" && mention.words.includes(row));
      const verdict = judged()[at];
      const right = map.judged ? (payload.right[row] ?? []).join(", ") : "";
      return [of(map.axes[0], row), of(map.axes[1], top), short(values[top]), right, verdict ? BADGES[verdict[0]].says : ""];
    });
    numbers.append(table([map.axes[0], "strongest", "value", ...(map.judged ? ["right regions", "verdict of its mention"] : [])], rows));
  }

  const follow = followTheme(root, (theme) => {
    state.theme = theme;
    beside?.show(panels.map((panel) => answering(panel.maps, state.beside)), theme);
    if (picture.width) recolour();
  });
  if (state.map) changeMap();
  else layout();
  const stopLooking = onNewWidth(root, () => (layout(), follow.look()));
  if (document.fonts?.ready) document.fonts.ready.then(() => root.isConnected && layout());

  return () => {
    follow.stop();
    player.stop();
    stopLooking();
    shadow.replaceChildren();
  };
}

const item = (sign, text) => make("li", {}, sign, text);
