// TrainingMonitor: where a run stands, its curves, one pair epoch by epoch; Start, Stop and Resume ask the kernel.

const STATUS = { ready: "not started", training: "training", stopping: "stopping …", stopped: "stopped", done: "finished", failed: "failed" };
const AT = ["R@1", "R@5", "R@10"];

/** A stretch of time as people say it. */
function lasting(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

function mountTrainingMonitor(host, payload, kernel) {
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  host.classList.add("itr-training-monitor");
  host.setAttribute("data-lm-suppress-shortcuts", "true"); // in JupyterLab arrows and Enter would move cells
  let state = payload.state;
  let maps = payload.maps;
  const chosen = { k: 0, log: false };

  const status = make("span", { class: "status", role: "status" });
  const start = make("button", { type: "button", class: "act" }, "Start");
  const stop = make("button", { type: "button", class: "act" }, "Stop");
  const hint = make("span", { class: "hint" });
  const trouble = make("div", { class: "trouble" });
  const note = make("p", { class: "note" });
  const progress = make("progress", { max: 1, value: 0, "aria-label": "share of the epochs that is done" });
  const readings = Object.fromEntries(["epoch", "step", "loss", "learning rate", "best rsum", "time so far", "time left"].map((name) => [name, make("dd", {})]));
  const ask = (question) => kernel.ask(question).then(() => asked.replaceChildren(), (error) => asked.replaceChildren(complaint(error)));
  const asked = make("div", { class: "trouble" });
  start.addEventListener("click", () => ask("start"));
  stop.addEventListener("click", () => ask("stop"));

  const together = (from) => (at) => charts.forEach((chart) => chart !== from() && chart.point(at, false));
  const loss = new LineChart({ title: "Loss", moved: together(() => loss), controls: switchOf("scale of the loss", { linear: "linear", log: "log" }, "linear", (scale) => ((chosen.log = scale === "log"), draw())) });
  const recall = new LineChart({ title: "Recall on validation", unit: " %", moved: together(() => recall), controls: switchOf("recall among the first", AT, 0, (at) => ((chosen.k = Number(at)), draw())) });
  const rate = new LineChart({ title: "Learning rate", moved: together(() => rate) });
  const charts = [loss, recall, rate];
  const probe = payload.probe ? new Probe(payload.probe, maps) : null;
  const numbers = make("details", { class: "numbers" }, make("summary", {}, "Validations as a table"));
  numbers.addEventListener("toggle", () => numbers.open && fillNumbers());
  const caption = make("p", { class: "about" });

  const root = make("section", { class: "view", "aria-label": `Training ${payload.model} on ${payload.training}` },
    make("header", {},
      make("span", { class: "model" }, payload.model), status,
      kernel ? make("span", { class: "controls" }, hint, start, stop) : make("span", { class: "controls hint" }, "recorded; training needs a kernel")),
    make("p", { class: "about" }, `trained on ${payload.training}; chosen on ${payload.validation}`),
    asked, trouble, progress,
    make("dl", { class: "readings" }, ...Object.entries(readings).map(([name, value]) => make("div", {}, make("dt", {}, name), value))),
    note,
    make("div", { class: "charts" }, loss.root, recall.root, rate.root), caption, numbers,
    probe?.root);
  shadow.replaceChildren(make("style", {}, STYLE), root);

  function draw() {
    const going = state.status === "training" || state.status === "stopping";
    status.textContent = STATUS[state.status];
    status.dataset.status = state.status;
    start.textContent = state.resumable ? "Resume" : "Start";
    start.disabled = going || state.status === "done";
    const byInterrupt = going && state.in_cell; // the kernel hears no click while a cell runs
    stop.disabled = state.status !== "training" || byInterrupt;
    hint.textContent = byInterrupt ? "a cell trains: Kernel > Interrupt stops it" : "";
    progress.value = state.epochs ? Math.min(state.epoch / state.epochs, 1) : 0;
    const total = Object.values(state.terms).reduce((sum, value) => sum + value, 0);
    const told = {
      epoch: `${state.epoch >= state.epochs ? state.epochs : state.epoch.toFixed(1)} of ${state.epochs}`,
      step: state.step.toLocaleString("en"),
      loss: Object.keys(state.terms).length ? plain(total) : "–",
      "learning rate": state.rate === null ? "–" : plain(state.rate),
      "best rsum": state.best ? `${state.best.rsum.toFixed(1)} (epoch ${plain(state.best.epoch)})` : "–",
      "time so far": state.step ? lasting(state.elapsed) : "–",
      "time left": lasting(state.left),
    };
    for (const [name, text] of Object.entries(told)) readings[name].textContent = text;
    note.textContent = state.note;
    trouble.replaceChildren(...(state.complaint ? [complaint(state.complaint)] : []));
    loss.show(state.losses, { end: state.epochs, log: chosen.log, from: chosen.log ? null : 0 });
    const best = state.best?.epoch;
    const x = state.validations.map(({ epoch }) => epoch);
    const side = (at) => state.validations.map(({ recalls }) => recalls[at][chosen.k]);
    recall.show([{ name: "image → text", x, y: side(0), best, dots: true }, { name: "text → image", x, y: side(1), best, dots: true }], { end: state.epochs, from: 0 });
    rate.show(state.rate === null ? [] : [{ name: "", ...state.rates }], { end: state.epochs, from: 0 });
    const { stretch } = state.rates;
    caption.textContent = [stretch > 1 ? `Each point of the loss is the mean of ${stretch} steps.` : "", best ? "A ring marks the best validation, whose weights the model keeps." : ""].filter(Boolean).join(" ");
    if (numbers.open) fillNumbers();
  }

  function fillNumbers() {
    numbers.querySelector(".scroll")?.remove();
    const rows = state.validations.map(({ epoch, recalls, rsum }) => [plain(epoch), ...recalls.flat().map((value) => value.toFixed(1)), rsum.toFixed(1), epoch === state.best?.epoch ? "best" : ""]);
    numbers.append(table(["epoch", ...["i2t", "t2i"].flatMap((side) => AT.map((at) => `${side} ${at}`)), "rsum", "which"], rows));
  }

  /** The kernel's maps from one's own last on, where one was missed: a view that was opened late, say. */
  function catchUp() {
    if (!probe || maps.length >= state.maps) return;
    kernel.askLast("maps", "maps", { after: maps.length }).then((more) => {
      maps = [...maps, ...more];
      probe.take(maps);
    }, (error) => asked.replaceChildren(complaint(error)));
  }

  const catchUpSoon = debounced(400, catchUp);
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => ((waiting = false), draw()));
  };
  const leave = kernel ? [
    kernel.watch("newest", (found) => {
      if (!probe || found.number === undefined || found.number > maps.length) return;
      maps = [...maps.slice(0, found.number), found];
      probe.take(maps);
    }),
    kernel.watch("state", (found) => {
      if (!found?.status) return;
      state = found;
      soon();
      catchUpSoon();
    }),
  ] : [];
  function layout() {
    const style = getComputedStyle(root);
    const width = root.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (!(width > 0)) return; // out of sight, or not yet in the document
    const across = width >= 960 ? 3 : width >= 600 ? 2 : 1;
    root.dataset.across = across;
    const gap = 28;
    const each = across === 3 ? (width - 2 * gap) / 2.6 : across === 2 ? (width - gap) / 2 : width;
    loss.layout(each, 190);
    recall.layout(each, 190);
    rate.layout(across === 3 ? width - 2 * gap - 2 * each : width, across === 3 ? 190 : 100);
    probe?.layout(width);
  }

  const follow = followTheme(root, (theme) => {
    if (!probe) return;
    probe.theme = theme;
    probe.draw();
  });
  draw();
  layout();
  const stopLooking = onNewWidth(root, () => (layout(), follow.look()));

  return () => {
    leave.forEach((off) => off());
    follow.stop();
    stopLooking();
    probe?.halt();
    shadow.replaceChildren();
  };
}
