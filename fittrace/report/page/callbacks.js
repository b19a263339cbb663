"use strict";
// Callbacks and hooks: a heat table of the time that each hook of each callback took.

/** Callbacks that are shown at first. The others, which took less, are shown on demand. */
const MOST_CALLBACKS = 30;

/** Steps of the heat colour, of which the style sheet has a class each. */
const HEAT_STEPS = 6;

/** @typedef {{position: number, name: string, total: number, cells: Map<string, HookRow>}} CallbackRow */

/**
 * @param {PageSelection} selection
 * @param {PageFit} fit
 * @returns {HTMLElement | null}
 */
function callbacksSection(selection, fit) {
  const { hooks, rows, limit } = fit.callbacks;
  if (!rows.length) return null;
  const callbacks = callbackRows(rows);
  const body = element("div");
  const mark = () => {
    for (const button of body.querySelectorAll("button[data-series]")) {
      button.setAttribute("aria-pressed", String(Number(button.getAttribute("data-series")) === selection.place.hook));
    }
  };
  const show = (/** @type {number} */ most) => {
    body.replaceChildren(heatTable(fit, hooks, slowest(callbacks, most), callbacks));
    mark();
  };
  show(MOST_CALLBACKS);
  body.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button[data-series]") : null;
    const series = Number(button?.getAttribute("data-series"));
    if (button) selection.set({ hook: selection.place.hook === series ? null : series });
  });
  selection.follow((place, before) => place.hook === before.hook || mark());
  const rest = callbacks.length - MOST_CALLBACKS;
  const more = element("button", { type: "button" }, `Show all ${count(callbacks.length)} callbacks`);
  more.addEventListener("click", () => {
    show(callbacks.length);
    more.remove();
  });
  return section(
    "callbacks",
    "Callbacks × hooks",
    element(
      "p.quiet",
      {},
      "Time in each hook, and how often it was called. A click on a time shows only that hook in the timeline.",
    ),
    body,
    rest > 0 ? more : null,
    limit ? element("p.quiet", {}, limit) : null,
    details("All hooks as a table", () => hooksTable(fit, rows)),
  );
}

/**
 * The callbacks in the order of the callback list.
 * @param {HookRow[]} rows
 * @returns {CallbackRow[]}
 */
function callbackRows(rows) {
  /** @type {Map<string, CallbackRow>} */
  const found = new Map();
  for (const row of rows) {
    const key = `${row.position} ${row.callback}`;
    const callback = found.get(key) ?? { position: row.position, name: row.callback, total: 0, cells: new Map() };
    callback.total += row.total;
    callback.cells.set(row.hook, row);
    found.set(key, callback);
  }
  return [...found.values()].sort((a, b) => a.position - b.position);
}

/**
 * The slowest callbacks, in the order of the callback list.
 * @param {CallbackRow[]} callbacks
 * @param {number} most
 */
function slowest(callbacks, most) {
  const chosen = new Set([...callbacks].sort((a, b) => b.total - a.total).slice(0, most));
  return callbacks.filter((callback) => chosen.has(callback));
}

/**
 * @param {PageFit} fit
 * @param {string[]} hooks
 * @param {CallbackRow[]} shown
 * @param {CallbackRow[]} all those that the sums are of
 */
function heatTable(fit, hooks, shown, all) {
  const highest = Math.max(...all.flatMap((callback) => [...callback.cells.values()].map((row) => row.total)));
  const sums = hooks.map((hook) => all.reduce((sum, callback) => sum + (callback.cells.get(hook)?.total ?? 0), 0));
  const whole = sums.reduce((sum, total) => sum + total, 0);
  const head = element(
    "tr",
    {},
    element("th", { scope: "col" }, "callback"),
    ...hooks.map((hook) => element("th.number", { scope: "col" }, ...brokenAtUnderscores(hook))),
    element("th.number", { scope: "col" }, "total"),
  );
  const lines = shown.map((callback) =>
    element(
      "tr",
      {},
      element("th", { scope: "row", title: `position ${callback.position}` }, callback.name),
      ...hooks.map((hook) => heatCell(fit, callback.cells.get(hook), highest)),
      element(
        "td.number",
        {},
        element("b", {}, duration(callback.total)),
        element("small", {}, share(callback.total, fit.duration_ns)),
      ),
    ),
  );
  const foot = element(
    "tr",
    {},
    element("th", { scope: "row" }, "total"),
    ...sums.map((total) =>
      element("td.number", {}, element("b", {}, duration(total)), element("small", {}, share(total, fit.duration_ns))),
    ),
    element("td.number", {}, element("b", {}, duration(whole)), element("small", {}, share(whole, fit.duration_ns))),
  );
  const table = element(
    "table.heat",
    { "aria-label": "Time of each callback's hooks. Arrow keys move, Enter filters the timeline." },
    element("thead", {}, head),
    element("tbody", {}, ...lines),
    element("tfoot", {}, foot),
  );
  moveByArrows(table);
  return element("div.scroll.heat-scroll", { role: "region", "aria-label": "Callbacks and hooks" }, table);
}

/**
 * A cell with a button that filters the timeline, where the timeline has that hook.
 * @param {PageFit} fit
 * @param {HookRow | undefined} row
 * @param {number} highest the total of the slowest hook
 */
function heatCell(fit, row, highest) {
  if (!row) return element("td.number.quiet", {}, "");
  const series = seriesOf(fit, row);
  const time = `${duration(row.total)} in ${amount(row.count, "call", "calls")}, slowest ${duration(row.slowest)}`;
  const title = `${row.callback}.${row.hook}: ${time}`;
  const button = element(
    `button.heat-${heatStep(row.total, highest)}`,
    {
      type: "button",
      tabindex: -1,
      title: series === null ? `${title}\nIt is not among the hooks that the timeline shows.` : title,
      "data-series": series,
    },
    element("span", {}, duration(row.total)),
    element("small", {}, `${count(row.count)}×`),
  );
  return element("td.number", {}, button);
}

/**
 * The index of a hook's series in the timeline; null if it has none.
 * @param {PageFit} fit
 * @param {HookRow} row
 */
function seriesOf(fit, row) {
  const index = (fit.timeline?.hooks ?? []).findIndex(
    (series) => series.position === row.position && series.callback === row.callback && series.hook === row.hook,
  );
  return index < 0 ? null : index;
}

/**
 * The heat of a time, from 0 to `HEAT_STEPS - 1`. A step is a factor of four: times of hooks differ by magnitudes.
 * @param {number} total
 * @param {number} highest
 */
function heatStep(total, highest) {
  if (total <= 0 || highest <= 0) return 0;
  return Math.max(0, Math.round(HEAT_STEPS - 1 + Math.log(total / highest) / Math.log(4)));
}

/**
 * A name that may be broken into lines after its underscores.
 * @param {string} name
 */
function brokenAtUnderscores(name) {
  return name.split(/(?<=_)/).flatMap((word) => [word, element("wbr")]);
}

/**
 * Arrow keys move between the buttons of a table, so that only one of them is in the order of the Tab key.
 * @param {HTMLElement} table
 */
function moveByArrows(table) {
  const grid = [...table.querySelectorAll("tbody tr")].map((line) =>
    [...line.querySelectorAll("td")].map((cell) => cell.querySelector("button")),
  );
  const steps = /** @type {{[key: string]: [number, number]}} */ ({
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
  });
  const first = table.querySelector("button");
  if (first) first.tabIndex = 0;
  table.addEventListener("focusin", (event) => {
    for (const button of table.querySelectorAll("button")) button.tabIndex = button === event.target ? 0 : -1;
  });
  table.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    let line = grid.findIndex((buttons) => buttons.includes(/** @type {HTMLButtonElement} */ (event.target)));
    let column = grid[line]?.indexOf(/** @type {HTMLButtonElement} */ (event.target)) ?? -1;
    do {
      line += step[0];
      column += step[1];
    } while (grid[line] && column >= 0 && column < grid[line].length && !grid[line][column]);
    grid[line]?.[column]?.focus();
  });
}

/**
 * @param {PageFit} fit
 * @param {HookRow[]} rows
 */
function hooksTable(fit, rows) {
  const columns = [
    { name: "callback" },
    { name: "hook" },
    { name: "position", title: "index in the callback list", number: true },
    ...["count", "total", "share", "mean", "p99", "slowest"].map((name) => ({ name, number: true })),
  ];
  const cells = rows.map((row) => [
    row.callback,
    row.hook,
    row.position,
    count(row.count),
    duration(row.total),
    share(row.total, fit.duration_ns),
    ...[row.mean, row.p99, row.slowest].map(duration),
  ]);
  return tableOf("Hooks of the callbacks, the slowest first", columns, cells);
}
