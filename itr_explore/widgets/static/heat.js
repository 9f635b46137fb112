// How weights lie on the picture: a veil that regions break through, outlines, or one smooth field.

const HEATS = {
  fill: { text: "fill", title: "a veil; each region clears it and takes its colour as far as its weight goes", says: "clear and coloured: weight; veiled: none" },
  contour: { text: "outline", title: "the picture as it is; each lit region's outline has its colour", says: "outline: its colour is the weight" },
  smooth: { text: "smooth", title: "the largest weight at each place, blurred; small regions look weaker than they are", says: "smooth: the largest weight at each place, blurred" },
};
const FIELD = 120; // cells along the longer side of the smooth field
const SOFT = 0.022; // radius of its blur, as a share of the longer side; three passes

/** Draw on a canvas. `strength(index)` is 0..1, `tone(index)` and `colourAt(share)` are colours or null. */
function drawHeat(kind, canvas, boxes, { strength, tone, colourAt, shade, depth, tint, sharp }) {
  const pen = canvas.getContext("2d");
  const { width, height } = canvas;
  pen.clearRect(0, 0, width, height);
  const order = [...boxes.keys()].sort((a, b) => strength(a) - strength(b));
  const inPixels = ([left, top, right, bottom]) => [left * width, top * height, (right - left) * width, (bottom - top) * height];
  if (kind === "contour") {
    for (const index of order) {
      if (strength(index) < LIT || !tone(index)) continue;
      const [x, y, w, h] = inPixels(boxes[index]);
      const line = (1.5 + 4.5 * strength(index)) * sharp;
      for (const [extra, colour] of [[2.4 * sharp, css(channels(PALETTE.inks[1]), 0.85)], [0, css(tone(index))]]) {
        pen.lineWidth = line + extra;
        pen.strokeStyle = colour;
        pen.strokeRect(x + line / 2, y + line / 2, Math.max(w - line, 1), Math.max(h - line, 1));
      }
    }
    return;
  }
  if (kind === "smooth" && colourAt) return drawField(pen, width, height, boxes, strength, colourAt, shade, depth);
  pen.fillStyle = css(shade, depth);
  pen.fillRect(0, 0, width, height);
  for (const index of order) {
    const box = inPixels(boxes[index]);
    pen.clearRect(...box);
    pen.fillStyle = css(shade, depth * (1 - strength(index) ** 0.6));
    pen.fillRect(...box);
    if (!tone(index)) continue;
    pen.fillStyle = css(tone(index), tint * strength(index));
    pen.fillRect(...box);
  }
}

function drawField(pen, width, height, boxes, strength, colourAt, shade, depth) {
  const columns = Math.max(2, Math.round(FIELD * Math.min(1, width / height)));
  const rows = Math.max(2, Math.round(FIELD * Math.min(1, height / width)));
  let field = new Float32Array(columns * rows);
  boxes.forEach(([left, top, right, bottom], index) => {
    const value = strength(index);
    if (value <= 0) return;
    const [fromX, toX] = [Math.floor(left * columns), Math.min(columns, Math.max(Math.ceil(right * columns), Math.floor(left * columns) + 1))];
    const [fromY, toY] = [Math.floor(top * rows), Math.min(rows, Math.max(Math.ceil(bottom * rows), Math.floor(top * rows) + 1))];
    for (let y = fromY; y < toY; y++) for (let x = fromX; x < toX; x++) if (field[y * columns + x] < value) field[y * columns + x] = value;
  });
  for (let pass = 0; pass < 3; pass++) field = blurred(field, columns, rows, Math.max(1, Math.round(SOFT * FIELD)));
  const small = make("canvas", { width: columns, height: rows });
  const ink = small.getContext("2d");
  const cells = ink.createImageData(columns, rows);
  const stops = Array.from({ length: 65 }, (_, at) => colourAt(at / 64));
  field.forEach((value, at) => {
    const share = Math.min(value, 1);
    const rgb = stops[Math.round(share * 64)];
    const heat = 0.62 * Math.min(1, share * 1.6); // faint weights leave the photo as it is
    const veil = depth * (1 - Math.min(1, share * 1.6));
    const alpha = heat + veil * (1 - heat);
    for (let c = 0; c < 3; c++) cells.data[at * 4 + c] = alpha ? (rgb[c] * heat + shade[c] * veil * (1 - heat)) / alpha : 0;
    cells.data[at * 4 + 3] = 255 * alpha;
  });
  ink.putImageData(cells, 0, 0);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(small, 0, 0, width, height);
}

/** The mean of each cell's neighbours within a radius, along rows and then along columns. */
function blurred(field, columns, rows, radius) {
  const along = (from, count, lines, step, jump) => {
    const to = new Float32Array(from.length);
    for (let line = 0; line < lines; line++) {
      const start = line * jump;
      let sum = 0;
      for (let at = -radius; at <= radius; at++) sum += from[start + Math.min(Math.max(at, 0), count - 1) * step];
      for (let at = 0; at < count; at++) {
        to[start + at * step] = sum / (2 * radius + 1);
        sum += from[start + Math.min(at + radius + 1, count - 1) * step] - from[start + Math.max(at - radius, 0) * step];
      }
    }
    return to;
  };
  return along(along(field, columns, rows, 1, columns), rows, columns, columns, 1);
}
