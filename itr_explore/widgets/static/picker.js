// Choosing among many maps: families in a grouped list, their layers and heads in lists of their own.

const FEW = 6; // families that one plain list holds

const ARROWS = { word_to_region: "word → region", region_to_word: "region → word", region_to_region: "region → region", word_to_word: "word → word", per_region: "each region", per_word: "each word" };

/** Maps that differ only in layer and head: one family, one name. */
function families(maps, told = ["source", "kind", "origin"]) {
  const found = new Map();
  for (const map of maps) {
    const name = map.name.split(".").filter((part, at, parts) => !/^\d+$/.test(part) || !/^(layers|heads)$/.test(parts[at - 1])).filter((part) => part !== "layers");
    const key = JSON.stringify([map.source ?? null, map.kind, map.origin, name]);
    if (!found.has(key)) found.set(key, { kind: map.kind, origin: map.origin, source: map.source ?? null, path: name, maps: [] });
    found.get(key).maps.push(map);
  }
  return nameFamilies([...found.values()], told);
}

/** The shortest end of each path that tells a family from the others; none where its kind or origin says it all. */
function nameFamilies(all, told) {
  for (const family of all) {
    const rivals = all.filter((other) => other !== family && other.kind === family.kind && other.origin === family.origin && other.source === family.source);
    const end = (path, length) => path.slice(-length).join(".");
    let length = 1;
    while (length < family.path.length && rivals.some((other) => end(other.path, length) === end(family.path, length))) length++;
    const name = end(family.path, length);
    const layers = distinct(family.maps, "layer");
    const only = layers.length === 1 && layers[0] !== null ? `layer ${layers[0]}` : null;
    const says = { source: family.source, kind: ARROWS[family.kind], origin: family.origin };
    const own = (name === family.kind && told.includes("kind")) || name === family.origin ? null : name;
    const [before, after] = [["source", "kind"], ["origin"]].map((parts) => parts.filter((part) => told.includes(part)).map((part) => says[part]));
    family.title = [...before, own, only, ...after].filter(Boolean).join(" · ");
  }
  return all;
}

const distinct = (maps, what) => [...new Set(maps.map((map) => map[what]))];

/** Lists to choose one of `maps` by; `changed(map)` is called when another one is. Their names tell what is asked. */
function mapPicker(label, maps, changed, told) {
  const all = families(maps, told);
  const choose = choice(label, all.map(({ title }) => title), (at) => take(all[at].maps));
  const list = choose.querySelector("select");
  if (all.length > FEW || all.some(({ source }) => source)) {
    const groups = new Map();
    all.forEach((family, at) => {
      const name = family.source ?? ARROWS[family.kind];
      if (!groups.has(name)) groups.set(name, make("optgroup", { label: name }));
      groups.get(name).append(list.options[0]);
      groups.get(name).lastChild.value = at;
    });
    list.append(...groups.values());
    list.selectedIndex = 0;
  }
  const places = make("span", { class: "places" });
  const root = make("span", { class: "picker" }, all.length > 1 ? choose : null, places);
  let family = all[0]?.maps ?? [];
  let now = family[0] ?? null;

  function take(maps) {
    family = maps;
    go({ layer: now.layer, head: now.head });
  }

  function go(wanted) {
    now = family.find((map) => map.layer === wanted.layer && map.head === wanted.head) ?? family.find((map) => map.layer === wanted.layer) ?? family[0];
    drawPlaces();
    changed(now);
  }

  /** The lists of layers and heads: made anew only for another family, so that one keeps its focus. */
  function drawPlaces() {
    if (places.family !== family) {
      places.family = family;
      places.replaceChildren(...["layer", "head"].map((what) => {
        const values = distinct(family, what);
        if (values.length < 2) return "";
        return choice(what === "layer" ? "Layer" : "Head", values.map((value) => value ?? "all"), (at) => go({ layer: now.layer, head: now.head, [what]: values[at] }));
      }));
    }
    for (const select of places.querySelectorAll("select")) {
      const what = select.parentNode.firstChild.textContent.toLowerCase();
      select.selectedIndex = distinct(family, what).indexOf(now[what]);
    }
  }

  drawPlaces();
  return root;
}
