"use strict";
// The strips of the logs: keys whose values are alike, by batch as lines and by epoch as points.

/** Colours of keys of the logs, by number. */
const KEY_COLOURS = ["function", "hooks", "to_dense", "slice", "logs", "good", "bad", "quiet"];

/**
 * Keys of the logs that share a strip, as their values are alike.
 * @typedef {{name: string, keys: string[], series: LogSeries[], epochKeys: string[], shown: boolean}} KeyGroup
 */

/**
 * The keys of the logs in groups: a key and its `val_`, and all keys with values from 0 to 1, such as accuracies.
 * @param {Timeline} timeline
 * @returns {KeyGroup[]}
 */
function keyGroups(timeline) {
  const keys = [...new Set([...timeline.logs.map((log) => log.key), ...timeline.epochs.keys])];
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const key of keys) {
    const plain = key.replace(/^val_/, "");
    const members = keys.filter((other) => other.replace(/^val_/, "") === plain);
    const isPart = !plain.endsWith("loss") && members.every((member) => isWithinOne(timeline, member));
    const name = isPart ? "from 0 to 1" : plain;
    groups.set(name, [...(groups.get(name) ?? []), key]);
  }
  return [...groups].map(([name, members], index) => ({
    name:
      members.length === 1
        ? members[0]
        : name === "from 0 to 1"
          ? members
              .filter((key) => !key.startsWith("val_"))
              .slice(0, 4)
              .join(", ")
          : name,
    keys: members,
    series: timeline.logs.filter((log) => members.includes(log.key)),
    epochKeys: timeline.epochs.keys.filter((key) => members.includes(key)),
    shown: index < 2,
  }));
}

/**
 * Whether all values of a key are from 0 to 1.
 * @param {Timeline} timeline
 * @param {string} key
 */
function isWithinOne(timeline, key) {
  const isWithin = (/** @type {number} */ value) => Number.isNaN(value) || (value >= 0 && value <= 1);
  const logs = timeline.logs.filter((log) => log.key === key);
  const column = timeline.epochs.values[timeline.epochs.keys.indexOf(key)];
  return (
    logs.every(
      ({ values }) => (values.least ?? values.mean).every(isWithin) && (values.most ?? values.mean).every(isWithin),
    ) &&
    (!column || column.every(isWithin))
  );
}

/**
 * The colour of a key. A key and its `val_` have the same one.
 * @param {KeyGroup} group
 * @param {string} key
 */
function keyColour(group, key) {
  const plain = [...new Set(group.keys.map((other) => other.replace(/^val_/, "")))];
  return KEY_COLOURS[plain.indexOf(key.replace(/^val_/, "")) % KEY_COLOURS.length];
}

/**
 * Least and greatest value in sight, with some space.
 * @param {{log: LogSeries, values: PieceValues}[]} lines
 * @param {[number, number][][]} points
 * @param {[number, number]} range
 * @returns {[number, number]}
 */
function keyBounds(lines, points, [from, to]) {
  let least = Infinity;
  let most = -Infinity;
  const include = (/** @type {number} */ value) => {
    if (!Number.isFinite(value)) return;
    least = Math.min(least, value);
    most = Math.max(most, value);
  };
  for (const { values } of lines) {
    values.least.forEach(include);
    values.most.forEach(include);
  }
  for (const [ordinal, value] of points.flat()) if (ordinal >= from && ordinal <= to) include(value);
  if (least > most) return [0, 1];
  const space = 0.08 * (most - least) || Math.abs(most) / 10 || 1;
  return [least - space, most + space];
}

/**
 * The strip of some keys.
 * @param {Timeline} timeline
 * @param {KeyGroup} group
 * @param {Piece[]} pieces
 * @param {[number, number]} range the ordinals in sight
 * @param {(canvas: Canvas) => void} drawGround draws what lies behind the values
 * @returns {StripContent}
 */
function keyStrip(timeline, group, pieces, range, drawGround) {
  const lines = group.series.map((log) => ({ log, values: valuesOf(log.values, pieces) }));
  const points = group.epochKeys.map((key) => epochPoints(timeline.epochs, key));
  const bounds = keyBounds(lines, points, range);
  return {
    height: 104,
    bounds: () => bounds,
    isLog: () => false,
    label: (value) => valueText(Number(value.toPrecision(6))),
    draw: (canvas) => {
      drawGround(canvas);
      for (const { log, values } of lines) {
        const stroke = colour(keyColour(group, log.key));
        drawKey(canvas, pieces, values, stroke, isValidation(log.key));
        for (const stretch of log.not_finite) drawNotFinite(canvas, log.key, stretch, range);
      }
      points.forEach((values, index) => {
        const key = group.epochKeys[index];
        drawEpochs(canvas, values, range, colour(keyColour(group, key)), isValidation(key));
      });
      canvas.text(group.name, canvas.left + 4, canvas.top, colour("quiet"));
    },
  };
}

/**
 * The position of the end of each epoch, and the value of a key there.
 * @param {EpochLogs} epochs
 * @param {string} key
 * @returns {[number, number][]}
 */
function epochPoints(epochs, key) {
  const column = epochs.values[epochs.keys.indexOf(key)];
  return epochs.ordinal.map((last, index) => [last + 1, column[index]]);
}

/** @param {string} key */
function isValidation(key) {
  return key.startsWith("val_");
}

/**
 * A line through the means, with least and most behind it.
 * @param {Canvas} canvas
 * @param {Piece[]} pieces
 * @param {PieceValues} values
 * @param {string} stroke
 * @param {boolean} isDashed
 */
function drawKey(canvas, pieces, values, stroke, isDashed) {
  /** @type {[number, number][]} */
  const middles = [];
  pieces.forEach((piece, index) => {
    const mean = values.mean[index];
    middles.push([canvas.x((piece.first + piece.until) / 2), Number.isFinite(mean) ? canvas.y(mean) : NaN]);
    if (!(values.most[index] > values.least[index])) return;
    const left = Math.round(canvas.x(piece.first));
    const right = Math.max(Math.round(canvas.x(piece.until)), left + 1);
    canvas.box(left, right, canvas.y(values.most[index]), canvas.y(values.least[index]), stroke, 0.25);
  });
  canvas.line(middles, stroke, isDashed ? [4, 3] : []);
  const known = middles.filter(([, y]) => Number.isFinite(y));
  if (known.length === 1) drawPoint(canvas, known[0], stroke, stroke);
}

/**
 * Marks batches whose value is NaN or infinite.
 * @param {Canvas} canvas
 * @param {string} key
 * @param {{first: number, until: number, value: number}} stretch
 * @param {[number, number]} range
 */
function drawNotFinite(canvas, key, { first, until, value }, [from, to]) {
  if (until + 1 < from || first > to) return;
  const left = canvas.x(Math.max(first, from));
  const right = Math.max(canvas.x(until + 1), left + 3 * canvas.ratio);
  canvas.box(left, right, canvas.top, canvas.bottom, colour("bad"), 0.15);
  canvas.box(left, right, canvas.top, canvas.top + 3 * canvas.ratio, colour("bad"));
  const text = `${key}: ${valueText(value)}`;
  canvas.text(text, left + 30 * canvas.ratio, canvas.top + 16 * canvas.ratio, colour("bad"));
}

/**
 * A point for each epoch.
 * @param {Canvas} canvas
 * @param {[number, number][]} points
 * @param {[number, number]} range
 * @param {string} stroke
 * @param {boolean} isHollow
 */
function drawEpochs(canvas, points, [from, to], stroke, isHollow) {
  const fill = isHollow ? colour("background") : stroke;
  for (const [ordinal, value] of points) {
    if (ordinal < from || ordinal > to || !Number.isFinite(value)) continue;
    drawPoint(canvas, [canvas.x(ordinal), canvas.y(value)], stroke, fill);
  }
}

/**
 * @param {Canvas} canvas
 * @param {[number, number]} point
 * @param {string} stroke
 * @param {string} fill
 */
function drawPoint({ context, ratio }, [x, y], stroke, fill) {
  context.lineWidth = 1.5 * ratio;
  context.strokeStyle = stroke;
  context.fillStyle = fill;
  context.beginPath();
  context.arc(x, y, 3 * ratio, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
}
