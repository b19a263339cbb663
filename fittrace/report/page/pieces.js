"use strict";
// The timeline's values at any zoom: buckets of many batches, or batches one by one where the page has them.

/**
 * Batches one after the other that the timeline shows as one.
 *
 * - `first`, `until`: ordinals, without `until`.
 * - `source`: where their values are: by bucket (or by batch, where all batches are shown one by one), or in a window.
 * - `begin`, `end`: indices of the arrays of that source, without `end`.
 * @typedef {{first: number, until: number, source: "mean" | "window", begin: number, end: number}} Piece
 */

/**
 * The values of a series by piece.
 * @typedef {{least: Float64Array, mean: Float64Array, most: Float64Array}} PieceValues
 */

/**
 * The pieces that cover the batches from `first` to `until`.
 * @param {Timeline} timeline
 * @param {number} first
 * @param {number} until
 * @param {number} unit how many batches a piece should have, a power of two
 * @returns {Piece[]}
 */
function piecesOf(timeline, first, until, unit) {
  const { every, batches } = timeline;
  const end = Math.min(Math.ceil(until), batches);
  /** @type {Piece[]} */
  const pieces = [];
  const group = Math.max(unit, every);
  const offsets = windowOffsets(timeline);
  let window = unit < every ? timeline.windows.findIndex(([, last]) => last >= first) : -1;
  let at = Math.max(Math.floor(first / group) * group, 0);
  if (window >= 0 && timeline.windows[window][0] < first) at = Math.max(at, timeline.windows[window][0]);
  while (at < end) {
    const [from, last] = timeline.windows[window] ?? [Infinity, Infinity];
    if (window < 0 || at < from) {
      const next = Math.min((Math.floor(at / group) + 1) * group, window < 0 ? Infinity : from, batches);
      const bucket = Math.floor(at / every);
      pieces.push({
        first: at,
        until: next,
        source: "mean",
        begin: bucket,
        end: Math.max(Math.ceil(next / every), bucket + 1),
      });
      at = next;
    } else {
      const next = Math.min((Math.floor(at / unit) + 1) * unit, last + 1);
      const begin = offsets[window] + at - from;
      pieces.push({ first: at, until: next, source: "window", begin, end: begin + next - at });
      at = next;
      if (at > last) window = window + 1 < timeline.windows.length ? window + 1 : -1;
    }
  }
  return pieces.filter((piece) => piece.until > first);
}

/**
 * The piece of one batch: itself, or the bucket that it is in.
 * @param {Timeline} timeline
 * @param {number} ordinal
 */
function pieceAt(timeline, ordinal) {
  return (
    piecesOf(timeline, ordinal, ordinal + 1, 1).find((piece) => piece.first <= ordinal && ordinal < piece.until) ?? null
  );
}

/**
 * Whether the values of a piece are those of a single batch.
 * @param {Timeline} timeline
 * @param {Piece} piece
 */
function isSingle(timeline, piece) {
  return piece.until - piece.first === 1 && (piece.source === "window" || timeline.every === 1);
}

/**
 * The values of a series, least, mean and most of each piece; NaN where no batch of it has one.
 * @param {Series} series
 * @param {Piece[]} pieces
 * @returns {PieceValues}
 */
function valuesOf(series, pieces) {
  const values = {
    least: new Float64Array(pieces.length),
    mean: new Float64Array(pieces.length),
    most: new Float64Array(pieces.length),
  };
  pieces.forEach((piece, number) => {
    const means = piece.source === "window" ? series.window : series.mean;
    const leasts = piece.source === "window" ? series.window : (series.least ?? series.mean);
    const mosts = piece.source === "window" ? series.window : (series.most ?? series.mean);
    let least = Infinity;
    let most = -Infinity;
    let sum = 0;
    let known = 0;
    for (let index = piece.begin; index < piece.end; index++) {
      if (Number.isNaN(means[index])) continue;
      least = Math.min(least, leasts[index]);
      most = Math.max(most, mosts[index]);
      sum += means[index];
      known++;
    }
    values.least[number] = known ? least : NaN;
    values.mean[number] = known ? sum / known : NaN;
    values.most[number] = known ? most : NaN;
  });
  return values;
}

/**
 * Where each window begins in the arrays of windows.
 * @param {Timeline} timeline
 */
function windowOffsets(timeline) {
  let offset = 0;
  return timeline.windows.map(([first, last]) => {
    const own = offset;
    offset += last - first + 1;
    return own;
  });
}

/**
 * The smallest power of two that is not below a number.
 * @param {number} number
 */
function powerOfTwo(number) {
  let power = 1;
  while (power < number) power *= 2;
  return power;
}

/**
 * The value below which a part of the values lies. NaN counts not.
 * @param {ArrayLike<number>} values
 * @param {number} part
 */
function quantile(values, part) {
  const known = Float64Array.from(values)
    .filter((value) => Number.isFinite(value))
    .sort();
  return known.length ? known[Math.min(Math.floor(part * known.length), known.length - 1)] : NaN;
}

/**
 * The keys that differ between two logs: added, altered or removed.
 * @param {[string, number | string][]} before
 * @param {[string, number | string][]} after
 */
function changedKeys(before, after) {
  const [old, made] = [new Map(before), new Map(after)];
  return [...new Set([...made.keys(), ...old.keys()])].filter(
    (key) => !old.has(key) || !made.has(key) || !Object.is(old.get(key), made.get(key)),
  );
}
