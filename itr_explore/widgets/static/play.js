// Through the sentence word by word: play, pause; one word a press where motion is not wanted.

const PACE = 1500; // milliseconds a word

class Player {
  /** `go(index)` shows a word; `ended()` is called when nothing plays any more. */
  constructor(count, go, ended) {
    this.count = count;
    this.go = go;
    this.ended = ended;
    this.at = -1;
    this.timer = 0;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.button = make("button", { type: "button", class: "play" });
    this.button.addEventListener("click", () => this.press());
    this.still.addEventListener("change", (this.look = () => (this.pause(), this.draw())));
    this.draw();
  }

  get playing() {
    return this.timer !== 0;
  }

  press() {
    if (this.playing) return this.pause();
    this.next();
    if (this.still.matches) return;
    this.timer = setInterval(() => (this.at + 1 < this.count ? this.next() : this.end()), PACE);
    this.draw();
  }

  next() {
    this.at = (this.at + 1) % this.count;
    this.go(this.at);
  }

  /** Stay at this word; the next press goes on from it. */
  pause() {
    if (!this.playing) return;
    clearInterval(this.timer);
    this.timer = 0;
    this.draw();
  }

  end() {
    this.pause();
    this.at = -1;
    this.ended();
  }

  draw() {
    const [says, path] = this.still.matches ? ["Next word", "M4.5 3.5 10 8l-5.5 4.5zM11 3.5v9"] : this.playing ? ["Pause", "M5 3.5v9M11 3.5v9"] : ["Play word by word", "M5 3 12.5 8 5 13z"];
    fill(this.button, { "aria-label": says, title: says }, []);
    this.button.replaceChildren(makeSvg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, makeSvg("path", { d: path })));
  }

  stop() {
    this.pause();
    this.still.removeEventListener("change", this.look);
  }
}
