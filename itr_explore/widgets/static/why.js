// Why this one? The difference of two scores in parts: bars to the right speak for the chosen result.

/** A number with its sign and four decimals: parts are small. */
const signedNumber = (value, digits = 4) => {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : (value < 0 ? "−" : "+") + text;
};

/** Without a plus, and with a real minus sign. */
const fixed = (value, digits = 3) => signedNumber(value, digits).replace("+", "");

/** A row: its name, a bar from the middle, the number. `largest` is the end of every bar. */
function partRow(name, value, largest, side = null) {
  const share = largest ? (50 * Math.abs(value)) / largest : 0;
  const bar = make("i", { class: value < 0 ? "part less" : "part more", style: `width:${share}%;${value < 0 ? `right:50%` : `left:50%`}` });
  return make("tr", side ? { "data-side": side } : {},
    make("th", { scope: "row", dir: "auto" }, name),
    make("td", { class: "track-cell", "aria-hidden": "true" }, make("span", { class: "track" }, bar)),
    make("td", { class: "number" }, signedNumber(value)));
}

function partTable(title, rows, largest, end = []) {
  return make("div", { class: "parts" },
    make("h4", {}, ...title),
    make("table", {}, make("tbody", {}, ...rows.map(([name, side, value]) => partRow(name, value, largest, side)),
      ...end.map(([name, value]) => make("tr", { class: "sum" }, make("th", { scope: "row" }, name), make("td", {}), make("td", { class: "number" }, signedNumber(value)))))));
}

/** All of a contrast (`retrieval_payload.contrast_json`). */
function drawWhy(why) {
  const [reference, chosen] = why.names;
  const byRegion = why.regions.map(([name, value]) => [name, null, value]);
  const [byWord, byPlace] = [why.words, byRegion].map((rows) => largestOf(rows.map((row) => row[2])));
  const ended = (title, largest) => [title, make("span", { class: "quiet" }, ` bars end at ${fixed(largest)}`)];
  const ends = (rests) => [...rests.filter(([, value]) => Math.abs(value) >= 0.00005), ["unexplained (gap)", why.gap], ["difference", why.difference]];
  const tables = [];
  if (why.words.some(([, side]) => side !== "both")) {
    for (const [side, title] of [["chosen", "Words of the chosen one"], ["reference", `Words of ${reference} (they count against)`]]) {
      tables.push(partTable(ended(title, byWord), why.words.filter((row) => row[1] === side), byWord, side === "reference" ? ends(why.rests) : []));
    }
    tables.push(partTable(ended("The same by region", byPlace), byRegion, byPlace, ends(why.regionRests)));
  } else {
    tables.push(partTable(ended("By word: with the chosen image less with the other", byWord), why.words, byWord, ends(why.rests)));
    why.each.forEach((rows, at) => {
      const own = largestOf(rows.map((row) => row[1]));
      tables.push(partTable(ended(`Regions of ${why.names[at]}, to its own score`, own), rows.map(([name, value]) => [name, null, value]), own));
    });
  }
  const better = why.difference > 0 ? "above" : "below";
  const note = [
    why.exact ? `An exact sum: ${why.method}.` : `Not exact: ${why.method}; ${Math.abs(why.gap).toFixed(4)} is left unexplained.`,
    "Bars to the right speak for the chosen one, bars to the left for the other.",
    why.false ? (why.false.length ? `False of the image: ${why.false.join("; ")}.` : "Nothing in the chosen caption is false of the image.") : "",
  ].filter(Boolean).join(" ");
  const rank = why.against.rank ? `, rank ${why.against.rank}` : "";
  const faces = why.pictures.length
    ? make("div", { class: "faces" }, ...why.pictures.map((picture, at) => make("figure", {}, face(picture), make("figcaption", {}, `${why.names[at]}: ${fixed(why.scores[at])}`))))
    : make("dl", { class: "versus" }, ...why.captions.flatMap((caption, at) => [make("dt", {}, `${why.names[at]}, ${fixed(why.scores[at])}`), make("dd", { dir: "auto" }, caption)]));
  return make("section", { class: "why", "aria-label": "why this one" },
    make("h3", {}, `Why this one? ${signedNumber(why.difference)}: it scores ${better} ${reference}${rank}`),
    faces, make("p", { class: "about" }, note), make("div", { class: "columns" }, ...tables));
}

/** A small picture, or what stands in its place. */
function face({ src, name, caption, problem }) {
  if (src) return make("img", { src, alt: caption || name, loading: "lazy", draggable: "false" });
  return make("span", { class: "blank" }, problem || `${name} (no picture)`);
}
