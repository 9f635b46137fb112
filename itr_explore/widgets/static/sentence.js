// The sentence: every word can be rested on, focused and pinned; mentions carry a badge.

const FAINT = 0.04; // share of the colour scale below which a word keeps its own ground

const BADGES = {
  hit: { path: "M4.2 8.3 7 11l5-6", says: "hit" },
  miss: { path: "M5 5l6 6M11 5l-6 6", says: "miss" },
  uncovered: { path: "M4.5 8h7", says: "no region covers it" },
  ungrounded: { path: "M4.5 8h7", says: "has no box" },
};

/** A round green tick, a square red cross, a bare dash: told apart by shape as well as by colour. */
function badge(state, title) {
  const known = BADGES[state];
  const ground =
    state === "hit" ? makeSvg("circle", { cx: 8, cy: 8, r: 7.5 })
    : state === "miss" ? makeSvg("rect", { x: 0.8, y: 0.8, width: 14.4, height: 14.4, rx: 3 })
    : makeSvg("rect", { x: 0.8, y: 0.8, width: 14.4, height: 14.4, rx: 7, class: "hollow" });
  const drawing = makeSvg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, ground, makeSvg("path", { d: known.path }));
  return make("span", { class: "badge", "data-state": state, title }, drawing);
}

class Sentence {
  constructor(payload, actions) {
    this.payload = payload;
    this.words = [];
    this.root = make("p", { class: "sentence", dir: "auto", "data-long": payload.words.length > 45 });
    for (const [text, index] of payload.pieces) {
      if (index === null) this.root.append(text);
      else this.root.append((this.words[index] = this.word(text, index, actions)));
    }
  }

  word(text, index, actions) {
    const unknown = this.payload.unknown.includes(index);
    const node = make("button", { type: "button", class: "word", "data-word": index, tabindex: index ? -1 : 0, "aria-pressed": "false", "data-unknown": unknown }, text);
    node.addEventListener("pointerenter", () => actions.rest({ axis: "word", index }));
    node.addEventListener("pointerleave", actions.leave);
    node.addEventListener("focus", () => node.matches(":focus-visible") && actions.rest({ axis: "word", index }));
    node.addEventListener("blur", actions.leave);
    node.addEventListener("click", () => actions.pin({ axis: "word", index }));
    node.addEventListener("keydown", (event) => {
      const next = walk(this.words, event, getComputedStyle(this.root).direction);
      if (next !== null) actions.walk({ axis: "word", index: next });
    });
    return node;
  }

  /** Badges for a map: one a mention, after its last word; mentions of several words are underlined as one. */
  judge(map, describe) {
    this.words.forEach((node, index) => {
      node.querySelector(".badge")?.remove();
      delete node.dataset.verdict;
      const unknown = this.payload.unknown.includes(index) ? "; a word that the model has never seen" : "";
      node.setAttribute("aria-label", this.payload.words[index] + unknown);
    });
    (map.verdicts ?? []).forEach(([state], at) => {
      const mention = this.payload.mentions[at];
      const last = this.words[Math.max(...mention.words)];
      if (last.dataset.verdict) return;
      const text = describe(at);
      last.dataset.verdict = state;
      last.append(badge(state, text));
      last.setAttribute("aria-label", `${last.getAttribute("aria-label")}; ${text}`);
      for (const word of mention.words) this.words[word].dataset.mention = mention.words.length > 1 ? at : "";
    });
  }

  light(lights) {
    this.words.forEach((node, index) => {
      const active = lights.active?.axis === "word" && lights.active.index === index;
      const colour = lights.words ? lights.colour(lights.words[index], lights.wordRow(index)) : null;
      if (!looksNew(node, active, lights.named.has(index), active && lights.pinned, colour?.rgb, colour?.strength >= LIT)) return;
      node.classList.toggle("active", active);
      node.classList.toggle("lit", Boolean(colour && colour.strength >= LIT));
      node.classList.toggle("named", lights.named.has(index));
      node.setAttribute("aria-pressed", String(active && lights.pinned));
      const filled = colour && !active && colour.strength >= FAINT;
      node.style.background = filled ? css(colour.rgb) : "";
      node.style.color = filled ? inkOn(colour.rgb) : "";
    });
  }
}
