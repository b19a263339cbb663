"use strict";
// The ops that TensorFlow ran in sampled batches: a table, and a timeline of devices and threads for one batch.

/** The kinds of ops, by number: the class of the style sheet, and the words of the legend. */
const OP_KINDS = [
  ["op-host", "on the host"],
  ["op-device", "on a device"],
  ["op-wait", "waiting for data"],
  ["op-pipeline", "in the data pipeline, beside the batch"],
];

/** Ops that the table shows at first. */
const MOST_OPS_SHOWN = 12;

/** Height of a row of ops, and the gap below a lane, in CSS pixels. */
const OP_ROW = 14;
const OP_LANE_GAP = 8;

/**
 * @param {PageSelection} selection
 * @param {PageFit} fit
 * @returns {HTMLElement | null}
 */
function opsSection(selection, fit) {
  const { ops } = fit;
  if (!ops) return null;
  const rest = ops.table.slice(MOST_OPS_SHOWN);
  return section(
    "ops",
    "Ops",
    element("p", {}, ops.summary.join(" ")),
    ...opTimeline(selection, ops),
    element("h3", {}, "Slowest ops"),
    opTable("share: self, of the function's time", ops.table.slice(0, MOST_OPS_SHOWN)),
    rest.length ? details(`${count(rest.length)} more ops`, () => opTable("The other ops", rest)) : null,
    ops.limit ? element("p.quiet", {}, ops.limit) : null,
  );
}

/**
 * @param {string} caption
 * @param {SampledOps["table"]} ops
 */
function opTable(caption, ops) {
  const columns = [
    { name: "op" },
    { name: "type" },
    { name: "on" },
    { name: "share", title: "self, of the time of the backend's function" },
    { name: "self", title: "the time without the ops inside it", number: true },
    { name: "count", number: true },
    { name: "mean", number: true },
  ];
  const rows = ops.map((row) => [
    element("span.op-name", { title: row.name }, row.name),
    row.type,
    row.device,
    shareBar(row.share, 1),
    duration(row.self),
    count(row.count),
    duration(row.mean),
  ]);
  return tableOf(caption, columns, rows);
}

/**
 * The ops of one sampled batch in time, with a choice of the batch.
 * @param {PageSelection} selection
 * @param {SampledOps} ops
 */
function opTimeline(selection, ops) {
  if (!ops.batches.length) return [];
  const select = /** @type {HTMLSelectElement} */ (element("select", { id: "ops-batch" }));
  for (const [index, batch] of ops.batches.entries()) {
    select.append(element("option", { value: index }, `${batch.label}, ${duration(batch.function_ns)}`));
  }
  const body = element("div");
  const show = (/** @type {number} */ index) => {
    select.value = String(index);
    body.replaceChildren(...opLanes(ops, ops.batches[index]));
  };
  select.addEventListener("change", () => {
    show(Number(select.value));
    selection.set({ ordinal: ops.batches[Number(select.value)].ordinal });
  });
  // The first batch builds the function; another one tells more.
  show(Math.min(1, ops.batches.length - 1));
  selection.follow((place) => {
    const index = ops.batches.findIndex((batch) => batch.ordinal === place.ordinal);
    if (index >= 0 && index !== Number(select.value)) show(index);
  });
  return [element("p.choice", {}, element("label", { for: "ops-batch" }, "Batch "), select), body];
}

/**
 * @param {SampledOps} ops
 * @param {SampledBatch} batch
 */
function opLanes(ops, batch) {
  const rows = opRows(batch.ops, ops.lanes.length);
  const ends = Array.from(batch.ops.start, (start, index) => start + batch.ops.duration[index]);
  const begin = Math.min(0, ...batch.ops.start);
  const end = Math.max(batch.function_ns, ...ends);
  const lanes = ops.lanes
    .map((_, lane) => (rows.count[lane] ? opLane(ops, batch, lane, rows, begin, end) : null))
    .filter((lane) => lane !== null);
  const kinds = OP_KINDS.filter((_, kind) => batch.ops.kind.includes(kind));
  const legend = kinds.map(([name, words]) => element("li", {}, element(`span.swatch.${name}`), words));
  const axis = element(
    "p.op-axis.quiet",
    {},
    element("span", {}, begin < 0 ? `−${duration(-begin)}` : "0"),
    element("span", {}, duration(end)),
  );
  return [
    element("ul.legend", {}, ...legend),
    element(
      "div.op-lanes",
      {
        role: "img",
        "aria-label": `${count(batch.ops.start.length)} ops of ${batch.label} in time, by device and thread`,
      },
      ...lanes,
      axis,
    ),
    details(`The ops of ${batch.label} as a table`, () => batchOpsTable(ops, batch)),
  ];
}

/**
 * The row of each op in its lane: ops that overlap are below each other.
 * @param {BatchOps} ops in order of start
 * @param {number} lanes
 */
function opRows(ops, lanes) {
  /** @type {number[][]} the end of the last op of each row, by lane */
  const ends = Array.from({ length: lanes }, () => []);
  const row = new Uint16Array(ops.start.length);
  ops.start.forEach((start, index) => {
    const laneEnds = ends[ops.lane[index]];
    const free = laneEnds.findIndex((end) => end <= start);
    row[index] = free < 0 ? laneEnds.length : free;
    laneEnds[row[index]] = start + ops.duration[index];
  });
  return { row, count: ends.map((laneEnds) => laneEnds.length) };
}

/**
 * @param {SampledOps} ops
 * @param {SampledBatch} batch
 * @param {number} lane
 * @param {{row: Uint16Array, count: number[]}} rows
 * @param {number} begin
 * @param {number} end
 */
function opLane(ops, batch, lane, rows, begin, end) {
  const { start, duration: durations, name, kind } = batch.ops;
  const drawing = svgElement("svg", { height: rows.count[lane] * OP_ROW + OP_LANE_GAP, width: "100%" });
  const percent = (/** @type {number} */ time) => `${(100 * time) / (end - begin)}%`;
  for (let index = 0; index < start.length; index++) {
    if (batch.ops.lane[index] !== lane) continue;
    const rectangle = svgElement("rect", {
      class: OP_KINDS[kind[index]][0],
      x: percent(start[index] - begin),
      width: percent(durations[index]),
      y: rows.row[index] * OP_ROW,
      height: OP_ROW - 2,
    });
    const title = svgElement("title", {});
    title.textContent = `${ops.names[name[index]]}\n${duration(durations[index])}, from ${duration(start[index])}`;
    rectangle.append(title);
    drawing.append(rectangle);
  }
  return element("div.op-lane", {}, element("span.quiet", {}, ops.lanes[lane]), drawing);
}

/**
 * @param {string} name
 * @param {{[name: string]: string | number}} attributes
 */
function svgElement(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, String(value));
  return made;
}

/**
 * @param {SampledOps} ops
 * @param {SampledBatch} batch
 */
function batchOpsTable(ops, batch) {
  const columns = [
    { name: "op" },
    { name: "lane" },
    { name: "start", number: true },
    { name: "duration", number: true },
  ];
  const rows = Array.from(batch.ops.start, (start, index) => [
    element("span.op-name", { title: ops.names[batch.ops.name[index]] }, ops.names[batch.ops.name[index]]),
    ops.lanes[batch.ops.lane[index]],
    duration(start),
    duration(batch.ops.duration[index]),
  ]);
  return tableOf(`Ops of ${batch.label}, in order of start`, columns, rows);
}
