// How one result looks: a card with its picture, or a line of text; score, margin and verdict with either.

const STATES = { right: ["hit", "right"], wrong: ["miss", "wrong"], true: ["hit", "true too"], unknown: [null, ""] };
const count = (number) => number.toLocaleString("en");

function button(text, clicked, attributes = {}) {
  const node = make("button", { type: "button", ...attributes }, text);
  node.addEventListener("click", clicked);
  return node;
}

function numbers({ score, margin }) {
  return make("span", { class: "numbers-of" }, make("b", {}, fixed(score)), make("span", { class: "quiet" }, margin === null ? "" : ` margin ${margin.toFixed(3)}`));
}

const gauge = (score, place, mean) => make("span", { class: "gauge", "aria-hidden": "true" }, make("i", { style: `width:${place(score)}%` }), make("u", { style: `left:${place(mean)}%` }));

function mark(result) {
  const [shape, text] = STATES[result.state];
  if (!shape) return null;
  return make("span", { class: "mark", "data-state": result.state }, badge(shape),
    make("span", {}, text, result.false ? make("span", { class: "quiet" }, `: ${result.false}`) : null));
}

/** How one result is read aloud. */
const spoken = (result, name) => [`rank ${result.rank}`, name, `score ${fixed(result.score)}`, STATES[result.state][1], result.false].filter(Boolean).join(", ");

/** A button where there is a kernel to ask, else something to read. */
const holder = (live, attributes, ...children) => make(live ? "button" : "div", live ? { type: "button", ...attributes, "aria-pressed": "false" } : { class: attributes.class, "data-row": attributes["data-row"] }, ...children);

function card(result, place, mean, live) {
  return holder(live, { class: "card", "data-row": result.row, "data-state": result.state, "aria-label": spoken(result, result.caption || result.name) },
    make("span", { class: "frame" }, face(result), make("span", { class: "place" }, String(result.rank))),
    gauge(result.score, place, mean), numbers(result), mark(result), make("span", { class: "own", dir: "auto" }, result.caption || result.name));
}

function line(result, place, mean, live) {
  return holder(live, { class: "line", "data-row": result.row, "data-state": result.state, "aria-label": spoken(result, result.text) },
    make("span", { class: "place" }, String(result.rank)), make("span", { class: "text", dir: "auto" }, result.text), mark(result),
    make("span", { class: "weight" }, gauge(result.score, place, mean), numbers(result)));
}
