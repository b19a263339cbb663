"use strict";
// The strip of times: the time of each batch, stacked by phase.

/** A value that is so many times the usual ones is cut off, so that they can be seen. */
const OUTLIER = 4;
/** How many values of what is cut off are written. */
const MOST_PEAKS = 8;
/** Width of such a text in pixels. */
const PEAK_WIDTH = 68;

/**
 * A series of times: its colour, and its time after the last batch.
 * @typedef {{colour: string, series: Series, after: number}} TimeSeries
 */

/**
 * The times in sight, by piece.
 *
 * - `edges`: the ordinals at which each piece begins and ends.
 * - `shown`, `values`: the series, and their values.
 * - `range`: least and most of all of them together; null where that is not known.
 * - `peaks`: the greatest value that is known.
 * - `bounds`: least and greatest value of the axis.
 * @typedef {{
 *   edges: [number, number][], shown: TimeSeries[], values: PieceValues[], range: PieceValues | null, peaks: number[],
 *   bounds: [number, number]
 * }} TimesInSight
 */

/**
 * The times of some pieces. One more piece stands for the time after the last batch.
 * @param {Piece[]} pieces
 * @param {TimeSeries[]} shown
 * @param {TimeSeries | null} total the sum of the series, if they have one with least and most
 * @param {[number, number] | null} end where the time after the last batch is drawn; null if it is not in sight
 * @param {boolean} isLog
 * @returns {TimesInSight}
 */
function timesInSight(pieces, shown, total, end, isLog) {
  /** @type {[number, number][]} */
  const edges = pieces.map((piece) => [piece.first, piece.until]);
  if (end) edges.push(end);
  const values = shown.map((times) => withEnd(valuesOf(times.series, pieces), end !== null, times.after));
  const range = total && withEnd(valuesOf(total.series, pieces), end !== null, total.after);
  const tops = edges.map((_, index) => values.reduce((sum, { mean }) => sum + (mean[index] || 0), 0));
  const peaks = tops.map((top, index) => Math.max(top, range?.most[index] || 0));
  const bounds = isLog ? logBounds(values, peaks) : linearBounds(tops, peaks);
  return { edges, shown, values, range, peaks, bounds };
}

/**
 * @param {number[]} tops
 * @param {number[]} peaks
 * @returns {[number, number]}
 */
function linearBounds(tops, peaks) {
  const highest = peaks.reduce((most, peak) => Math.max(most, peak), 0) || 1;
  const isPositive = (/** @type {number} */ time) => time > 0;
  const usual = Math.max(quantile(tops.filter(isPositive), 0.95), quantile(peaks.filter(isPositive), 0.5) / 1.2);
  return [0, highest > OUTLIER * usual ? 1.5 * usual : 1.08 * highest];
}

/**
 * @param {PieceValues[]} values
 * @param {number[]} peaks
 * @returns {[number, number]}
 */
function logBounds(values, peaks) {
  const highest = peaks.reduce((most, peak) => Math.max(most, peak), 0) || 1;
  const positive = values.flatMap(({ mean }) => Array.from(mean).filter((value) => value > 0));
  return [Math.max((quantile(positive, 0.02) || 1) / 2, highest / 1e7), highest * 1.2];
}

/**
 * @param {Canvas} canvas
 * @param {TimesInSight} times
 */
function drawStacked(canvas, { edges, shown, values, range, peaks, bounds }) {
  const base = edges.map(() => 0);
  const gap = canvas.x(1) - canvas.x(0) > 5 * canvas.ratio ? canvas.ratio : 0;
  // Whole pixels, as neighbours that share one would be seen as stripes.
  const left = edges.map(([first]) => Math.round(canvas.x(first)));
  const right = edges.map(([, until], index) => Math.max(Math.round(canvas.x(until)) - gap, left[index] + 1));
  shown.forEach((times, number) => {
    const fill = colour(times.colour);
    edges.forEach((_, index) => {
      const value = values[number].mean[index];
      if (!(value > 0)) return;
      canvas.box(left[index], right[index], canvas.y(base[index] + value), canvas.y(base[index]), fill);
      base[index] += value;
    });
  });
  const ink = colour("text");
  edges.forEach((_, index) => {
    if (!range || !(range.most[index] > range.mean[index])) return;
    canvas.box(left[index], right[index], canvas.y(range.most[index]), canvas.y(base[index]), ink, 0.15);
    const least = canvas.y(range.least[index]);
    canvas.box(left[index], right[index], least - canvas.ratio / 2, least + canvas.ratio / 2, ink, 0.5);
  });
  drawPeaks(canvas, edges, peaks, bounds[1]);
}

/**
 * Writes the greatest values of what is cut off.
 * @param {Canvas} canvas
 * @param {[number, number][]} edges
 * @param {number[]} peaks
 * @param {number} bound
 */
function drawPeaks(canvas, edges, peaks, bound) {
  const cut = peaks.map((_, index) => index).filter((index) => peaks[index] > bound);
  cut.sort((one, other) => peaks[other] - peaks[one]);
  /** @type {number[]} */
  const written = [];
  for (const index of cut) {
    const middle = (canvas.x(edges[index][0]) + canvas.x(edges[index][1])) / 2;
    if (written.some((other) => Math.abs(other - middle) < PEAK_WIDTH * canvas.ratio)) continue;
    canvas.text(`${duration(peaks[index])} ↑`, middle, canvas.top + 2 * canvas.ratio, colour("text"));
    if (written.push(middle) === MOST_PEAKS) return;
  }
}

/**
 * A line for each series, as heights on a logarithmic axis cannot be added.
 * @param {Canvas} canvas
 * @param {TimesInSight} times
 */
function drawLines(canvas, { edges, shown, values }) {
  shown.forEach((times, number) => {
    /** @type {[number, number][]} */
    const points = [];
    edges.forEach(([first, until], index) => {
      const value = values[number].mean[index];
      const y = value > 0 ? canvas.y(value) : NaN;
      points.push([canvas.x(first), y], [canvas.x(until), y]);
    });
    canvas.line(points, colour(times.colour));
  });
}

/**
 * Values with one more, for the time after the last batch.
 * @param {PieceValues} values
 * @param {boolean} hasEnd
 * @param {number} after
 * @returns {PieceValues}
 */
function withEnd(values, hasEnd, after) {
  if (!hasEnd) return values;
  const append = (/** @type {Float64Array} */ array) => Float64Array.of(...array, after);
  return { least: append(values.least), mean: append(values.mean), most: append(values.most) };
}
