// What is done to edges: the menu of an edge, the list of edits, what the kernel answered.

const DEEDS = { cut: "Cut", reverse: "Reverse", mean: "Replace by the mean edge" };
const DONE = { cut: "cut", reverse: "reversed", mean: "replaced by the mean edge" };
const TINY = 0.0005; // movement of attention that is not worth a row

const minus = (text) => (Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−"));

/** A menu beside an edge: arrow keys walk, Enter chooses, Escape closes and gives the focus back. */
class EdgeMenu {
  constructor(root) {
    this.root = root;
    this.box = make("div", { class: "menu", hidden: true });
    root.append(this.box);
    this.away = (event) => !event.composedPath().includes(this.box) && this.close(false);
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Escape" || event.key === "Tab") {
        event.preventDefault();
        event.stopPropagation();
        this.close();
      } else if (event.target.getAttribute("role") === "menuitem") walk(this.items, event);
    });
  }

  open(from, title, deeds, note) {
    this.from = from;
    this.items = deeds.map(([text, deed], at) => {
      const item = make("button", { type: "button", role: "menuitem", tabindex: at ? -1 : 0 }, text);
      item.addEventListener("click", () => {
        this.close();
        deed();
      });
      return item;
    });
    const list = this.items.length ? make("div", { role: "menu", "aria-label": title }, ...this.items) : null;
    const said = note ? make("p", {}, note) : null;
    this.box.replaceChildren(make("b", {}, title), ...[said, list].filter(Boolean));
    this.box.setAttribute("tabindex", -1);
    this.box.hidden = false;
    const [frame, edge] = [this.root.getBoundingClientRect(), from.getBoundingClientRect()];
    const width = this.box.offsetWidth;
    const left = (edge.left + edge.right) / 2 - frame.left - width / 2;
    this.box.style.left = `${Math.max(8, Math.min(left, frame.width - width - 8))}px`;
    this.box.style.top = `${Math.max(8, Math.min((edge.top + edge.bottom) / 2 - frame.top + 12, frame.height - this.box.offsetHeight - 8))}px`;
    (this.items[0] ?? this.box).focus();
    this.root.ownerDocument.addEventListener("pointerdown", this.away, true);
  }

  close(focus = true) {
    if (this.box.hidden) return;
    this.box.hidden = true;
    this.root.ownerDocument.removeEventListener("pointerdown", this.away, true);
    if (focus && this.from.isConnected) this.from.focus();
  }
}

/** The list of edits and what they did. `actions`: undo(), reset(), take(edit), show(graph). */
class EditPanel {
  constructor(payload, kernel, actions) {
    this.payload = payload;
    this.kernel = kernel;
    this.actions = actions;
    this.hint = make("p", { class: "hint" });
    this.list = make("ol", { class: "edits", "aria-label": "edits that stand" });
    this.undo = make("button", { type: "button", class: "plain", title: "Ctrl+Z" }, "Undo");
    this.reset = make("button", { type: "button", class: "plain" }, "Reset");
    this.undo.addEventListener("click", actions.undo);
    this.reset.addEventListener("click", actions.reset);
    this.buttons = make("div", { class: "controls" }, this.undo, this.reset);
    this.outcome = make("div", { class: "outcome", "aria-live": "polite" });
    this.root = make("section", { class: "panel", "aria-label": "edits" }, make("h3", {}, "What if"), this.hint, this.list, this.buttons, this.outcome);
  }

  /** `state`: edits, result, busy (what is awaited), trouble (a complaint); `graph`: the one shown. */
  show(state, graph) {
    this.hint.replaceChildren(...this.told(graph));
    const { edits } = state;
    this.list.replaceChildren(...edits.map((edit) => {
      const back = make("button", { type: "button", class: "plain", "aria-label": `take back: ${edit.text}` }, "take back");
      back.addEventListener("click", () => this.actions.take(edit));
      return make("li", {}, make("span", {}, make("b", {}, `${edit.row} → ${edit.column} ${DONE[edit.kind]}`), make("small", {}, edit.tap)), this.kernel ? back : null);
    }));
    this.list.hidden = this.buttons.hidden = !edits.length;
    if (!this.kernel) this.buttons.hidden = true;
    const { result, busy, trouble } = state;
    this.outcome.setAttribute("aria-busy", String(Boolean(busy)));
    this.outcome.replaceChildren(...[
      trouble ? complaint(trouble) : null,
      busy === "score" ? make("p", { class: "hint" }, "Asking the model …") : null,
      ...(result && busy !== "score" ? this.drawResult(result, busy === "rank") : []),
    ].filter(Boolean));
  }

  told(graph) {
    const { kernel, payload } = this;
    const others = payload.graphs.filter((other) => other.tap);
    if (!others.length) return [`${payload.model} reasons on no edges between regions or between words, so there are none to cut. lgsf, racg and vsrnpp do.`];
    if (graph.tap) {
      if (!kernel) return ["Edits need the kernel: in a notebook, click an edge to cut it, reverse it or replace it by the mean edge. Everything else works here."];
      return ["Click an edge, or pin a node, press Tab and then Enter: cut it, reverse it or put the mean edge in its place."];
    }
    const links = others.slice(0, 8).map((other) => {
      const node = make("button", { type: "button", class: "link" }, `${other.nodes}s: ${other.label}`);
      node.addEventListener("click", () => this.actions.show(other));
      return node;
    });
    return ["The score is not computed from these edges, so they cannot be edited. Those that can be: ", ...links.flatMap((node, at) => (at ? [", ", node] : [node])), others.length > 8 ? " …" : "."];
  }

  drawResult(result, waiting) {
    const { changes, draws, like, gallery, moved } = result;
    const digits = (name) => (name === "score" ? 4 : 1);
    const said = (value, name) => minus(value.toFixed(digits(name)));
    const signed = (value, name) => (value > 0 ? "+" : "") + said(value, name);
    const rows = changes.map((change) => {
      const { name } = change;
      const cells = [said(change.before, name), said(change.after, name), signed(change.by, name)];
      const beside = draws ? [`${signed(change.mean, name)} (${signed(change.low, name)} to ${signed(change.high, name)})`, change.chance.toFixed(2)] : ["", ""];
      return make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((text, at) => make("td", { class: at === 1 ? "after" : null }, text)), make("td", {}, draws ? strip(change) : null), ...beside.map((text) => make("td", {}, text)));
    });
    const head = ["", "before", "after", "change", "beside controls", "controls: mean (95 %)", "as large by chance"];
    const table = make("div", { class: "scroll" }, make("table", { class: "changes" },
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))), make("tbody", {}, ...rows)));
    const controls = draws ? `${draws} controls: the same done to ${like}.` : "No other edge weighs nearly as much, so there are no controls.";
    const ranks = waiting ? " Ranks follow …" : gallery ? ` Ranks from 1, in ${gallery}.` : " No collection was given, so there are no ranks.";
    return [table, make("p", { class: "note" }, controls + ranks), ...(moved ? this.drawMoved(moved) : [])];
  }

  drawMoved({ map, rows }) {
    const kept = rows.filter(({ moved }) => Math.abs(moved) >= TINY);
    if (!kept.length) return [make("p", { class: "note" }, `No word's weights moved by ${TINY} or more (${map}).`)];
    const name = (at) => `${at}${this.payload.labels[at] ? ` ${this.payload.labels[at]}` : ""}`;
    const cells = kept.map((row) => make("tr", {},
      make("th", { scope: "row", dir: "auto" }, row.word), make("td", {}, name(row.region)),
      make("td", {}, minus(row.before.toFixed(3))), make("td", { class: "after" }, minus(row.after.toFixed(3))),
      make("td", {}, row.strongest_before === row.strongest_after ? `${name(row.strongest_before)}, as before` : `${name(row.strongest_before)} → ${name(row.strongest_after)}`)));
    const head = ["word", "region", "before", "after", "strongest region"];
    return [make("h4", {}, "Whose weights moved"), make("div", { class: "scroll" }, make("table", { class: "changes" },
      make("caption", {}, `The largest change of each word, in ${map}.`),
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))), make("tbody", {}, ...cells)))];
  }
}

/** A line with a dot for each control, a tick before and a diamond after. */
function strip({ before, after, controls }) {
  const [width, height, margin] = [130, 22, 8];
  const all = [before, after, ...controls];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const at = (value) => (high > low ? margin + ((value - low) / (high - low)) * (width - 2 * margin) : width / 2);
  const y = height / 2;
  const dots = controls.map((value, index) => makeSvg("circle", { cx: at(value), cy: y + ((index % 3) - 1) * 3.4, r: 2.2 }));
  const end = at(after);
  return makeSvg("svg", { class: "strip-chart", width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
    makeSvg("path", { class: "axis", d: `M${margin} ${y}H${width - margin}` }), ...dots,
    makeSvg("path", { class: "tick", d: `M${at(before)} 3V${height - 3}` }),
    makeSvg("path", { class: "diamond", d: `M${end - 5} ${y}L${end} ${y - 5} ${end + 5} ${y} ${end} ${y + 5}Z` }));
}
