// The queries that fared worst, as a table; the kernel ranks all of them a moment at a time.

/** In `place`; `search(query)` asks one of them, `withClasses` offers what is false in the wrong captions. */
function worstQueries(place, kernel, search, withClasses) {
  const state = { side: "images", by: "rank", turn: 0 };

  function draw() {
    const option = (name, key, value) => button(name, () => ((state[key] = value), draw()), { "aria-pressed": String(state[key] === value) });
    const body = make("div", { class: "worst-body" });
    place.replaceChildren(
      make("div", { class: "controls" },
        make("span", { class: "switch", role: "group", "aria-label": "queries" }, option("captions as queries", "side", "images"), option("images as queries", "side", "captions")),
        make("span", { class: "switch", role: "group", "aria-label": "order" }, option("largest rank", "by", "rank"), option("smallest margin", "by", "margin"))),
      body);
    rankAll(body, state.side, state.by, ++state.turn);
  }

  async function rankAll(body, side, by, turn) {
    const bar = make("progress", { max: 1, value: 0, "aria-label": "queries ranked" });
    const note = make("p", { class: "about", role: "status" }, "Ranking all queries, a moment at a time: everything else goes on. ", bar);
    body.replaceChildren(note);
    try {
      for (;;) {
        const found = await kernel.ask("worst", { side, by });
        if (turn !== state.turn) return;
        if (found.rows) return body.replaceChildren(...worstTable(found));
        bar.max = found.total;
        bar.value = found.done;
      }
    } catch (error) {
      if (turn === state.turn) body.replaceChildren(complaint(error));
    }
  }

  function worstTable(found) {
    const images = found.side === "images";
    const sample = found.queries < found.of ? `${count(found.queries)} of ${count(found.of)} queries, drawn at random` : `All ${count(found.of)} queries`;
    const rows = found.rows.map((row) => {
      const go = button(row.text, () => search(images ? { text: row.text } : { image: row.image }), { class: "go", dir: "auto" });
      return make("tr", {}, make("td", { class: "tiny" }, face(row)), make("th", { scope: "row" }, go), make("td", { class: "number" }, count(row.rank)), make("td", { class: "number" }, signedNumber(row.margin)), make("td", { dir: "auto", class: images ? "tiny" : "quiet" }, row.rivalPicture ? face(row.rivalPicture) : row.rival));
    });
    const head = ["", images ? "caption" : "image", "rank of the right one", "margin", images ? "ranked first instead" : "caption ranked first instead"];
    const parts = [
      make("p", { class: "about" }, `${sample}: ${count(found.failed)} do not put a right answer first; median rank ${short(found.median)}. Margin: best right score minus best wrong one. Here only its own ${images ? "image" : "captions"} count as right.`),
      make("div", { class: "wide-table" }, make("table", {}, make("thead", {}, make("tr", {}, ...head.map((text, at) => make("th", { scope: "col", class: at === 2 || at === 3 ? "number" : null }, text)))), make("tbody", {}, ...rows))),
    ];
    if (withClasses) parts.push(classes());
    return parts;
  }

  function classes() {
    const found = make("div", {});
    const ask = button("What is false in them?", async () => {
      ask.disabled = true;
      found.replaceChildren(make("p", { class: "about", role: "status" }, "Reading the captions against the scenes …"));
      try {
        const { head, rows, title, note } = await kernel.ask("classes");
        found.replaceChildren(make("h4", {}, title), make("div", { class: "wide-table" }, table(head, rows)), make("p", { class: "about" }, note));
      } catch (error) {
        found.replaceChildren(complaint(error));
        ask.disabled = false;
      }
    });
    return make("div", { class: "classes" }, make("p", {}, ask), found);
  }

  /** Let what is on its way be for nothing. */
  const stop = () => state.turn++;

  return { draw, stop };
}
