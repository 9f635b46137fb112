// GraphExplorer: the graphs of a pair's regions and words, in place and as a layout, and what edits of edges do.
// `payload` is made by `widgets/graph_payload.py`; without a kernel all but edits works.

const WAYS = { spring: "spring", circular: "circle", kamada_kawai: "Kamada-Kawai", spectral: "spectral" };
const TOPS = [1, 2, 3, 5, null];
const RANKED = 6; // nodes in the list of the most central
const CROWD = 3; // edges a node from which on one relation is shown first, not all
const ROW = 23; // pixels of a word along the sentence
const AFTER = "after the edits";

function mountGraphExplorer(host, payload, kernel) {
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  host.classList.add("itr-graph-explorer");
  host.setAttribute("data-lm-suppress-shortcuts", "true"); // in JupyterLab arrows and Enter would act on cells
  const { graphs } = payload;
  const own = payload.versions.length - 1; // the version that is the model itself
  const state = {
    graph: graphs[payload.first], version: own, way: "spring", measure: "", threshold: 0, top: null, predicate: null,
    resting: null, edge: null, pinned: null,
    edits: payload.result?.edits ?? [], result: payload.result, busy: null, trouble: null,
    turn: 0, stands: 0, // the question asked last, and the one whose edits stand
  };
  state.wanted = state.edits; // asked for last, perhaps not answered yet: the next edit comes on top of these
  const pictures = { cut: null };
  let shown = []; // the edges that are drawn and counted
  let width = 0;

  const actions = {
    rest: (node) => ((state.resting = node), (state.edge = null), paint()),
    restEdge: (edge) => ((state.edge = edge), paint()),
    leave: () => ((state.resting = state.edge = null), paint()),
    pin: (node) => ((state.pinned = state.pinned === node ? null : node), paint()),
    walk(node) {
      if (state.pinned !== null) state.pinned = node;
      state.resting = node;
      paint();
    },
    nameEdge: (edge) => `edge ${nameEdge(edge)}, weight ${short(edge.value)}`,
    choose: (edge, from) => openMenu(edge, from),
  };

  const photo = payload.image && payload.boxes ? payload.image.src : null;
  const place = new GraphPlot("graph in place", actions);
  const layout = new GraphPlot("graph as a layout", actions);
  const placeBox = make("div", { class: "place" }, place.svg);
  const remark = make("p", { class: "about" });
  const about = make("p", { class: "about" });
  const readout = make("p", { class: "readout", "aria-live": "polite" });
  const score = make("b");
  const count = make("output", {});
  const ranked = make("ol", { class: "ranked" });
  const formula = make("p", { class: "note" });
  const legend = make("ul", { class: "legend", "aria-label": "legend" });
  const code = make("code");

  const graphChoice = grouped("Graph", graphs, payload.groups, (at) => chooseGraph(graphs[at]));
  const threshold = make("input", { type: "range", min: 0, max: 1, step: 0.005, value: 0, "aria-label": "least weight of an edge that is drawn" });
  threshold.addEventListener("input", () => (takeThreshold(), redraw()));
  const thresholdBox = make("label", { class: "slider" }, "Weight", threshold);
  const topChoice = choice("Edges a node", TOPS.map((top) => (top === null ? "all" : `${top} strongest`)), (at) => ((state.top = TOPS[at]), redraw()));
  const predicateBox = make("span");
  const versionBox = make("span", { class: "choice versions" });
  const wayBox = switchOf("layout", WAYS, "spring", (way) => ((state.way = way), redraw()));
  const measures = Object.keys(payload.measures);
  const measureChoice = choice("Size", ["equal", ...measures.map((name) => payload.measures[name][0])], (at) => ((state.measure = at ? measures[at - 1] : ""), redraw()));
  const panel = new EditPanel(payload, kernel, { undo, reset: () => apply([]), take: (edit) => apply(state.wanted.filter((other) => !sameEdge(other, edit))), show: chooseGraph });
  const edgeTable = make("details", { class: "numbers" }, make("summary", {}, "Edges as a table"));
  const nodeTable = make("details", { class: "numbers" }, make("summary", {}, "Nodes as a table"));
  const codeBox = make("details", { class: "numbers" }, make("summary", {}, "The same in code"), code);
  for (const details of [edgeTable, nodeTable]) details.addEventListener("toggle", () => details.open && fillTables());

  const root = make("section", { class: "view explorer", "aria-label": `${payload.model}: relations in the picture and “${payload.caption}”` },
    make("header", {}, make("span", { class: "model" }, payload.model), make("span", { class: "score" }, "score ", score), make("span", { class: "controls" }, graphChoice.root)),
    make("p", { class: "sentence", dir: "auto" }, ...payload.pieces.map(([text, index]) => (index === null ? text : make("span", { "data-word": index }, text)))),
    about,
    make("div", { class: "controls thinning" }, topChoice, thresholdBox, predicateBox, versionBox, count),
    readout,
    make("div", { class: "board" },
      make("div", { class: "left" }, placeBox, remark),
      make("div", { class: "right" }, layout.svg, make("div", { class: "controls under" }, make("span", { class: "choice" }, "Layout", wayBox), measureChoice))),
    make("div", { class: "below" },
      panel.root,
      make("section", { class: "panel", "aria-label": "central nodes" }, make("h3", {}, "Most central"), ranked, formula)),
    legend, edgeTable, nodeTable, codeBox);
  shadow.replaceChildren(make("style", {}, STYLE), root);
  const menu = new EdgeMenu(root);
  const words = [...root.querySelectorAll("[data-word]")];

  root.addEventListener("keydown", (event) => {
    if (event.key === "z" && (event.ctrlKey || event.metaKey) && kernel && state.wanted.length) {
      event.preventDefault();
      event.stopPropagation();
      undo();
    }
    if (event.key !== "Escape" || (state.pinned === null && state.resting === null && !state.edge)) return;
    event.stopPropagation();
    state.pinned = state.resting = state.edge = null;
    paint();
  });

  // ---------- names

  const region = () => state.graph.nodes === "region";
  const nameNode = (at) => (region() ? `region ${at}${payload.labels[at] ? ` (${payload.labels[at]})` : ""}` : `“${payload.words[at]}”`);
  const shortNode = (at) => (region() ? `${at}${payload.labels[at] ? ` ${payload.labels[at]}` : ""}` : payload.words[at]);
  const nameEdge = ({ from, to, predicate }) => `${nameNode(from)} ${predicate ?? (state.graph.symmetric ? "–" : "→")} ${nameNode(to)}`;

  // ---------- what is shown

  const versions = () => [...payload.versions, ...(state.result?.graphs ? [[AFTER, state.result.score]] : [])];
  const edited = () => state.version > own;

  function weightsOf(graph, version) {
    const codes = version > own ? state.result.graphs[graph.name] ?? graph.weights.at(-1) : graph.weights.length === 1 ? graph.weights[0] : graph.weights[version];
    return codes ? decodeWeights(codes) : null;
  }

  /** All edges of a version, and the largest weight in any of them: one scale for all. */
  function readWeights() {
    const all = versions().map((_, version) => weightsOf(state.graph, version));
    state.weights = all[state.version];
    state.all = state.weights ? edgesOf(state.weights) : [];
    const called = decodePredicates(state.graph.predicates);
    for (const edge of state.all) edge.predicate = called(edge.from * state.weights.nodes + edge.to);
    state.largest = Math.max(0, ...all.filter(Boolean).map((weights) => edgesOf(weights).reduce((most, { value }) => Math.max(most, Math.abs(value)), 0)));
    state.ownWeights = all[own];
    takeThreshold();
  }

  function takeThreshold() {
    state.threshold = roundedDown(threshold.value * state.largest); // up, and the largest might be lost
  }

  function chooseGraph(graph) {
    const { nodes } = state.graph;
    if (graph.nodes !== nodes || !place.nodes.length) state.pinned = null;
    Object.assign(state, { graph, top: graph.top, resting: null, edge: null });
    graphChoice.list.value = graphs.indexOf(graph);
    threshold.value = 0;
    topChoice.querySelector("select").selectedIndex = TOPS.indexOf(graph.top);
    thresholdBox.hidden = topChoice.hidden = graph.plain;
    about.textContent = graph.about;
    readWeights();
    drawPredicates();
    if (graph.nodes !== nodes || !place.nodes.length) makeNodes();
    drawVersions();
    panel.show(state, graph);
    draw();
  }

  function makeNodes() {
    const names = Array.from({ length: region() ? payload.regions : payload.words.length }, (_, at) => ({ title: nameNode(at), text: shortNode(at) }));
    place.setNodes(region() ? names.map(({ title }, at) => ({ title, text: String(at) })) : names, region() ? "image" : "sentence");
    layout.setNodes(names, region() ? "regions" : "words");
    layout.setPictures(region() ? pictures.cut : null);
    remark.textContent = !region() ? "" : !payload.boxes ? "No boxes are known for this collection: regions stand on a circle, not where they are." : !payload.image ? "No image is known for this pair: boxes stand on a blank sheet." : "";
  }

  function drawPredicates() {
    const counts = new Map();
    for (const { predicate } of state.all) if (predicate) counts.set(predicate, (counts.get(predicate) ?? 0) + 1);
    const names = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a) || (a < b ? -1 : 1));
    const many = names.length > 1 && state.all.length > CROWD * state.weights.nodes;
    state.predicate = many ? names[0] : null;
    predicateBox.replaceChildren(...(names.length > 1 ? [choice("Relation", ["all", ...names.map((name) => `${name} (${counts.get(name)})`)], (at) => ((state.predicate = at ? names[at - 1] : null), redraw()))] : []));
    if (many) predicateBox.querySelector("select").selectedIndex = 1;
  }

  function drawVersions() {
    const names = versions().map(([name]) => name);
    versionBox.hidden = names.length < 2 || (state.graph.weights.length < 2 && !state.result?.graphs[state.graph.name]);
    const change = (version) => {
      state.version = version;
      readWeights();
      redraw();
    };
    if (names.length <= 4) {
      versionBox.replaceChildren("Model", switchOf("model", names, state.version, (at) => change(Number(at))));
      return;
    }
    const slider = make("input", { type: "range", min: 0, max: names.length - 1, step: 1, value: state.version, "aria-label": "model", "aria-valuetext": names[state.version] });
    const told = make("output", {}, names[state.version]);
    slider.addEventListener("input", () => {
      told.textContent = names[slider.value];
      slider.setAttribute("aria-valuetext", names[slider.value]);
      change(Number(slider.value));
    });
    versionBox.replaceChildren("Model", slider, told);
  }

  // ---------- drawing

  function fit() {
    const style = getComputedStyle(root);
    width = root.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (!(width > 0)) return; // out of sight, or not yet in the document
    const wide = width >= 720;
    root.classList.toggle("wide", wide);
    root.classList.toggle("roomy", width >= 1000); // the answer's table beside the list of nodes
    draw();
  }

  function draw() {
    if (!(width > 0)) return;
    const wide = width >= 720;
    const left = wide ? Math.min(width * 0.46, 560) : width;
    drawPlace(left, wide ? 440 : 520);
    root.style.setProperty("--left", `${wide ? Math.max(place.width, 260) : width}px`);
    const right = wide ? width - Math.max(place.width, 260) - 28 : width;
    layout.size(right, wide ? Math.max(320, Math.min(440, region() ? place.height - 36 : 440)) : Math.min(right, 420));
    redraw();
  }

  function drawPlace(most, tallest) {
    if (!region()) {
      place.size(most, payload.words.length * ROW + 12);
      placeBox.style.width = `${most}px`;
      place.back.replaceChildren();
      return;
    }
    const aspect = payload.boxes && payload.image ? payload.image.height / payload.image.width : 0.72;
    const w = Math.min(most, tallest / aspect);
    place.size(w, w * aspect);
    placeBox.style.width = `${w}px`;
    const box = ([x1, y1, x2, y2], at) => makeSvg("rect", { "data-box": at, x: x1 * w, y: y1 * place.height, width: Math.max(1, (x2 - x1) * w), height: Math.max(1, (y2 - y1) * place.height) });
    place.back.replaceChildren(...[photo ? makeSvg("image", { href: photo, width: w, height: place.height, preserveAspectRatio: "none" }) : makeSvg("rect", { class: "sheet", width: w, height: place.height }), ...(payload.boxes ?? []).map(box)]);
    place.svg.dataset.blank = !photo;
  }

  function points(plot, codes) {
    const bytes = Uint8Array.from(atob(codes), (letter) => letter.charCodeAt(0));
    const [x, y, low] = [46, 26, 42];
    return Array.from({ length: bytes.length / 2 }, (_, at) => [x + (bytes[2 * at] / 255) * (plot.width - 2 * x), y + (bytes[2 * at + 1] / 255) * (plot.height - y - low)]);
  }

  function placed() {
    if (!region()) return payload.words.map((_, at) => [place.width / 2, (at + 0.75) * ROW]);
    if (!payload.boxes) return points(place, state.graph.layouts.circular);
    return payload.boxes.map(([x1, y1, x2, y2]) => [((x1 + x2) / 2) * place.width, ((y1 + y2) / 2) * place.height]);
  }

  /** What threshold, top, relation and version leave; both drawings, counts, tables. */
  function redraw() {
    if (!(width > 0)) return;
    const { graph, predicate, largest } = state;
    shown = thin(predicate ? state.all.filter((edge) => edge.predicate === predicate) : state.all, state.threshold, graph.plain ? null : state.top);
    const marks = marksOf(graph);
    const missing = [...marks.keys()].filter((id) => !shown.some((edge) => edge.id === id)).map((id) => {
      const [from, to] = id.split("-").map(Number);
      return { id, from, to, value: state.ownWeights.at(from, to) };
    });
    const drawn = [...shown, ...missing];
    const central = measure(place.nodes.length, shown);
    const sizes = radii(central);
    const sentence = !region();
    const own = sentence ? payload.words.map((word) => Math.min(3.9 * [...word].length + 7, place.width / 3)) : sizes.map(() => 9);
    const bow = ([x, y1], [, y2]) => [x + Math.sign(y2 - y1) * Math.min(place.width - 24, 90 + Math.abs(y2 - y1) * 0.9), (y1 + y2) / 2];
    place.put(placed(), own, sentence ? "alone" : "inside");
    Object.keys(WAYS).forEach((way, at) => (wayBox.children[at].disabled = !(way in graph.layouts))); // too many nodes for it
    layout.put(points(layout, graph.layouts[state.way] ?? graph.layouts.spring), sizes, "below");
    const look = { largest, symmetric: graph.symmetric, plain: graph.plain, marks };
    place.drawEdges(drawn, { ...look, bow: sentence ? bow : null });
    layout.drawEdges(drawn, look);
    score.textContent = versions()[state.version][1];
    const all = `${state.all.length}`;
    const parts = [predicate, graph.plain ? null : `weight ≥ ${short(state.threshold)}`, graph.plain || state.top === null ? null : `the ${state.top} strongest of each ${graph.nodes}`].filter(Boolean);
    count.textContent = !state.weights ? "this model has no such edges" : !state.all.length ? "no two are joined" : `${shown.length} of ${all} edges${parts.length ? ` (${parts.join("; ")})` : ""}`;
    drawRanked(central);
    drawLegend();
    const thinned = graph.plain ? "" : `, threshold=${state.threshold}${state.top === null ? "" : `, top=${state.top}`}`;
    code.textContent = `graph = ${graph.code}${thinned})${predicate ? `  # here: only “${predicate}”` : ""}\ncentralities(graph)\nlayouts(graph)`;
    fillTables(central);
    paint();
  }

  function marksOf(graph) {
    const inside = (path, whole) => path === whole || path.startsWith(`${whole}.`);
    const found = new Map();
    for (const { tap, kind, row, column } of state.edits) if (graph.tap && (inside(graph.tap, tap) || inside(tap, graph.tap))) found.set(idOf(row, column), kind);
    return found;
  }

  function radii(central) {
    const values = state.measure ? central[state.measure] : null;
    const most = values ? largestOf(values) : 0;
    const [least, more] = region() ? [pictures.cut ? 15 : 9, 14] : [6, 14];
    const crowded = place.nodes.length > 40 ? 0.55 : place.nodes.length > 20 || layout.width < 420 ? 0.75 : 1;
    return place.nodes.map((_, at) => crowded * (values ? least - 3 + (more * values[at]) / (most || 1) : least + 2));
  }

  function drawRanked(central) {
    const name = state.measure || "in_strength";
    const values = central[name];
    const order = [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, RANKED);
    const most = values[order[0]] || 1;
    ranked.replaceChildren(...order.map((at) => make("li", {}, make("span", { class: "who", dir: "auto" }, shortNode(at)), make("i", { style: `width:${(72 * values[at]) / most}px` }), make("span", {}, short(values[at])))));
    const [title, says] = payload.measures[name];
    formula.replaceChildren(make("b", {}, title), `: ${says}; of the edges that are drawn.`);
  }

  /** Lights up what is rested on or pinned: its edges, its ends, its word. */
  function paint() {
    const node = state.pinned ?? state.resting;
    const seen = { node, edge: state.edge, pinned: state.pinned };
    place.light(seen);
    layout.light(seen);
    const near = state.edge ? [state.edge.from, state.edge.to] : node === null ? [] : [node];
    for (const box of place.back.querySelectorAll("[data-box]")) box.classList.toggle("active", near.includes(Number(box.dataset.box)));
    words.forEach((word, at) => word.classList.toggle("active", !region() && near.includes(at)));
    readout.replaceChildren(...describe(node));
  }

  function describe(node) {
    if (state.edge) {
      const { edge, graph } = state;
      const back = state.weights && !graph.symmetric ? state.weights.at(edge.to, edge.from) : 0;
      const parts = [make("b", {}, nameEdge(edge))];
      if (!graph.plain) parts.push(`: ${short(edge.value)}${graph.symmetric ? "" : `; back ${short(back)}`}`);
      const before = payload.versions.length > 1 || edited() ? versions().map(([name], version) => [name, weightsOf(graph, version)]).filter(([, weights]) => weights) : [];
      if (before.length > 1 && graph.weights.length + edited() > 1) parts.push(make("span", { class: "verdict" }, before.map(([name, weights]) => `${name}: ${short(weights.at(edge.from, edge.to))}`).join(" · ")));
      return parts;
    }
    if (node === null) return [make("span", { class: "hint" }, "Rest on a node: its edges light up. Click pins it, Escape lets go, arrow keys walk, Tab goes through its edges.")];
    const list = (edges, end) => edges.slice(0, 6).map((edge) => `${edge.predicate ? `${edge.predicate} ` : ""}${shortNode(edge[end])}${state.graph.plain ? "" : ` (${short(edge.value)})`}`).join(", ") + (edges.length > 6 ? " …" : "");
    const from = shown.filter((edge) => edge.from === node);
    const to = shown.filter((edge) => edge.to === node);
    const self = state.weights?.at(node, node);
    const parts = [make("b", {}, nameNode(node)), state.pinned !== null ? make("span", { class: "held" }, "held") : null].filter(Boolean);
    if (from.length) parts.push(` → ${list(from, "to")}`);
    if (self && !state.graph.symmetric) parts.push(`${from.length ? "; " : " → "}itself (${short(self)})`);
    if (!from.length && !to.length) parts.push("; no other edge of it is drawn");
    if (to.length && !state.graph.symmetric) parts.push(make("span", { class: "verdict" }, `← ${list(to, "from")}`));
    return parts;
  }

  function drawLegend() {
    const { graph } = state;
    const item = (sign, text) => make("li", {}, sign, text);
    const sample = (name, inner) => makeSvg("svg", { class: "sample", viewBox: "0 0 30 12", "aria-hidden": "true" }, makeSvg("g", { class: name }, ...inner));
    const tip = makeSvg("path", { class: "tip", d: "M28 6 21 2.6V9.4Z" });
    const line = (w, end = 22) => makeSvg("path", { class: "line", d: `M2 6H${end}`, "stroke-width": w });
    const scale = graph.weights.length > 1 || state.result?.graphs?.[graph.name] ? `, the largest in all of ${versions().map(([name]) => name).join(", ")}` : "";
    const way = graph.symmetric ? "the same both ways" : graph.predicates ? "subject → object" : "from → to";
    const items = [item(sample("edge", graph.symmetric ? [line(2.4, 28)] : [line(2.4), tip]), graph.plain ? `edge, ${way}` : `edge, ${way}; width: |weight|, up to ${short(state.largest)}${scale}`)];
    if (graph.signed) items.push(item(sample("edge negative", graph.symmetric ? [line(2.4, 28)] : [line(2.4), tip.cloneNode()]), "below zero"));
    if (state.measure) items.push(item(make("i", { class: "node-sign" }), `larger: more ${payload.measures[state.measure][0]}`));
    const kinds = new Set(marksOf(graph).values());
    for (const kind of kinds) items.push(item(makeSvg("svg", { class: "mark-sign", viewBox: "-9 -9 18 18", "aria-hidden": "true" }, makeSvg("g", { class: "mark" }, makeSvg("circle", { r: 8 }), makeSvg("path", { d: SIGNS[kind] }))), DONE[kind]));
    const nodes = state.weights?.nodes ?? 0;
    if (Array.from({ length: nodes }, (_, at) => state.weights.at(at, at)).some(Boolean)) items.push(make("li", {}, "What a node gives to itself is not drawn."));
    legend.replaceChildren(...items);
  }

  function fillTables(central = measure(place.nodes.length, shown)) {
    if (edgeTable.open) {
      const rows = shown.slice(0, MOST_DRAWN).map((edge) => [shortNode(edge.from), shortNode(edge.to), state.graph.plain ? "" : short(edge.value), edge.predicate ?? "", canEdit() ? editButton(edge) : ""]);
      edgeTable.querySelector(".scroll")?.remove();
      edgeTable.append(table(["from", "to", "weight", "relation", canEdit() ? "edit" : ""], rows));
    }
    if (nodeTable.open) {
      const rows = place.nodes.map((_, at) => [shortNode(at), ...measures.map((name) => short(central[name][at]))]);
      nodeTable.querySelector(".scroll")?.remove();
      nodeTable.append(table([state.graph.nodes, ...measures.map((name) => payload.measures[name][0])], rows));
    }
  }

  // ---------- edits

  const canEdit = () => Boolean(kernel && state.graph.tap);

  function editButton(edge) {
    const button = make("button", { type: "button", class: "link", "aria-haspopup": "menu", "aria-label": `edit ${nameEdge(edge)}` }, "edit …");
    button.addEventListener("click", () => openMenu(edge, button));
    return button;
  }

  function openMenu(edge, from) {
    const { graph } = state;
    const title = nameEdge(edge);
    if (!graph.tap) return menu.open(from, title, [], `${panel.told(graph).map((part) => part.textContent ?? part).join("")}`);
    if (!kernel) return menu.open(from, title, [], "Edits need the kernel: open this pair in a notebook.");
    const here = { tap: graph.tap, row: edge.from, column: edge.to };
    const others = () => state.wanted.filter((other) => !sameEdge(other, here));
    const made = state.wanted.find((other) => sameEdge(other, here));
    const deeds = Object.entries(DEEDS).filter(([kind]) => kind !== made?.kind).map(([kind, text]) => [text, () => apply([...others(), { ...here, kind, text: `${title} ${DONE[kind]}` }], edge.id)]);
    if (made) deeds.unshift(["Take back", () => apply(others(), edge.id)]);
    const several = graph.name !== `learned:${graph.tap}` ? `In all heads of ${graph.tap}.` : null;
    menu.open(from, title, deeds, several);
  }

  function undo() {
    apply(state.wanted.slice(0, -1));
  }

  /** Ask the kernel for score and maps under these edits, then for the ranks; what stood stays where it refuses. */
  async function apply(edits, focus = null) {
    if (!kernel) return;
    const turn = ++state.turn;
    const newest = () => turn === state.turn;
    Object.assign(state, { wanted: edits, busy: "score", trouble: null });
    panel.show(state, state.graph);
    const asked = edits.map(({ tap, kind, row, column, keep_sum: keep = true }) => ({ tap, kind, row, column, keep_sum: keep }));
    try {
      const result = await kernel.ask("edit", { edits: asked });
      state.stands = turn;
      take(result, edits, !newest() ? "score" : result && payload.gallery ? "rank" : null);
      if (!newest()) return;
      state.wanted = state.edits;
      if (!shadow.activeElement) (layout.hitOf(focus) ?? place.hitOf(focus))?.focus();
      if (!state.busy) return;
      const ranked = await kernel.ask("rank", { edits: asked });
      if (state.stands === turn) take(ranked, edits, newest() ? null : state.busy);
    } catch (trouble) {
      if (!newest()) return;
      Object.assign(state, { wanted: state.edits, busy: null, trouble });
      panel.show(state, state.graph);
    }
  }

  function take(result, edits, busy) {
    const first = !state.result;
    const from = shadow.activeElement?.closest("[data-edge]"); // will be drawn anew
    const plot = from && (place.svg.contains(from) ? place : layout);
    Object.assign(state, { result, edits: result?.edits ?? edits, busy });
    if (result && first) state.version = own + 1;
    if (!result) state.version = Math.min(state.version, own);
    drawVersions();
    readWeights();
    panel.show(state, state.graph);
    redraw();
    plot?.hitOf(from.dataset.edge)?.focus();
  }

  // ---------- life

  const follow = followTheme(root, () => {});
  if (state.result) state.version = own + 1;
  chooseGraph(state.graph);
  const stopLooking = onNewWidth(root, () => (fit(), follow.look()));
  fit();
  if (photo) {
    const loaded = make("img", { src: photo, alt: "" });
    loaded.addEventListener("load", () => {
      pictures.cut = cutPieces(loaded, payload.boxes);
      if (!region()) return;
      layout.setPictures(pictures.cut);
      redraw();
    });
  }

  return () => {
    menu.close(false);
    follow.stop();
    stopLooking();
    shadow.replaceChildren();
  };
}

/** A drop-down list of graphs under headings. */
function grouped(label, graphs, groups, changed) {
  const heads = { region: "Regions", word: "Words" };
  const list = make("select", { "aria-label": label }, ...Object.keys(heads).flatMap((nodes) => Object.keys(groups).map((group) => {
    const inside = graphs.map((graph, at) => [graph, at]).filter(([graph]) => graph.nodes === nodes && graph.group === group);
    if (!inside.length) return null;
    return make("optgroup", { label: `${heads[nodes]}: ${groups[group]}` }, ...inside.map(([graph, at]) => make("option", { value: at }, graph.label)));
  })).filter(Boolean));
  list.addEventListener("change", () => changed(Number(list.value)));
  return { list, root: make("label", { class: "choice" }, make("span", {}, label), list) };
}
