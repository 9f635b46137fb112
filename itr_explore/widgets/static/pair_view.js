// PairView: one picture, one sentence, and what a model relates between them; all linked, no kernel, no network.
// `mountPairView` is the whole of it: anywidget's `render` and the exported page both call it.

const ARROWS = { word_to_region: "word → region", region_to_word: "region → word", region_to_region: "region → region", word_to_word: "word → word", per_region: "each region", per_word: "each word" };
const SCALES = {
  softmax: "weights; each row sums to 1",
  row_sum: "weights; each row sums to 1",
  unit: "weights between 0 and 1",
  cosine: "cosines between −1 and 1",
  signed: "signed values, 0 in the middle",
};
const FIRST_EDGES = 1; // edges a region that the first threshold leaves

/** What a map relates, what it is called in the model, where, and how it was come by. */
function nameMap({ kind, name, layer, head, origin }) {
  const leaf = name.split(".").at(-1);
  const parts = [ARROWS[kind], leaf === kind || leaf === origin ? null : leaf, layer === null ? null : `layer ${layer}`, head === null ? null : `head ${head}`, origin];
  return parts.filter(Boolean).join(" · ");
}

const nameLayer = ({ layer, head, name }) => (layer === null ? name : `${layer}${head === null ? "" : `, head ${head}`}`);

function mountPairView(host, payload) {
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  host.classList.add("itr-pair-view");
  host.setAttribute("data-lm-suppress-shortcuts", "true"); // in JupyterLab arrows and Enter would move cells
  const maps = payload.maps.map(decode);
  const relations = maps.filter((map) => map.kind === "region_to_region" && map.rows > 1);
  const state = { map: maps[0] ?? null, stretch: false, whole: false, resting: null, pinned: null, scroll: false, edges: { on: false, map: relations[0] ?? null, threshold: 0 }, theme: "light" };

  const actions = {
    rest(target) {
      state.resting = target;
      paint(target.axis === "word" || target.axis === "region");
    },
    leave() {
      state.resting = null;
      paint();
    },
    pin(target) {
      const same = state.pinned && state.pinned.axis === target.axis && state.pinned.index === target.index;
      state.pinned = same ? null : { axis: target.axis, index: target.index };
      paint();
    },
    walk(target) {
      if (state.pinned) state.pinned = target;
      state.resting = target;
      paint(true);
    },
  };

  const sentence = new Sentence(payload, actions);
  const picture = new Picture(payload, actions);
  const matrix = state.map ? new Matrix(payload, picture.photo, actions) : null;
  const readout = make("p", { class: "readout", "aria-live": "polite" });
  const tally = make("span", { class: "tally" });
  const about = make("p", { class: "about" });
  const legend = make("ul", { class: "legend", "aria-label": "legend" });
  const numbers = make("details", { class: "numbers" }, make("summary", {}, "Numbers as a table"));
  const edgeCount = make("output", {});

  const mapChoice = choice("Map", maps.map(nameMap), (at) => ((state.map = maps[at]), changeMap()));
  const scaleChoice = make("span", { class: "switch", role: "group", "aria-label": "colour scale" });
  const relationChoice = choice("Layer", relations.map(nameLayer), (at) => ((state.edges.map = relations[at]), startEdges()));
  const showEdges = make("input", { type: "checkbox" });
  const threshold = make("input", { type: "range", min: 0, max: 1, step: 0.005, "aria-label": "least weight of a relation that is drawn" });
  showEdges.addEventListener("change", () => ((state.edges.on = showEdges.checked), drawEdges()));
  threshold.addEventListener("input", () => ((state.edges.threshold = threshold.value * state.edges.largest), drawEdges()));
  const edgeControls = make("div", { class: "controls relations" },
    make("label", { class: "toggle" }, showEdges, "Relations between regions"),
    relations.length > 1 ? relationChoice : null,
    make("label", { class: "slider" }, threshold, edgeCount));

  const header = make("header", {},
    make("span", { class: "model" }, payload.model),
    make("span", { class: "score", title: "the model's score of this pair" }, "score ", make("b", {}, payload.score)),
    tally,
    make("span", { class: "controls" }, maps.length > 1 ? mapChoice : null, matrix ? make("span", { class: "choice" }, "Colours", scaleChoice) : null));
  const root = make("section", { class: "view", "aria-label": `${payload.model}: the picture and “${payload.caption}”` },
    header, sentence.root, readout,
    make("div", { class: "board" },
      make("div", { class: "left" }, picture.root, relations.length ? edgeControls : null),
      make("div", { class: "right" }, matrix ? matrix.root : make("p", { class: "about" }, "This model has no map to show."), about)),
    legend, numbers);
  shadow.replaceChildren(make("style", {}, STYLE), root);

  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !(state.pinned || state.resting)) return;
    event.stopPropagation();
    state.pinned = state.resting = null;
    paint();
  });
  numbers.addEventListener("toggle", () => numbers.open && fillNumbers());

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
      `${ARROWS[map.kind]}, ${map.origin}: ${SCALES[map.scale]}`,
      map.exact ? "the score is computed from these values" : "the score is not computed from these values",
      map.note,
    ].filter(Boolean).join("; ") + ".";
    drawScaleChoice();
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

  function layout() {
    const style = getComputedStyle(root);
    const width = root.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (!(width > 0)) return; // out of sight, or not yet in the document
    const wide = width >= 720;
    root.classList.toggle("wide", wide);
    const left = wide ? Math.min(width * 0.48, 560) : width;
    picture.layout(left, wide ? 440 : 520);
    root.style.setProperty("--left", `${wide ? Math.max(picture.width, 260) : width}px`);
    if (matrix) matrix.layout(wide ? width - Math.max(picture.width, 260) - 28 : width, wide ? Math.max(picture.height, 480) : 480);
    drawEdges();
    recolour();
  }

  /** Everything that lights up at once, from what is pinned or else rested on. */
  function lights() {
    const { map } = state;
    const active = state.pinned ?? state.resting;
    const cross = state.pinned ? state.resting && (state.resting.axis !== state.pinned.axis ? state.resting : state.resting.cross) : state.resting?.cross;
    const found = { active, cross: cross ?? null, pinned: Boolean(state.pinned), words: null, regions: null, named: new Set(), trueBoxes: [], colour, scroll: state.scroll, wordRow: () => null, regionRow: () => null };
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
    picture.lightEdges(now.active);
    readout.replaceChildren(...describe(now));
    readout.classList.toggle("pinned", now.pinned);
  }

  function startEdges() {
    const { map } = state.edges;
    if (!map) return;
    const all = [];
    for (let from = 0; from < map.rows; from++) {
      const row = map.row(from);
      for (let to = 0; to < map.columns; to++) if (from !== to && row[to] !== 0) all.push({ from, to, value: row[to] });
    }
    all.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    state.edges.all = all;
    state.edges.largest = all.length ? Math.abs(all[0].value) : 0;
    const keep = Math.min(all.length, Math.round(FIRST_EDGES * map.rows)) - 1;
    state.edges.threshold = keep >= 0 ? Math.abs(all[keep].value) : 0;
    threshold.value = state.edges.largest ? state.edges.threshold / state.edges.largest : 0;
    threshold.disabled = !all.length;
    drawEdges();
  }

  function drawEdges() {
    const { edges } = state;
    if (!edges.all || !picture.width) return;
    const shown = edges.all.filter(({ value }) => Math.abs(value) >= edges.threshold - 1e-9);
    picture.drawEdges(edges.on ? shown : [], edges.largest);
    picture.stage.classList.toggle("graph", edges.on);
    edgeControls.classList.toggle("off", !edges.on);
    const capped = shown.length > MOST_EDGES ? `, the ${MOST_EDGES} strongest drawn` : "";
    edgeCount.textContent = `weight ≥ ${short(edges.threshold)}: ${shown.length} of ${edges.all.length}${capped}`;
    picture.lightEdges(state.pinned ?? state.resting);
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
    const order = [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, count);
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
    if (now.pinned) parts.push(make("span", { class: "held" }, "held"));
    return parts;
  }

  function drawLegend() {
    const { map } = state;
    const { signed } = map;
    const stops = Array.from({ length: 11 }, (_, at) => css(signed ? state.diverging(at / 10) : state.sequential(at / 10)));
    const most = state.stretch ? `each ${rowName(map)}’s largest` : state.whole ? "1" : `${short(map.largest)}, the largest in this map`;
    const least = !signed ? "0" : state.stretch ? "−" : state.whole ? "−1" : short(-map.largest);
    const item = (sign, text) => make("li", {}, sign, text);
    const items = [make("li", { class: "scale" }, make("span", {}, least), make("i", { class: "bar", style: `background:linear-gradient(90deg,${stops.join()})` }), make("span", {}, most))];
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
    if (relations.length) items.push(item(makeSvg("svg", { class: "sample", viewBox: "0 0 26 12", "aria-hidden": "true" }, arrow([-7, 4], [35, 4], 1.6, { class: "edge" })), "relation, from → to, width its weight"));
    if (relations.some((found) => found.values.some((value) => value < 0))) {
      items.push(item(makeSvg("svg", { class: "sample", viewBox: "0 0 26 12", "aria-hidden": "true" }, arrow([-7, 4], [35, 4], 1.6, { class: "edge negative" })), "below zero"));
    }
    legend.replaceChildren(...items);
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
    if (picture.width) recolour();
  });
  let seenWidth = 0;
  const observer = new ResizeObserver(() => {
    if (Math.abs(root.clientWidth - seenWidth) < 1) return;
    seenWidth = root.clientWidth;
    layout();
    follow.look();
  });
  if (state.map) changeMap();
  else layout();
  startEdges();
  observer.observe(root);
  if (document.fonts?.ready) document.fonts.ready.then(() => root.isConnected && layout());

  return () => {
    follow.stop();
    observer.disconnect();
    shadow.replaceChildren();
  };
}

function table(head, rows) {
  const cells = (row) => row.slice(0, head.length).map((text, at) => (at ? make("td", {}, text) : make("th", { scope: "row", dir: "auto" }, text)));
  return make("div", { class: "scroll" },
    make("table", {}, make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))), make("tbody", {}, ...rows.map((row) => make("tr", {}, ...cells(row))))));
}
