// RetrievalDemo: a sentence or an image in, ranked results out, each a way into a PairView and a contrast.
// Everything is asked of the kernel; without one the last answer stays as it was saved.

const PAUSE = 90; // milliseconds without a key before a question goes out, where keys come quickly
const PIECE = 2 ** 21; // bytes of an upload that travel at once; servers refuse large messages
const MODES = { images: "Sentence → images", captions: "Image → captions", worst: "Worst queries" };
const NEEDS_KERNEL = "No kernel here: this is the search as it was displayed or saved. Typing and choosing need a running notebook.";

function mountRetrievalDemo(host, payload, kernel) {
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  host.classList.add("itr-retrieval-demo");
  host.setAttribute("data-lm-suppress-shortcuts", "true");
  const latest = kernel?.now("latest") ?? payload.latest;
  const state = { mode: latest?.answer?.side ?? "images", answer: null, chosen: null, image: null, stopPair: () => {}, stopped: false, turn: 0 };
  const live = Boolean(kernel);

  const query = make("textarea", { class: "query", rows: 1, dir: "auto", spellcheck: "false", "aria-label": "sentence to search with", placeholder: "Describe an image …", readonly: !live });
  const tries = make("p", { class: "tries" }, "Try ", ...payload.examples.map((text) => button(text, () => search({ text }), { class: "try", dir: "auto", disabled: !live })));
  const subject = make("div", { class: "subject" });
  const browser = make("div", { class: "browser", hidden: true });
  const file = make("input", { type: "file", accept: "image/*", class: "file", tabindex: -1, "aria-hidden": "true" });
  const onlyWrong = make("input", { type: "checkbox" });
  const word = make("input", { type: "search", placeholder: "any", size: 9 });
  const label = make("input", { type: "search", placeholder: "any", size: 11, list: "labels" });
  const sieve = make("div", { class: "sieve controls", role: "group", "aria-label": "filters" },
    make("span", { class: "quiet" }, "Only"),
    make("label", { class: "toggle" }, onlyWrong, "wrong ones"),
    make("label", { class: "choice" }, "caption with", word),
    payload.labels.length ? make("label", { class: "choice" }, "region called", label) : null,
    make("datalist", { id: "labels" }, ...payload.labels.map((text) => make("option", { value: text }))));
  const status = make("p", { class: "status", role: "status" });
  const trouble = make("div", { class: "trouble" });
  const answers = make("div", { class: "answers" });
  const scale = make("p", { class: "scale-note" });
  const detail = make("section", { class: "detail", hidden: true, "aria-label": "the chosen result" });
  const worst = make("div", { class: "worst" });
  const worstOnes = kernel && worstQueries(worst, kernel, search, payload.classes);

  const tabs = make("span", { class: "switch", role: "group", "aria-label": "what to do" },
    ...Object.entries(MODES).map(([mode, text]) => button(text, () => enter(mode), { "data-mode": mode, disabled: !live })));
  const asking = make("div", { class: "asking" });
  const root = make("section", { class: "view retrieval", "aria-label": `search in ${payload.collection} with ${payload.model}` },
    make("header", {}, make("span", { class: "model" }, payload.model),
      make("span", {}, `${payload.collection}: ${count(payload.images)} images, ${count(payload.captions)} captions`),
      make("span", { class: "controls" }, tabs)),
    live ? null : make("p", { class: "saved" }, NEEDS_KERNEL),
    asking, browser, live ? sieve : null, trouble, status, answers, scale, worst, detail);
  shadow.replaceChildren(make("style", {}, STYLE), root);

  // ---------- asking

  const soon = patient(PAUSE, () => root.hasAttribute("aria-busy"), () => !state.stopped && query.value !== state.asked?.text && search({ text: query.value }, false)); // Enter may have asked
  query.addEventListener("input", (event) => {
    fit();
    if (event.isComposing) return;
    state.turn++; // what is on its way answers other words
    state.asked = null;
    soon();
  });
  query.addEventListener("compositionend", () => soon());
  query.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    search({ text: query.value }, false);
  });
  const sift = debounced(PAUSE, () => !state.stopped && state.answer && search(state.answer.asked, false));
  for (const field of [word, label]) field.addEventListener("input", sift);
  onlyWrong.addEventListener("change", sift);
  file.addEventListener("change", () => file.files[0] && upload(file.files[0]));
  root.addEventListener("dragover", (event) => live && event.dataTransfer?.types.includes("Files") && (event.preventDefault(), root.classList.add("over")));
  root.addEventListener("dragleave", (event) => event.target === root && root.classList.remove("over"));
  root.addEventListener("drop", (event) => {
    root.classList.remove("over");
    const dropped = event.dataTransfer?.files[0];
    if (!live || !dropped) return;
    event.preventDefault();
    enter("captions", false);
    upload(dropped);
  });

  /** Everything a person reads about an exchange: what is going on, or what went wrong. */
  function say(text) {
    status.textContent = text;
  }

  function complain(error) {
    trouble.replaceChildren(...(error ? [complaint(error)] : []));
    if (error) {
      root.removeAttribute("aria-busy");
      say("");
    }
  }

  async function search(asked, write = true) {
    const mode = "text" in asked ? "images" : "captions";
    const turn = ++state.turn;
    state.asked = asked;
    if ("text" in asked && write) {
      query.value = asked.text;
      fit();
    }
    if ("text" in asked && !/[\p{L}\p{N}\p{So}]/u.test(asked.text)) {
      clearAnswer();
      complain(null);
      return say("Type a sentence: results come while you type.");
    }
    if (state.mode !== mode) enter(mode, false);
    root.setAttribute("aria-busy", "true");
    complain(null);
    try {
      if (!(await prepare(mode, turn))) return;
      const filters = { wrong: onlyWrong.checked, word: word.value, label: label.value };
      const answer = await kernel.askLast("search", "search", { query: asked, ...filters });
      if (turn === state.turn && !state.stopped) show(answer, null);
    } catch (error) {
      if (turn === state.turn) ((state.asked = null), clearAnswer(), complain(error));
    }
  }

  /** Let the kernel encode what is searched, a moment at a time; false where another question came first. */
  async function prepare(side, turn) {
    for (;;) {
      const { done, total } = await kernel.ask("prepare", { side });
      if (turn !== state.turn || state.stopped) return false;
      if (done >= total) return true;
      say(`Reading the collection once: ${count(done)} of ${count(total)} ${side} …`);
    }
  }

  async function upload(chosen) {
    const turn = ++state.turn;
    complain(null);
    file.value = "";
    if (!payload.upload.can) return complain({ what: payload.upload.say, advice: "" });
    if (chosen.size > payload.upload.most) return complain({ what: `${chosen.name} has ${Math.ceil(chosen.size / 2 ** 20)} MB; at most ${payload.upload.most / 2 ** 20} MB are read. Make it smaller.`, advice: "" });
    root.setAttribute("aria-busy", "true");
    try {
      const parts = Math.max(1, Math.ceil(chosen.size / PIECE));
      const key = `${Date.now()}-${Math.random()}`; // two copies of this view may send at once
      let taken = null;
      for (let part = 0; part < parts; part++) {
        if (parts > 1) say(`Sending ${chosen.name}: ${part} of ${parts} pieces …`);
        const data = await inBase64(chosen.slice(part * PIECE, (part + 1) * PIECE));
        taken = await kernel.ask("upload", { key, name: chosen.name, part, parts, data });
        if (turn !== state.turn || state.stopped) return;
      }
      search(taken);
    } catch (error) {
      if (turn === state.turn) complain(error);
    }
  }

  // ---------- modes

  function enter(mode, ask = true) {
    state.mode = mode;
    for (const node of tabs.children) node.setAttribute("aria-pressed", String(node.dataset.mode === mode));
    asking.replaceChildren(...(mode === "images" ? [query, ...(live ? [tries] : [])] : mode === "captions" ? [subject] : []));
    browser.hidden = mode !== "captions" || !browser.childElementCount;
    for (const node of [sieve, status, answers, scale]) node.hidden = mode === "worst";
    worst.hidden = mode !== "worst";
    worstOnes?.stop();
    if (mode === "images") fit();
    if (!ask) return;
    clearAnswer();
    state.turn++;
    complain(null);
    if (mode === "images") {
      query.focus();
      if (query.value) search({ text: query.value }, false);
    } else if (mode === "captions") search({ image: state.image ?? 0 });
    else worstOnes.draw();
  }

  function clearAnswer() {
    state.answer = null;
    root.removeAttribute("aria-busy");
    answers.replaceChildren();
    scale.textContent = "";
    say("");
    leave();
  }

  function fit() {
    query.style.height = "auto";
    query.style.height = `${Math.min(query.scrollHeight + 2, 160)}px`;
  }

  /** The image that captions are searched for, and ways to another one. */
  function drawSubject(picture) {
    subject.replaceChildren(
      make("figure", { class: "asked" }, face(picture)),
      make("div", { class: "choosing" },
        make("p", {}, make("b", { dir: "auto" }, picture.name), picture.regions ? ` · uploaded, ${picture.regions} regions. ${payload.upload.say}` : ""),
        live ? make("p", { class: "controls" }, button("Choose another", () => browse(0)), button("Any image", () => search({ image: Math.floor(Math.random() * payload.images) })),
          button("Upload a picture", () => (payload.upload.can ? file.click() : complain({ what: payload.upload.say, advice: "" })))) : null,
        live ? make("p", { class: "quiet" }, "or drop a file here") : null),
      file);
  }

  async function browse(start) {
    try {
      const found = await kernel.askLast("browse", "browse", { start, word: word.value, label: label.value });
      const { images, of } = found;
      const cells = images.map((picture) => {
        const cell = button("", () => {
          browser.hidden = true;
          browser.replaceChildren();
          search({ image: picture.image });
        }, { class: "pick", title: picture.caption || picture.name });
        cell.append(face(picture));
        cell.addEventListener("keydown", (event) => walk(cells, event));
        return cell;
      });
      cells.forEach((cell, at) => cell.setAttribute("tabindex", at ? -1 : 0));
      const range = images.length ? `${count(found.start + 1)} to ${count(found.start + images.length)} of ${count(of)}` : "no image passes the filters";
      browser.replaceChildren(make("div", { class: "picks" }, ...cells),
        make("p", { class: "controls" }, button("Earlier", () => browse(found.start - found.page), { disabled: found.start === 0 }), button("Later", () => browse(found.start + cells.length), { disabled: found.start + cells.length >= of }), make("span", { class: "quiet" }, range), button("Close", () => ((browser.hidden = true), browser.replaceChildren()))));
      browser.hidden = false;
      cells[0]?.focus();
    } catch (error) {
      complain(error);
    }
  }

  // ---------- results

  function show(answer, chosen) {
    state.answer = answer;
    root.removeAttribute("aria-busy");
    const images = answer.side === "images";
    if (answer.side === "captions") {
      state.image = answer.asked.image ?? state.image;
      drawSubject(answer.picture);
    } else if (document.activeElement !== host || shadow.activeElement !== query) {
      query.value = answer.asked.text;
      fit();
    }
    const [low, mean, high] = answer.spread;
    const place = (score) => (high > low ? (100 * (score - low)) / (high - low) : 100);
    const items = answer.results.map((result) => (images ? card : line)(result, place, mean, live));
    items.forEach((item, at) => {
      item.setAttribute("tabindex", at ? -1 : 0);
      if (!live) return;
      item.addEventListener("click", () => choose(answer.results[at].row, item));
      item.addEventListener("keydown", (event) => walk(items, event));
    });
    answers.replaceChildren(
      answer.right.length ? rightLine(answer) : "",
      items.length ? make("ol", { class: images ? "cards" : "lines", "aria-label": `${answer.side} found` }, ...items.map((item) => make("li", {}, item))) : make("p", { class: "about" }, "Nothing passes the filters."));
    scale.textContent = items.length
      ? `Score: ${payload.scale}, higher fits better. Bars run from ${fixed(low)}, the lowest of ${answer.exact ? "all" : "those re-ranked"}, to ${fixed(high)}, the highest; the line across marks their mean, ${fixed(mean)}. Margin: how far above the next in the whole ranking.`
      : "";
    say(told(answer));
    leave();
    if (chosen) reveal(chosen);
  }

  function told(answer) {
    const filtered = answer.eligible < answer.of ? ` ${count(answer.eligible)} pass the filters.` : "";
    const unknown = !answer.unknown.length ? "" : answer.lost
      ? " The model has never seen any of these words, so this order says nothing."
      : ` Never seen by the model: ${answer.unknown.map((text) => `“${text}”`).join(", ")}.`;
    const stages = answer.stages[0].toUpperCase() + answer.stages.slice(1);
    const known = answer.known ? "" : answer.side === "images" ? " No right answer is known: the sentence is no caption of the collection." : " No right answer is known for a picture from elsewhere.";
    return `${stages} in ${answer.milliseconds < 10 ? answer.milliseconds.toFixed(1) : Math.round(answer.milliseconds)} ms.${filtered}${unknown}${known}`;
  }

  /** Where the right answers stand, also those far below. */
  function rightLine(answer) {
    const more = answer.rightInAll - answer.right.length;
    const shown = answer.right.map(({ row, rank }) => {
      if (!live) return make("span", { class: "rank" }, badge("hit"), `rank ${count(rank)}`);
      const node = button(`rank ${count(rank)}`, () => choose(row, node), { class: "rank", "aria-label": `the right answer at rank ${rank}` });
      node.prepend(badge("hit"));
      return node;
    });
    return make("p", { class: "where" }, answer.rightInAll > 1 ? "Right answers at" : "The right answer at", ...shown, more > 0 ? `and ${more} more` : null);
  }

  // ---------- the chosen result

  function leave() {
    state.stopPair();
    state.stopPair = () => {};
    state.chosen = null;
    detail.hidden = true;
    detail.replaceChildren();
    for (const node of answers.querySelectorAll('[aria-pressed="true"]')) node.setAttribute("aria-pressed", "false");
  }

  async function choose(row, from) {
    const { answer } = state;
    leave();
    state.from = from;
    from.setAttribute("aria-pressed", "true");
    try {
      const chosen = await kernel.askLast("pair", "pair", { query: answer.asked, row });
      if (answer === state.answer && !state.stopped) (complain(null), reveal(chosen), detail.scrollIntoView({ block: "nearest", behavior: "smooth" }));
    } catch (error) {
      if (answer === state.answer) complain(error);
    }
  }

  function reveal(chosen) {
    const { answer } = state;
    const result = answer.results.find(({ row }) => row === chosen.row) ?? answer.right.find(({ row }) => row === chosen.row) ?? {};
    for (const node of answers.querySelectorAll("[data-row]")) node.setAttribute(live ? "aria-pressed" : "data-chosen", String(Number(node.dataset.row) === chosen.row));
    state.chosen = chosen;
    const place = make("div", { class: "pair" });
    const why = make("div", { class: "why-place" });
    const images = answer.side === "images";
    const ask = button("Why this one?", () => explainWhy(chosen, why, ask), { class: "ask" });
    const other = images
      ? button("Captions for this image", () => search({ image: chosen.row }))
      : button("Images for this caption", () => search({ text: result.text ?? chosen.pair.caption }));
    const close = button("Close", () => (leave(), state.from?.focus()), { "aria-label": "close the chosen result" });
    detail.replaceChildren(
      make("div", { class: "detail-head" }, make("h3", {}, result.rank ? `Rank ${count(result.rank)}` : "Chosen"), live ? make("span", { class: "controls" }, ask, other, close) : null),
      why, place);
    detail.hidden = false;
    state.stopPair = mountPairView(place, chosen.pair, null);
    if (chosen.why) why.replaceChildren(drawWhy(chosen.why));
  }

  async function explainWhy(chosen, place, ask) {
    const { answer } = state;
    ask.disabled = true;
    place.replaceChildren(make("p", { class: "about", role: "status" }, "Taking the scores apart …"));
    try {
      const why = await kernel.askLast("why", "why", { query: answer.asked, row: chosen.row });
      if (chosen === state.chosen) place.replaceChildren(drawWhy(why));
    } catch (error) {
      if (chosen === state.chosen) place.replaceChildren(complaint(error));
    }
    ask.disabled = false;
  }

  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || detail.hidden) return;
    event.stopPropagation();
    leave();
    state.from?.focus();
  });

  // ---------- start

  const follow = followTheme(root, () => {});
  enter(state.mode, false);
  if (latest?.answer) show(latest.answer, latest.chosen);
  const stopLooking = onNewWidth(root, () => {
    if (state.mode === "images") fit();
    follow.look();
  });

  return () => {
    state.stopped = true;
    state.turn++;
    worstOnes?.stop();
    state.stopPair();
    follow.stop();
    stopLooking();
    shadow.replaceChildren();
  };
}

/** The bytes of a file as base64. */
function inBase64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject({ what: "The file could not be read.", advice: "Choose it again." });
    reader.readAsDataURL(blob);
  });
}
