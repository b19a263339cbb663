"use strict";
// Spans as nested bars, and the table behind them.

/** Statuses of spans by number. */
const STATUSES = ["ok", "error", "unfinished"];

/** Colours of the phases that are not in a batch. @type {{[phase: string]: string}} */
const OUTER_COLOURS = {
  make_batches: "slice",
  validation: "between",
  evaluate: "between",
  epoch: "between",
  fit: "between",
  predict: "between",
  batch: "other",
};

/**
 * Spans as nested bars, those of each thread together. A bar that is chosen fills the width.
 * @param {BatchDetails} spans
 * @param {number[]} indices
 * @param {[number, number]} range
 * @param {string} label
 */
function spanChart(spans, indices, range, label) {
  const depths = depthsOf(spans, indices);
  const told = element(
    "p.told",
    { "aria-live": "polite" },
    "Point at a bar, or move with the arrow keys. A click or Enter widens it, Esc shows all.",
  );
  const bars = element("div.bars", { role: "tree", "aria-label": label });
  let shown = range;
  let current = 0;
  /** @type {Map<number, HTMLElement>} */
  const nodes = new Map();

  const widen = (/** @type {number | null} */ index) => {
    shown =
      index === null
        ? range
        : [
            Math.max(spans.start[index], range[0]),
            Math.min(spans.start[index] + Math.max(spans.duration[index], 1), range[1]),
          ];
    place();
  };
  const place = () => {
    const width = Math.max(shown[1] - shown[0], 1);
    for (const [index, node] of nodes) {
      const begin = Math.max(spans.start[index], shown[0]);
      const end = Math.min(spans.start[index] + spans.duration[index], shown[1]);
      node.hidden = end < begin || (spans.start[index] >= shown[1] && index !== indices[0]);
      node.style.setProperty("left", `${(100 * (begin - shown[0])) / width}%`);
      node.style.setProperty("width", `${(100 * (end - begin)) / width}%`);
      node.classList.toggle("cut", spans.start[index] + spans.duration[index] > shown[1] + 1);
    }
  };
  const focus = (/** @type {number | undefined} */ position) => {
    if (position === undefined || position < 0 || position >= indices.length) return;
    nodes.get(indices[current])?.setAttribute("tabindex", "-1");
    current = position;
    const node = nodes.get(indices[current]);
    if (node?.hidden) widen(null);
    node?.setAttribute("tabindex", "0");
    node?.focus();
  };
  bars.addEventListener("keydown", (event) => {
    const index = indices[current];
    const isSibling = (/** @type {number} */ other) =>
      spans.parent[other] === spans.parent[index] && depths.get(other) === depths.get(index);
    /** @type {{[key: string]: () => void}} */
    const actions = {
      ArrowRight: () => focus(indices.findIndex((other, position) => position > current && isSibling(other))),
      ArrowLeft: () => focus(indices.findLastIndex((other, position) => position < current && isSibling(other))),
      ArrowDown: () => focus(indices.findIndex((other) => spans.parent[other] === index)),
      ArrowUp: () => focus(indices.indexOf(spans.parent[index])),
      Home: () => focus(0),
      End: () => focus(indices.length - 1),
      Enter: () => widen(index),
      " ": () => widen(index),
      Escape: () => widen(null),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  });

  const threads = [...new Set(indices.map((index) => spans.thread[index]))];
  for (const thread of threads) {
    const own = indices.filter((index) => spans.thread[index] === thread);
    const rows = Math.max(...own.map((index) => depths.get(index) ?? 0)) + 1;
    const group = element("div.thread", { role: "none", style: { "--rows": String(rows) } });
    for (const index of own) {
      const text = spanText(spans, index, range);
      const phase = spans.phases[spans.phase[index]];
      const node = element(
        `div.bar.${STATUSES[spans.status[index]]}`,
        {
          role: "treeitem",
          tabindex: index === indices[0] ? 0 : -1,
          "aria-level": (depths.get(index) ?? 0) + 1,
          "aria-label": text,
          style: {
            "--depth": String(depths.get(index)),
            "--bar": `var(--${OUTER_COLOURS[phase] ?? phase}, var(--other))`,
          },
          onmouseenter: () => (told.textContent = text),
          onfocus: () => (told.textContent = text),
          onclick: () => {
            focus(indices.indexOf(index));
            widen(index);
          },
        },
        element("span", {}, `${spans.names[spans.name[index]]} ${duration(spans.duration[index])}`),
      );
      nodes.set(index, node);
      group.append(node);
    }
    if (threads.length > 1) bars.append(element("p.quiet", { role: "none" }, spans.threads[thread]));
    bars.append(group);
  }
  place();
  const table = details("Table of these spans", () => spanTable(spans, indices, depths, range, label));
  return element("div.spans", {}, bars, told, table);
}

/**
 * How many of the spans are around each.
 * @param {BatchDetails} spans
 * @param {number[]} indices in order of start, so that a parent comes before its children
 */
function depthsOf(spans, indices) {
  /** @type {Map<number, number>} */
  const depths = new Map();
  for (const index of indices) {
    const parent = depths.get(spans.parent[index]);
    const isOnThread = parent !== undefined && spans.thread[spans.parent[index]] === spans.thread[index];
    depths.set(index, isOnThread ? parent + 1 : 0);
  }
  return depths;
}

/**
 * All that is known of a span, in one line.
 * @param {BatchDetails} spans
 * @param {number} index
 * @param {[number, number]} range
 */
function spanText(spans, index, [begin, end]) {
  const hook = spans.hooks[spans.hook[index]];
  const words = [
    `${spans.names[spans.name[index]]} ${duration(spans.duration[index])}`,
    `phase ${spans.phases[spans.phase[index]]}`,
    spans.start[index] + spans.duration[index] <= end + 1
      ? `${share(spans.duration[index], end - begin)} of this time`
      : "goes on after this time",
    `begins at ${duration(spans.start[index] - begin)}`,
  ];
  if (hook) words.push(`callback ${hook.position} of the list`);
  if (spans.status[index]) words.push(STATUSES[spans.status[index]]);
  return words.join(" · ");
}

/**
 * @param {BatchDetails} spans
 * @param {number[]} indices
 * @param {Map<number, number>} depths
 * @param {[number, number]} range
 * @param {string} label
 */
function spanTable(spans, indices, depths, [begin], label) {
  const columns = [
    { name: "span" },
    { name: "phase" },
    { name: "begins", number: true },
    { name: "duration", number: true },
    { name: "thread" },
    { name: "status" },
  ];
  const rows = indices.map((index) => [
    element("span.indented", { style: { "--depth": String(depths.get(index)) } }, spans.names[spans.name[index]]),
    spans.phases[spans.phase[index]],
    duration(spans.start[index] - begin),
    duration(spans.duration[index]),
    spans.threads[spans.thread[index]],
    STATUSES[spans.status[index]],
  ]);
  return tableOf(`Spans: ${label}`, columns, rows);
}
