"use strict";
// Marks of the timeline: what happened at batches, and where epochs begin.

/** Pixels between marks: less, and one hides the other. */
const MARK_SPACE = 20;
/** Pixels beside the number of an epoch, and for each of its digits. */
const EPOCH_SPACE = 16;
const DIGIT_WIDTH = 8;
/** Marks that the text of a button names, where several are close together. */
const MOST_NAMED = 12;

/** Signs of marks, the most important first, and what they stand for. @type {{[kind: string]: [string, string]}} */
const MARK_KINDS = {
  error: ["✕", "failed or cut off"],
  finding: ["!", "finding"],
  stop: ["■", "stop"],
  first: ["1", "first batch"],
  checkpoint: ["S", "weights saved"],
  retraced: ["R", "retraced"],
};

/** @typedef {{kind: string, ordinal: number, label: string}} PageMark */

/**
 * The marks of the timeline, with the findings that are about a batch.
 * @param {PageSelection} selection
 * @param {Timeline} timeline
 * @returns {PageMark[]}
 */
function allMarks(selection, timeline) {
  const { fit } = selection.place;
  /** @type {PageMark[]} */
  const findings = [];
  for (const { fit: number, ordinal, rule, message } of selection.page.runs[selection.run].findings) {
    if (number === fit && ordinal !== null) findings.push({ kind: "finding", ordinal, label: `${rule}: ${message}` });
  }
  return [...timeline.marks, ...findings].sort((one, other) => one.ordinal - other.ordinal);
}

/**
 * What the signs stand for, of the marks that there are.
 * @param {PageMark[]} marks
 * @param {boolean} hasValidation
 */
function markLegend(marks, hasValidation) {
  const kinds = Object.keys(MARK_KINDS).filter((kind) => marks.some((mark) => mark.kind === kind));
  const items = kinds.map((kind) => {
    const [sign, meaning] = MARK_KINDS[kind];
    return element("span", {}, element(`span.mark.${kind}`, { "data-sign": sign }), ` ${meaning}`);
  });
  const shade = element("span.shade", { "aria-hidden": "true" });
  if (hasValidation) items.push(element("span", {}, shade, " validation"));
  return element("div.mark-legend.quiet", {}, ...items);
}

/**
 * A button for each mark; one for several that are close together, with the sign of the most important one.
 * @param {PageMark[]} marks those in sight
 * @param {(ordinal: number) => number} left the position of an ordinal in pixels
 * @param {(ordinal: number) => string} nameOf a batch in words
 * @param {(ordinal: number) => void} open opens a batch
 */
function markButtons(marks, left, nameOf, open) {
  const kinds = Object.keys(MARK_KINDS);
  const byImportance = [...marks].sort((one, other) => kinds.indexOf(one.kind) - kinds.indexOf(other.kind));
  /** @type {{at: number, marks: PageMark[]}[]} */
  const clusters = [];
  for (const mark of byImportance) {
    const at = left(mark.ordinal + 0.5);
    const near = clusters.find((cluster) => Math.abs(cluster.at - at) < MARK_SPACE);
    if (near) near.marks.push(mark);
    else clusters.push({ at, marks: [mark] });
  }
  clusters.sort((one, other) => one.at - other.at);
  return clusters.map(({ at, marks: together }) => {
    const [first] = together;
    const texts = together.slice(0, MOST_NAMED).map(({ ordinal, label }) => `${nameOf(ordinal)}: ${label}`);
    if (together.length > MOST_NAMED) texts.push(`and ${together.length - MOST_NAMED} more`);
    const attributes = { type: "button", title: texts.join("\n"), "aria-label": texts.join("; ") };
    const style = { left: `${at}px` };
    const onclick = () => open(first.ordinal);
    const sign = MARK_KINDS[first.kind][0];
    return element(`button.mark.${first.kind}`, { ...attributes, "data-sign": sign, style, onclick });
  });
}

/**
 * The numbers of the epochs at their beginnings, as many as there is space for.
 * @param {BatchRun[]} starts the runs with which the epochs begin
 * @param {(ordinal: number) => number} left the position of an ordinal in pixels
 */
function epochLabels(starts, left) {
  /** @type {HTMLElement[]} */
  const labels = [];
  let free = -Infinity;
  for (const { first, epoch } of starts) {
    const at = left(first);
    if (at < free) continue;
    const text = labels.length ? String(epoch) : `epoch ${epoch}`;
    labels.push(element("span.epoch", { style: { left: `${at}px` } }, text));
    free = at + EPOCH_SPACE + DIGIT_WIDTH * text.length;
  }
  return labels;
}
