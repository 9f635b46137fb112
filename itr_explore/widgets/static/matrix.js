// The matrix: one cell for each word and region, its colour the weight; a ring where the truth says so.

class Matrix {
  constructor(payload, photo, actions) {
    this.payload = payload;
    this.photo = photo;
    this.heads = make("canvas", { class: "heads" });
    this.labels = make("div", { class: "labels" });
    this.cells = make("canvas", { class: "cells" });
    this.rowStrip = make("div", { class: "strip" });
    this.columnStrip = make("div", { class: "strip" });
    this.plate = make("div", { class: "plate" }, this.cells, this.rowStrip, this.columnStrip);
    this.sheet = make("div", { class: "sheet" }, make("div", { class: "corner" }), this.heads, this.labels, this.plate);
    this.root = make("div", { class: "matrix", role: "img" }, this.sheet);
    this.listen(actions);
    if (photo && !photo.complete) photo.addEventListener("load", () => this.map && this.drawHeads());
  }

  listen(actions) {
    let last = "";
    const spot = (event) => {
      const frame = this.cells.getBoundingClientRect();
      const row = Math.floor((event.clientY - frame.top) / this.rowHeight);
      const column = Math.floor((event.clientX - frame.left) / this.cellWidth);
      const inside = row >= 0 && row < this.map.rows && column >= 0 && column < this.map.columns;
      return inside ? { row, column } : null;
    };
    const target = ({ row, column }) => {
      const [rowAxis, columnAxis] = this.map.axes;
      const down = { axis: rowAxis, index: row };
      const across = { axis: columnAxis, index: column };
      return rowAxis === null ? across : columnAxis === null ? down : { ...down, cross: across };
    };
    this.plate.addEventListener("pointermove", (event) => {
      const cell = spot(event);
      const key = cell ? `${cell.row},${cell.column}` : "";
      if (key === last) return;
      last = key;
      if (cell) actions.rest(target(cell));
      else actions.leave();
    });
    this.plate.addEventListener("pointerleave", () => ((last = ""), actions.leave()));
    this.plate.addEventListener("click", (event) => {
      const cell = spot(event);
      if (cell) actions.pin(target(cell));
    });
    this.labels.addEventListener("pointerover", (event) => {
      if (event.target.dataset.row) actions.rest({ axis: this.map.axes[0], index: Number(event.target.dataset.row) });
    });
    this.labels.addEventListener("pointerleave", actions.leave);
    this.labels.addEventListener("click", (event) => {
      if (event.target.dataset.row) actions.pin({ axis: this.map.axes[0], index: Number(event.target.dataset.row) });
    });
    this.heads.addEventListener("pointermove", (event) => {
      const column = Math.floor((event.clientX - this.heads.getBoundingClientRect().left) / this.cellWidth);
      const index = Math.min(Math.max(column, 0), this.map.columns - 1);
      if (this.map.axes[1] === null || key(this.headed) === key({ index })) return;
      this.headed = { index };
      actions.rest({ axis: this.map.axes[1], index });
    });
    const key = (item) => (item ? String(item.index) : "");
    this.heads.addEventListener("pointerleave", () => ((this.headed = null), actions.leave()));
    this.heads.addEventListener("click", () => this.headed && actions.pin({ axis: this.map.axes[1], ...this.headed }));
  }

  show(map) {
    this.map = map;
    const axis = map.axes[0];
    const text = (row) => (axis === "word" ? this.payload.words[row] : axis === "region" ? String(row) : "all");
    this.names = Array.from({ length: map.rows }, (_, row) =>
      make("div", { class: "label", dir: "auto", "data-row": axis === null ? null : row, title: text(row) }, text(row)));
    this.labels.replaceChildren(...this.names);
    this.root.setAttribute("aria-label", `Matrix of ${ARROWS[map.kind]}, ${map.rows} by ${map.columns}; its numbers are in the table below.`);
  }

  layout(width, tallest) {
    const { rows, columns } = this.map;
    this.sharp = window.devicePixelRatio || 1;
    const label = Math.min(118, Math.max(44, 14 + 7.2 * Math.max(1, ...this.names.map((name) => [...name.textContent].length))));
    this.cellWidth = Math.min(52, Math.max(9, (width - label - 2) / Math.max(columns, 1)));
    this.crops = Boolean(this.photo) && this.map.axes[1] === "region" && this.cellWidth >= 20;
    this.headHeight = this.map.axes[1] === null ? 6 : this.crops ? this.cellWidth + 16 : this.map.axes[1] === "word" ? 76 : 18;
    this.rowHeight = rows > 60 ? 14 : Math.min(26, Math.max(17, Math.floor((tallest - this.headHeight - 1) / Math.max(rows, 1))));
    this.sheet.style.gridTemplateColumns = `${label}px max-content`;
    this.sheet.style.setProperty("--row", `${this.rowHeight}px`);
    const most = Math.max(tallest, 220);
    this.root.style.maxHeight = `${most}px`;
    const scrolls = this.rowHeight * rows + this.headHeight > most || this.cellWidth * columns + label > width + 1;
    this.root.toggleAttribute("tabindex", scrolls); // the keyboard can scroll what is longer than its place
    if (scrolls) this.root.tabIndex = 0;
    this.size(this.cells, this.cellWidth * columns, this.rowHeight * rows);
    this.size(this.heads, this.cellWidth * columns, this.headHeight);
  }

  size(canvas, width, height) {
    canvas.width = Math.max(1, Math.round(width * this.sharp));
    canvas.height = Math.max(1, Math.round(height * this.sharp));
    canvas.style.width = `${Math.max(width, 1)}px`;
    canvas.style.height = `${Math.max(height, 1)}px`;
    canvas.getContext("2d").scale(this.sharp, this.sharp);
  }

  draw(colour, style) {
    this.style = style;
    const pen = this.cells.getContext("2d");
    const [w, h] = [this.cellWidth, this.rowHeight];
    const gap = w > 12 ? 1 : 0.5;
    pen.clearRect(0, 0, w * this.map.columns, h * this.map.rows);
    for (let row = 0; row < this.map.rows; row++) {
      const values = this.map.row(row);
      const top = argmax(values);
      const right = this.map.judged ? this.payload.right[row] ?? [] : [];
      for (let column = 0; column < this.map.columns; column++) {
        const { rgb } = colour(values[column], row);
        const [x, y] = [column * w, row * h];
        pen.fillStyle = css(rgb);
        pen.beginPath();
        pen.roundRect(x + gap, y + gap, w - 2 * gap, h - 2 * gap, w > 12 ? 3 : 1);
        pen.fill();
        if (right.includes(column)) {
          pen.lineWidth = w > 12 ? 2 : 1.4;
          pen.strokeStyle = style.ring;
          pen.beginPath();
          pen.roundRect(x + gap + 1, y + gap + 1, w - 2 * gap - 2, h - 2 * gap - 2, w > 12 ? 3 : 1);
          pen.stroke();
        }
        if (column === top && values.some((value) => value < values[top])) {
          pen.fillStyle = inkOn(rgb);
          pen.beginPath();
          pen.arc(x + w / 2, y + h / 2, Math.min(w, h) > 14 ? 2.6 : 1.5, 0, 7);
          pen.fill();
        }
      }
    }
    this.drawHeads();
  }

  drawHeads() {
    const pen = this.heads.getContext("2d");
    const [w, height] = [this.cellWidth, this.headHeight];
    pen.clearRect(0, 0, w * this.map.columns, height);
    pen.fillStyle = this.style?.muted ?? PALETTE.inks[0];
    pen.font = `${w > 22 ? 11 : 10}px ${this.style?.font ?? "sans-serif"}`;
    const every = w >= 15 ? 1 : w >= 10 ? 5 : 10;
    for (let column = 0; column < this.map.columns; column++) {
      if (this.map.axes[1] === "word") {
        pen.save();
        pen.translate(column * w + w / 2 + 4, height - 4);
        pen.rotate(-Math.PI / 3);
        if (w >= 12 || column % 2 === 0) pen.fillText(this.payload.words[column].slice(0, 12), 0, 0);
        pen.restore();
      } else if (this.map.axes[1] === "region") {
        if (this.crops) cropSquare(pen, this.photo, this.payload.boxes[column], column * w + 1.5, 1.5, w - 3);
        pen.textAlign = "center";
        if (column % every === 0) pen.fillText(String(column), column * w + w / 2, height - 4);
      }
    }
  }

  light(lights) {
    const at = (axis) =>
      axis === null ? -1
      : lights.active?.axis === axis ? lights.active.index
      : lights.cross?.axis === axis ? lights.cross.index
      : -1;
    const [rowAxis, columnAxis] = this.map.axes;
    const row = at(rowAxis);
    const column = rowAxis === columnAxis ? lights.cross?.index ?? -1 : at(columnAxis);
    const [w, h] = [this.cellWidth, this.rowHeight];
    const put = (strip, on, x, y, width, height) => {
      strip.hidden = !on;
      if (on) strip.style.cssText = `transform:translate(${x}px,${y}px);width:${width}px;height:${height}px`;
    };
    put(this.rowStrip, row >= 0, 0, row * h, w * this.map.columns, h);
    put(this.columnStrip, column >= 0, column * w, 0, w, h * this.map.rows);
    this.names.forEach((name, index) => {
      const value = rowAxis === "word" && lights.words && lights.active?.axis !== "word" ? lights.colour(lights.words[index], index).strength : 0;
      if (!looksNew(name, index === row, value >= LIT)) return;
      name.classList.toggle("active", index === row);
      name.classList.toggle("lit", value >= LIT);
    });
    this.reveal(row, column, lights.scroll);
  }

  /** Scroll the matrix, never the page, to what is active elsewhere. */
  reveal(row, column, wanted) {
    if (!wanted) return;
    const { root } = this;
    const top = row * this.rowHeight + this.headHeight;
    if (row >= 0 && (top < root.scrollTop + this.headHeight || top + this.rowHeight > root.scrollTop + root.clientHeight)) root.scrollTop = top - root.clientHeight / 2;
    const label = this.sheet.firstChild.offsetWidth;
    const left = column * this.cellWidth + label;
    if (column >= 0 && (left < root.scrollLeft + label || left + this.cellWidth > root.scrollLeft + root.clientWidth)) root.scrollLeft = left - root.clientWidth / 2;
  }
}
