"use strict";
// One chart of the timeline: its axes, its cursor and its zoom. uPlot makes these; what it shows draws itself.

/** Width of the axis of values in pixels, the same for all strips, so that their batches stand one below the other. */
const AXIS_WIDTH = 64;
/** Space at the right, in pixels. */
const RIGHT_SPACE = 28;

/**
 * What a strip shows.
 *
 * - `height`: in pixels.
 * - `bounds`: least and greatest value of the axis.
 * - `isLog`: whether the axis is logarithmic.
 * - `label`: a value of the axis as text.
 * - `draw`: draws.
 * @typedef {{
 *   height: number, bounds: () => [number, number], isLog: () => boolean, label: (value: number) => string,
 *   draw: (canvas: Canvas) => void
 * }} StripContent
 */

/**
 * What the strip tells of the reader. Ordinals are not whole numbers.
 * @typedef {{
 *   hover: (ordinal: number | null) => void, select: () => void, zoom: (from: number, to: number) => void,
 *   whole: () => void
 * }} StripListener
 */

/** Where a strip is drawn. Positions are pixels of the canvas. */
class Canvas {
  /** @param {any} plot */
  constructor(plot) {
    /** @type {CanvasRenderingContext2D} */
    this.context = plot.ctx;
    this.plot = plot;
    this.left = plot.bbox.left;
    this.top = plot.bbox.top;
    this.right = plot.bbox.left + plot.bbox.width;
    this.bottom = plot.bbox.top + plot.bbox.height;
    /** How many of its pixels are one of the page. */
    this.ratio = devicePixelRatio;
  }

  /** @param {number} ordinal */
  x(ordinal) {
    return this.plot.valToPos(ordinal, "x", true);
  }

  /** @param {number} value is cut off at the bounds */
  y(value) {
    return Math.min(Math.max(this.plot.valToPos(value, "y", true), this.top), this.bottom);
  }

  /**
   * @param {number} left
   * @param {number} right
   * @param {number} top
   * @param {number} bottom
   * @param {string} fill
   * @param {number} [opacity]
   */
  box(left, right, top, bottom, fill, opacity = 1) {
    this.context.globalAlpha = opacity;
    this.context.fillStyle = fill;
    this.context.fillRect(left, top, right - left, bottom - top);
    this.context.globalAlpha = 1;
  }

  /**
   * A line through points. A point that is not finite is left out, and does not end the line.
   * @param {[number, number][]} points
   * @param {string} stroke
   * @param {number[]} [dash]
   */
  line(points, stroke, dash = []) {
    const { context } = this;
    context.strokeStyle = stroke;
    context.lineWidth = 1.5 * this.ratio;
    context.lineJoin = "round";
    context.setLineDash(dash.map((length) => length * this.ratio));
    context.beginPath();
    for (const [x, y] of points) if (Number.isFinite(y)) context.lineTo(x, y);
    context.stroke();
    context.setLineDash([]);
  }

  /**
   * @param {string} text
   * @param {number} x its middle
   * @param {number} y its top
   * @param {string} fill
   */
  text(text, x, y, fill) {
    const { context } = this;
    context.font = `${11 * this.ratio}px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "top";
    context.textAlign = "left";
    const width = context.measureText(text).width;
    const left = Math.min(Math.max(x - width / 2, this.left + 2), this.right - width);
    this.box(left - 3, left + width + 3, y, y + 14 * this.ratio, colour("background"), 0.8);
    context.fillStyle = fill;
    context.fillText(text, left, y + this.ratio);
    return [left, left + width];
  }
}

/**
 * A colour of the style sheet.
 * @param {string} name
 */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim() || "gray";
}

/** One chart of the timeline. */
class Strip {
  /**
   * @param {StripContent} content
   * @param {StripListener} listener
   * @param {[number, number]} range the ordinals that it shows
   * @param {boolean} hasAxis whether the ordinals stand below it
   * @param {number} width in pixels
   */
  constructor(content, listener, range, hasAxis, width) {
    this.node = element("div.strip");
    this.content = content;
    /** The batch under the cursor. @type {number | null} */
    this.cursor = null;
    this.isReady = false;
    /** @type {uPlot.Options} */
    const options = {
      width,
      height: content.height + (hasAxis ? 28 : 0),
      legend: { show: false },
      padding: [6, RIGHT_SPACE, hasAxis ? 0 : 6, 0],
      scales: {
        x: { time: false, range: () => range },
        y: { range: () => content.bounds(), distr: content.isLog() ? 3 : 1 },
      },
      series: [{}, { show: false, scale: "y" }],
      axes: [this.ordinalAxis(hasAxis), this.valueAxis()],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 5 },
        bind: {
          dblclick: () => () => {
            listener.whole();
            return null;
          },
        },
      },
      hooks: {
        ready: [() => this.whenReady()],
        draw: [(/** @type {any} */ plot) => this.draw(plot)],
        // Without an event, `setCursor` moved it.
        setCursor: [(/** @type {any} */ plot) => plot.cursor.event && listener.hover(this.ordinalAt(plot.cursor.left))],
        setSelect: [(/** @type {any} */ plot) => this.select(plot, listener)],
      },
    };
    this.plot = new uPlot(options, [range, [null, null]], this.node);
    // A drag ends with a click too.
    let pressed = 0;
    this.plot.over.addEventListener("mousedown", (/** @type {MouseEvent} */ event) => (pressed = event.clientX));
    this.plot.over.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      if (Math.abs(event.clientX - pressed) < 5) listener.select();
    });
  }

  /** @param {boolean} hasAxis */
  ordinalAxis(hasAxis) {
    const lines = { stroke: () => colour("line"), width: 1 };
    const values = (/** @type {any} */ _, /** @type {number[]} */ ordinals) =>
      ordinals.map((ordinal) => (Number.isInteger(ordinal) ? count(ordinal) : ""));
    return {
      show: hasAxis,
      stroke: () => colour("quiet"),
      grid: { show: false },
      ticks: lines,
      size: 28,
      values,
      font: axisFont(),
    };
  }

  valueAxis() {
    const lines = { stroke: () => colour("line"), width: 1 };
    const values = (/** @type {any} */ _, /** @type {number[]} */ marks) =>
      marks.map((mark) => (mark === null ? "" : this.content.label(mark)));
    return {
      stroke: () => colour("quiet"),
      grid: lines,
      ticks: { show: false },
      size: AXIS_WIDTH,
      space: 28,
      values,
      font: axisFont(),
    };
  }

  /** @param {any} plot */
  draw(plot) {
    const canvas = new Canvas(plot);
    canvas.context.save();
    canvas.context.beginPath();
    canvas.context.rect(canvas.left, canvas.top, canvas.right - canvas.left, canvas.bottom - canvas.top);
    canvas.context.clip();
    this.content.draw(canvas);
    canvas.context.restore();
  }

  /**
   * @param {any} plot
   * @param {StripListener} listener
   */
  select(plot, listener) {
    const { left, width } = plot.select;
    if (!width) return;
    const from = plot.posToVal(left, "x");
    const to = plot.posToVal(left + width, "x");
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    listener.zoom(from, to);
  }

  /** @param {number | null | undefined} left */
  ordinalAt(left) {
    return left === null || left === undefined || left < 0 ? null : this.plot.posToVal(left, "x");
  }

  /** uPlot has no scales before. */
  whenReady() {
    this.isReady = true;
    this.setCursor(this.cursor);
  }

  /** @param {number | null} ordinal */
  setCursor(ordinal) {
    this.cursor = ordinal;
    if (!this.isReady) return;
    const left = ordinal === null ? -10 : this.plot.valToPos(ordinal + 0.5, "x");
    this.plot.setCursor({ left, top: ordinal === null ? -10 : 1 }, false);
  }

  destroy() {
    this.plot.destroy();
  }
}

function axisFont() {
  return `11px ${getComputedStyle(document.body).fontFamily}`;
}
