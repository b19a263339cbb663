"use strict";
// The tables behind the timeline.

/** Rows of the table of values. */
const MOST_ROWS = 200;

/**
 * The values in sight.
 * @param {Timeline} timeline
 * @param {[number, number]} range the ordinals in sight
 */
function timelineTable(timeline, [from, to]) {
  const pieces = piecesOf(timeline, from, to, powerOfTwo((to - from) / MOST_ROWS)).slice(0, MOST_ROWS);
  const times = timeline.phases.map((series) => valuesOf(series, pieces).mean);
  const total = valuesOf(timeline.total, pieces);
  /** @type {{name: string, title?: string, number?: boolean}[]} */
  const columns = [{ name: "batches" }];
  columns.push(...timeline.phases.map(({ name, title }) => ({ name, title, number: true })));
  for (const name of ["least", "mean", "most"]) {
    columns.push({ name, title: `${name} time of a batch and before it`, number: true });
  }
  columns.push(...timeline.logs.map(({ key }) => ({ name: key, title: "mean", number: true })));
  const rows = pieces.map((piece, index) => [
    pieceText(timeline, piece),
    ...[...times, total.least, total.mean, total.most].map((values) => duration(values[index])),
    ...timeline.logs.map(({ key }) => keyText(timeline, key, piece)),
  ]);
  return tableOf("Mean time per batch by phase, of the batches in sight", columns, rows);
}

/**
 * @param {Timeline} timeline
 * @param {Piece} piece
 */
function pieceText(timeline, { first, until }) {
  const more = until - first - 1;
  return `${batchName(timeline, first)}${more ? `, and ${count(more)} more` : ""}`;
}

/**
 * What happened at batches.
 * @param {PageMark[]} marks
 * @param {(ordinal: number) => HTMLElement} linkTo a link to a batch
 */
function markTable(marks, linkTo) {
  const rows = marks.map(({ ordinal, kind, label }) => [linkTo(ordinal), MARK_KINDS[kind][1], label]);
  return tableOf("What happened at batches", [{ name: "batch" }, { name: "mark" }, { name: "what" }], rows);
}
