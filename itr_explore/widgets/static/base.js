// Shared by all views: making nodes, reading maps, colours, the host's theme.
// PALETTE and STYLE are set before this text (see widgets/assets.py). No file here names a colour.
// Whatever comes from data reaches the page as text or attribute, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const makeSvg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

/** A number as people read it: three significant digits, a real minus sign, no 1e-7. */
function short(value) {
  const size = Math.abs(value);
  const text = size === 0 ? "0" : size < 0.0005 ? "<0.001" : size < 0.0995 ? size.toFixed(3) : size.toFixed(2);
  return (value < 0 ? "−" : "") + (value < 0 && text[0] === "<" ? "0.001" : text);
}

/** Numbers out of their codes of 8 or 16 bits (see `quantised` in widgets/payload.py). */
function unpacked({ data, bits, zero, step }, Kind) {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const code = bits === 16 ? (at) => bytes[2 * at] + 256 * bytes[2 * at + 1] : (at) => bytes[at];
  return Kind.from({ length: (8 * bytes.length) / bits }, (_, at) => (code(at) - zero) * step);
}

/** A map of the payload with its values: `values[row * columns + column]`. */
function decode(map) {
  const values = unpacked(map, Float32Array);
  const [rows, columns] = map.shape;
  const row = (index) => values.subarray(index * columns, (index + 1) * columns);
  const column = (index) => Float32Array.from({ length: rows }, (_, at) => values[at * columns + index]);
  const signed = map.scale === "signed" || map.scale === "cosine";
  return { ...map, rows, columns, values, row, column, signed, largest: largestOf(values), judged: Boolean(map.verdicts) };
}

const argmax = (values) => values.reduce((best, value, at) => (value > values[best] ? at : best), 0);
const largestOf = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Whether a node has to be touched: `look` is all that its looks depend on. Keeps hovering cheap. */
function looksNew(node, ...look) {
  const key = look.join();
  if (node.looks === key) return false;
  node.looks = key;
  return true;
}

function channels(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** A function from 0..1 to [red, green, blue] along colour stops. */
function ramp(stops) {
  const points = stops.map(channels);
  return (place) => {
    const at = Math.min(Math.max(place, 0), 1) * (points.length - 1);
    const from = Math.min(Math.floor(at), points.length - 2);
    return points[from].map((value, c) => Math.round(value + (points[from + 1][c] - value) * (at - from)));
  };
}

const css = (rgb, alpha = 1) => `rgb(${rgb[0]} ${rgb[1]} ${rgb[2]} / ${alpha})`;

/** The dark or the light ink, whichever reads better on a colour. */
function inkOn(rgb) {
  const light = rgb.map((v) => v / 255).map((v) => (v <= 0.04 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2] > 0.18 ? PALETTE.inks[0] : PALETTE.inks[1];
}

/** Keep `root`'s data-theme like its host: a dark paper behind it means dark. Returns how to look anew and to stop. */
function followTheme(root, changed) {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const look = () => {
    root.dataset.theme = query.matches ? "dark" : "light"; // what the paper falls back to
    const paper = getComputedStyle(root).backgroundColor.match(/[\d.]+/g)?.map(Number);
    if (paper) root.dataset.theme = paper[0] + paper[1] + paper[2] < 384 ? "dark" : "light";
    changed(root.dataset.theme); // no paper: not yet in the document
  };
  const watcher = new MutationObserver(() => requestAnimationFrame(look));
  for (const node of [document.documentElement, document.body]) {
    watcher.observe(node, { attributes: true, attributeFilter: ["class", "style", "data-jp-theme-light", "data-theme", "theme"] });
  }
  query.addEventListener("change", look);
  look();
  const stop = () => {
    watcher.disconnect();
    query.removeEventListener("change", look);
  };
  return { look, stop };
}

/** Do `work` whenever a view's width has changed, also when it first comes into sight; returns how to stop. */
function onNewWidth(root, work) {
  let seen = 0;
  const observer = new ResizeObserver(() => {
    if (Math.abs(root.clientWidth - seen) < 1) return;
    seen = root.clientWidth;
    work();
  });
  observer.observe(root);
  return () => observer.disconnect();
}

/** Arrow keys walk a row of things of which only one is a tab stop. `along` is its reading direction. */
function walk(items, event, along = "ltr") {
  const back = along === "rtl" ? "ArrowRight" : "ArrowLeft";
  const ahead = along === "rtl" ? "ArrowLeft" : "ArrowRight";
  const at = items.indexOf(event.currentTarget);
  const steps = { [back]: at - 1, [ahead]: at + 1, ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: items.length - 1 };
  if (!(event.key in steps)) return null;
  event.preventDefault();
  const next = Math.min(Math.max(steps[event.key], 0), items.length - 1);
  items.forEach((item, index) => item.setAttribute("tabindex", index === next ? 0 : -1));
  items[next].focus();
  return next;
}

/** anywidget's `render` for a view's `mount(host, payload, kernel)`, which returns how to stop it. */
function asWidget(mount) {
  return {
    render({ model, el }) {
      const host = make("div");
      el.append(host);
      const kernel = asKernel(model);
      let stop = mount(host, model.get("payload"), kernel);
      const again = () => {
        stop();
        stop = mount(host, model.get("payload"), kernel);
      };
      model.on("change:payload", again);
      hideSnapshots(el, model.get("snapshot"));
      return () => {
        model.off("change:payload", again);
        kernel.stop();
        stop();
      };
    },
  };
}

/** Questions to the kernel, over anywidget's model; a page without a kernel has `null` in its place. */
function asKernel(model) {
  const waiting = new Map();
  const listeners = new Set();
  const own = `${Math.random().toString(36).slice(2)}-`; // what is said to one display of a view reaches all of them
  let last = 0;
  const receive = (message, buffers) => {
    const asked = waiting.get(message.answers);
    if (asked) waiting.delete(message.answers);
    if (asked) "error" in message ? asked.reject(message.error) : asked.resolve(message.value, buffers);
    else if (message.news) for (const listener of listeners) listener(message.news);
  };
  model.on("msg:custom", receive);
  return {
    /** The kernel's answer to a question by its name. A rejection holds `{what, advice}`, both plain text. */
    ask(question, details = {}) {
      return new Promise((resolve, reject) => {
        const number = own + ++last;
        waiting.set(number, { resolve, reject });
        model.send({ number, question, details });
      });
    },
    /** The same, but only the newest question of a `topic` is answered: for older ones the promise stays open. */
    askLast(topic, question, details = {}) {
      const turn = (this.turns[topic] = (this.turns[topic] ?? 0) + 1);
      return new Promise((resolve, reject) => {
        const still = (then) => (value) => turn === this.turns[topic] && then(value);
        this.ask(question, { ...details, topic }).then(still(resolve), still(reject));
      });
    },
    turns: {},
    /** Call `listener(news)` for what the kernel says unasked; returns how to stop. */
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    now: (trait) => model.get(trait),
    /** A trait's value, and a call whenever it changes. */
    watch(trait, changed) {
      const look = () => changed(model.get(trait));
      model.on(`change:${trait}`, look);
      look();
      return () => model.off(`change:${trait}`, look);
    },
    stop() {
      model.off("msg:custom", receive);
      waiting.clear();
      listeners.clear();
    },
  };
}

/** A live widget takes the place of the snapshot that was shown before it for those who have no kernel. */
function hideSnapshots(el, name) {
  if (name) el.append(make("style", {}, `[data-snapshot="${CSS.escape(name)}"] { display: none; }`)); // also one that is drawn later
}

/** Start a piece of HTML where it is seen: a snapshot is drawn anew again and again behind its live view. */
function onceShown(host, start) {
  if (host.getClientRects().length) return start();
  const observer = new ResizeObserver(() => {
    if (!host.getClientRects().length) return;
    observer.disconnect();
    start();
  });
  observer.observe(host);
}

/** Where a saved notebook has lost its kernel, JupyterLab says below a snapshot that a model is missing: not needed. */
function hideMissing(host) {
  const area = host.closest("[data-snapshot]")?.closest(".jp-OutputArea");
  if (!area) return;
  const watcher = new MutationObserver(() => look());
  const look = () => {
    for (const output of area.children) {
      if (!/^Error displaying widget: model not found/.test(output.textContent.trim())) continue;
      output.style.display = "none";
      watcher.disconnect();
    }
  };
  watcher.observe(area, { childList: true, subtree: true });
  look();
}

/** Wait until nothing was asked for so many milliseconds, then do it once, with the newest arguments. */
function debounced(milliseconds, work) {
  let timer = 0;
  return (...details) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...details), milliseconds);
  };
}

/** The same, but at once where nothing is under way and the last call is long enough ago. */
function patient(milliseconds, busy, work) {
  const later = debounced(milliseconds, work);
  let last = -Infinity;
  return (...details) => {
    const calm = performance.now() - last >= milliseconds && !busy();
    last = performance.now();
    if (calm) work(...details);
    else later(...details);
  };
}

/** A labelled drop-down list. */
function choice(label, options, changed) {
  const list = make("select", {}, ...options.map((text, at) => make("option", { value: at }, text)));
  list.addEventListener("change", () => changed(list.selectedIndex));
  return make("label", { class: "choice" }, make("span", {}, label), list);
}

/** Buttons of which one is down: `options` are texts, or `{text, title}`, by the names that `changed` is given. */
function switchOf(label, options, first, changed) {
  const buttons = Object.entries(options).map(([name, option]) => {
    const node = make("button", { type: "button", title: option.title, "aria-pressed": String(name === String(first)) }, option.text ?? option);
    node.addEventListener("click", () => {
      buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === node)));
      changed(name);
    });
    return node;
  });
  return make("span", { class: "switch", role: "group", "aria-label": label }, ...buttons);
}

/** Rows of texts or nodes under a head; the first cell of a row names it. */
function table(head, rows) {
  const cells = (row) => row.slice(0, head.length).map((content, at) => (at ? make("td", {}, content) : make("th", { scope: "row", dir: "auto" }, content)));
  return make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "the numbers" },
    make("table", {}, make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))), make("tbody", {}, ...rows.map((row) => make("tr", {}, ...cells(row))))));
}

/** What went wrong and what to do, as a person reads it. */
function complaint({ what, advice }) {
  return make("p", { class: "complaint", role: "alert" }, make("b", {}, what), advice ? ` ${advice}` : null);
}
