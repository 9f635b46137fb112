// Graphs as numbers: weights out of codes, thinning, how central a node is. As `explanation/graph.py` has them.

/** A square of weights out of its codes: `at(from, to)`. */
function decodeWeights(codes) {
  const { nodes } = codes;
  const values = unpacked(codes, Float64Array);
  return { nodes, values, at: (from, to) => values[from * nodes + to] };
}

/** What the edge in a cell of the square is called, if anything. */
function decodePredicates(predicates) {
  if (!predicates) return () => undefined;
  const codes = atob(predicates.data);
  return (cell) => predicates.names[codes.charCodeAt(cell) - 1];
}

const sameEdge = (a, b) => a.tap === b.tap && a.row === b.row && a.column === b.column;

/** A number of at least 0 in three digits, never above itself. */
function roundedDown(value) {
  if (!value) return 0;
  const unit = 10 ** (Math.floor(Math.log10(value)) - 2);
  const near = Number(value.toPrecision(3));
  return near <= value ? near : Number((near - unit).toPrecision(3));
}

const idOf = (from, to) => `${from}-${to}`;

/** All edges between two different nodes, the strongest first; equal ones by their rows, then columns. */
function edgesOf(weights) {
  const found = [];
  for (let from = 0; from < weights.nodes; from++) {
    for (let to = 0; to < weights.nodes; to++) {
      const value = weights.at(from, to);
      if (from !== to && value !== 0) found.push({ id: idOf(from, to), from, to, value });
    }
  }
  return found.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
}

/** Edges of at least a weight, then of each node the strongest that leave it. Both keep the order. */
function thin(edges, threshold, top) {
  const left = new Map();
  return edges.filter(({ from, value }) => {
    if (Math.abs(value) < threshold) return false;
    left.set(from, (left.get(from) ?? 0) + 1);
    return top === null || left.get(from) <= top;
  });
}

/** The measures of networkx for a directed graph: paths count steps, strengths sum |weight|. */
function measure(nodes, edges) {
  const zeros = () => new Float64Array(nodes);
  const found = { out_degree: zeros(), in_degree: zeros(), out_strength: zeros(), in_strength: zeros(), betweenness: zeros(), closeness: zeros() };
  const onward = Array.from({ length: nodes }, () => []);
  for (const { from, to, value } of edges) {
    onward[from].push(to);
    found.out_degree[from] += 1;
    found.in_degree[to] += 1;
    found.out_strength[from] += Math.abs(value);
    found.in_strength[to] += Math.abs(value);
  }
  const [reached, steps] = [zeros(), zeros()];
  for (let start = 0; start < nodes; start++) followPaths(start, onward, found.betweenness, reached, steps);
  const pairs = (nodes - 1) * (nodes - 2);
  for (let node = 0; node < nodes; node++) {
    if (pairs > 0) found.betweenness[node] /= pairs;
    if (steps[node]) found.closeness[node] = (reached[node] / steps[node]) * (reached[node] / (nodes - 1));
  }
  return found;
}

/** Shortest paths from one node (Brandes, 2001): what passes each node, and how far it is from here. */
function followPaths(start, onward, passing, reached, steps) {
  const count = onward.length;
  const far = new Int32Array(count).fill(-1);
  const [ways, owed] = [new Float64Array(count), new Float64Array(count)];
  const before = Array.from({ length: count }, () => []);
  const order = [start];
  far[start] = 0;
  ways[start] = 1;
  for (const node of order) {
    for (const next of onward[node]) {
      if (far[next] < 0) {
        far[next] = far[node] + 1;
        order.push(next);
      }
      if (far[next] !== far[node] + 1) continue;
      ways[next] += ways[node];
      before[next].push(node);
    }
  }
  for (const node of order.slice(1)) {
    reached[node] += 1;
    steps[node] += far[node];
  }
  for (const node of order.slice(1).reverse()) {
    for (const earlier of before[node]) owed[earlier] += (ways[earlier] / ways[node]) * (1 + owed[node]);
    passing[node] += owed[node];
  }
}
