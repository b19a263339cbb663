"use strict";
// The legend of the timeline, with the values under the cursor; and small parts that several sections have.

/**
 * A part of the legend.
 *
 * - `value`: the element of the value under the cursor.
 * - `textAt`: the value at a piece; without one, that after the last batch.
 * @typedef {{node: HTMLElement, value: HTMLElement, textAt: (piece: Piece | null) => string}} LegendEntry
 */

/**
 * A button that shows or hides a series of times.
 * @param {string} colourName
 * @param {Series} series
 * @param {number} after its time after the last batch
 * @param {string} title
 * @param {boolean} isShown
 * @param {() => void} onclick
 * @returns {LegendEntry}
 */
function legendOfTimes(colourName, series, after, title, isShown, onclick) {
  const swatch = element("span.swatch", { style: { background: `var(--${colourName})` } });
  const value = element("span.value");
  const attributes = { type: "button", title, "aria-pressed": String(isShown), onclick };
  const node = element("button.item", attributes, swatch, element("span.name", {}, series.name), value);
  return { node, value, textAt: (piece) => duration(piece ? valuesOf(series, [piece]).mean[0] : after) };
}

/**
 * The line of a key of the logs.
 * @param {Timeline} timeline
 * @param {KeyGroup} group
 * @param {string} key
 * @returns {LegendEntry}
 */
function legendOfKey(timeline, group, key) {
  const border = { "border-color": `var(--${keyColour(group, key)})`, "border-top-style": lineStyle(key) };
  const value = element("span.value");
  const node = element("span.item", {}, element("span.line", { style: border }), element("span.name", {}, key), value);
  return { node, value, textAt: (piece) => (piece ? keyText(timeline, key, piece) : "–") };
}

/** @param {string} key */
function lineStyle(key) {
  return isValidation(key) ? "dashed" : "solid";
}

/**
 * The value of a key at a piece: of its batches, else at the end of its epoch.
 * @param {Timeline} timeline
 * @param {string} key
 * @param {Piece} piece
 */
function keyText(timeline, key, piece) {
  const log = timeline.logs.find((series) => series.key === key);
  const value = log ? valuesOf(log.values, [piece]).mean[0] : NaN;
  if (!Number.isNaN(value)) return valueText(value);
  const bad = log?.not_finite.find(({ first, until }) => first < piece.until && until >= piece.first);
  if (bad) return valueText(bad.value);
  const { ordinal, keys, values } = timeline.epochs;
  const column = values[keys.indexOf(key)];
  const epoch = column ? ordinal.findIndex((last) => last >= piece.first) : -1;
  return epoch < 0 || Number.isNaN(column[epoch]) ? "–" : valueText(column[epoch]);
}

/**
 * A batch in words, such as `epoch 3, batch 12`.
 * @param {Timeline} timeline
 * @param {number} ordinal
 */
function batchName(timeline, ordinal) {
  const { stage, epoch, batch } = batchAt(timeline, ordinal);
  const words = epoch === null ? [] : [`epoch ${count(epoch)}`];
  words.push(`${stage === timeline.runs[0].stage ? "" : `${stage} `}batch ${count(batch)}`);
  return words.join(", ");
}

/**
 * @param {string} text
 * @param {string} title
 * @param {() => void} action
 */
function button(text, title, action) {
  return element(
    "button",
    { type: "button", title, "aria-label": text.length > 1 ? null : title, onclick: action },
    text,
  );
}
