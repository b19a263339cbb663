"use strict";
// The timeline: the time of each batch by phase, and the logs, with one cursor over all strips.

/** Batches beside a finding or an error that `show` keeps in sight. */
const NEIGHBOURS = 20;

/**
 * @param {PageSelection} selection
 * @param {PageFit} fit
 * @returns {HTMLElement | null}
 */
function timelineSection(selection, fit) {
  if (!fit.timeline.batches)
    return section("timeline", "Timeline", element("p.quiet", {}, "No batches were recorded."));
  return new TimelineView(selection, fit).node;
}

/** The timeline of one fit. */
class TimelineView {
  /**
   * @param {PageSelection} selection
   * @param {PageFit} fit
   */
  constructor(selection, fit) {
    this.selection = selection;
    this.timeline = fit.timeline;
    this.ownStage = ownStage(fit);
    /** One more than the batches, if there is time after the last one. */
    this.end = this.timeline.batches + (this.timeline.after_ns > 0 ? 1 : 0);
    /** The ordinals that are shown. @type {[number, number]} */
    this.range = [0, this.end];
    /** The batch under the cursor. @type {number | null} */
    this.cursor = null;
    /** Phases that are not shown. @type {Set<string>} */
    this.hidden = new Set();
    this.isLog = false;
    this.width = 0;
    /** The pieces in sight. @type {Piece[]} */
    this.pieces = [];
    /** @type {LegendEntry[]} */
    this.entries = [];
    /** @type {Strip[]} */
    this.strips = [];
    this.groups = keyGroups(this.timeline);
    this.marks = allMarks(selection, this.timeline);
    const number = selection.place.fit;

    this.lane = element("div.marks");
    this.charts = element("div.charts", {
      tabindex: 0,
      role: "slider",
      "aria-label": "Batch under the cursor",
      "aria-valuemin": 0,
      "aria-valuemax": this.timeline.batches - 1,
      "aria-describedby": "timeline-keys",
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.onKey(event),
      onfocus: () => this.cursor === null && this.moveTo(selection.place.ordinal ?? this.range[0]),
      onmouseleave: () => this.moveTo(selection.place.ordinal),
    });
    this.legend = element("div.legend");
    this.readout = element("p.readout");
    this.rows = element("div");
    this.logButton = button("Log scale", "The axis of times as logarithms", () => this.setLog(!this.isLog));
    this.node = section(
      "timeline",
      "Timeline",
      element("div.toolbar", {}, this.readout, this.toolbar()),
      this.legend,
      markLegend(
        this.marks,
        this.timeline.runs.some((run) => run.stage !== this.ownStage),
      ),
      this.lane,
      this.charts,
      element(
        "p.quiet.hint",
        { id: "timeline-keys" },
        "Drag to zoom; double-click or Esc shows the whole fit. Keys: ← → move by a batch, Page Up and Page Down " +
          "further, + and − zoom, Enter opens the batch.",
      ),
      this.groups.length > 1 ? this.keyChooser() : null,
      details("Table of the timeline", () => this.tables()),
      ...this.timeline.limits.map((limit) => element("p.quiet", {}, limit)),
    );
    new ResizeObserver(() => this.resize()).observe(this.charts);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.rebuild());
    selection.follow((place, before) => {
      if (place.fit !== number) return;
      if (place.ordinal !== before.ordinal && place.ordinal !== null) this.show(place.ordinal);
      if (place.ordinal !== before.ordinal || place.hook !== before.hook) this.rebuild();
    });
    this.cursor = selection.place.ordinal;
  }

  // What is shown ---------------------------------------------------------------------------------------------------

  chosenHook() {
    const { hook } = this.selection.place;
    return hook === null ? null : (this.timeline.hooks[hook] ?? null);
  }

  /** The series of the legend of times. @returns {TimeSeries[]} */
  timeSeries() {
    const hook = this.chosenHook();
    if (hook) return [{ colour: "hooks", series: hook.times, after: hook.after_ns }];
    return this.timeline.phases.map((series) => ({
      colour: series.name,
      series,
      after: series.name === "between" ? this.timeline.after_ns : 0,
    }));
  }

  shownGroups() {
    return this.groups.filter((group) => group.shown);
  }

  /** The pieces in sight have as many batches that each is a pixel wide at least. */
  prepare() {
    const { timeline, hidden } = this;
    const [from, to] = this.range;
    const unit = powerOfTwo((to - from) / Math.max(this.plotWidth(), 100));
    this.pieces = piecesOf(timeline, from, to, unit);
    const all = this.timeSeries();
    const shown = all.filter(({ series }) => !hidden.has(series.name));
    const whole = { colour: "text", series: timeline.total, after: timeline.after_ns };
    const total = shown.length === 1 ? shown[0] : shown.length === timeline.phases.length ? whole : null;
    // The time after the last batch is as wide as a piece, so that it is seen.
    /** @type {[number, number] | null} */
    const end = to > timeline.batches ? [timeline.batches, timeline.batches + unit] : null;
    this.times = timesInSight(this.pieces, shown, total, end, this.isLog);
  }

  plotWidth() {
    return this.width - AXIS_WIDTH - RIGHT_SPACE;
  }

  // Building --------------------------------------------------------------------------------------------------------

  resize() {
    const width = Math.floor(this.charts.clientWidth);
    if (!width || width === this.width) return;
    this.width = width;
    this.rebuild();
  }

  rebuild() {
    if (!this.width) return;
    this.prepare();
    for (const strip of this.strips) strip.destroy();
    const drawGround = (/** @type {Canvas} */ canvas) => this.drawGround(canvas);
    const groups = this.shownGroups();
    const contents = [
      this.timeStrip(),
      ...groups.map((group) => keyStrip(this.timeline, group, this.pieces, this.range, drawGround)),
    ];
    const listener = {
      hover: (/** @type {number | null} */ ordinal) => ordinal !== null && this.moveTo(ordinal),
      select: () => this.choose(),
      zoom: (/** @type {number} */ from, /** @type {number} */ to) => this.zoom(from, to),
      whole: () => this.zoom(0, this.end),
    };
    this.strips = contents.map(
      (content, index) => new Strip(content, listener, this.range, index === contents.length - 1, this.width),
    );
    this.charts.replaceChildren(...this.strips.map((strip) => strip.node));
    this.charts.dataset.first = String(this.range[0]);
    this.charts.dataset.until = String(this.range[1]);
    this.fillLegend();
    this.fillLane();
    this.moveTo(this.cursor);
    if (this.rows.isConnected) this.rows.replaceChildren(this.table());
  }

  /** @returns {StripContent} */
  timeStrip() {
    return {
      height: 200,
      bounds: () => this.times?.bounds ?? [0, 1],
      isLog: () => this.isLog,
      label: duration,
      draw: (canvas) => {
        this.drawGround(canvas);
        if (this.times) (this.isLog ? drawLines : drawStacked)(canvas, this.times);
      },
    };
  }

  /**
   * What lies behind the values: validations, the beginnings of epochs, and the chosen batch.
   * @param {Canvas} canvas
   */
  drawGround(canvas) {
    const width = canvas.x(1) - canvas.x(0);
    for (const run of this.runsInSight()) {
      if (run.stage === this.ownStage || run.count * width < canvas.ratio) continue;
      canvas.box(canvas.x(run.first), canvas.x(run.first + run.count), canvas.top, canvas.bottom, colour("raised"));
    }
    const starts = this.epochStarts();
    const areApart = starts.length < 2 || (starts[1].first - starts[0].first) * width > 4 * canvas.ratio;
    for (const { first } of areApart ? starts : []) {
      canvas.box(canvas.x(first), canvas.x(first) + canvas.ratio, canvas.top, canvas.bottom, colour("line"));
    }
    const { ordinal } = this.selection.place;
    if (ordinal === null) return;
    const middle = canvas.x(ordinal + 0.5);
    const half = Math.max(width / 2 + canvas.ratio, 3 * canvas.ratio);
    canvas.box(middle - half, middle + half, canvas.top, canvas.bottom, colour("accent"), 0.3);
  }

  runsInSight() {
    const [from, to] = this.range;
    return this.timeline.runs.filter((run) => run.first < to && run.first + run.count > from);
  }

  /** The runs with which epochs begin. */
  epochStarts() {
    /** @type {BatchRun[]} */
    const starts = [];
    for (const run of this.runsInSight()) {
      if (run.epoch !== null && run.epoch !== starts[starts.length - 1]?.epoch) starts.push(run);
    }
    return starts;
  }

  /** Puts the epochs and the marks above the strips. */
  fillLane() {
    const [from, to] = this.range;
    const left = (/** @type {number} */ ordinal) =>
      AXIS_WIDTH + ((Math.max(ordinal, from) - from) / (to - from)) * this.plotWidth();
    const inSight = this.marks.filter(({ ordinal }) => ordinal >= from && ordinal < to);
    const nameOf = (/** @type {number} */ ordinal) => batchName(this.timeline, ordinal);
    const buttons = markButtons(inSight, left, nameOf, (ordinal) => this.open(ordinal));
    this.lane.replaceChildren(...epochLabels(this.epochStarts(), left), ...buttons);
  }

  // Legend, cursor and keys -----------------------------------------------------------------------------------------

  /** Makes the legend anew, with the values under the cursor. */
  fillLegend() {
    const hook = this.chosenHook();
    const times = this.timeSeries().map(({ colour: name, series, after }) => {
      const isShown = !this.hidden.has(series.name);
      const title = hook ? "Show all phases again" : series.title;
      const action = () => (hook ? this.selection.set({ hook: null }) : this.toggle(series.name));
      return legendOfTimes(name, series, after, title, isShown, action);
    });
    const keys = this.shownGroups().flatMap((group) => group.keys.map((key) => legendOfKey(this.timeline, group, key)));
    this.entries = [...times, ...keys];
    this.legend.replaceChildren(...this.entries.map(({ node }) => node));
  }

  /** @param {string} phase */
  toggle(phase) {
    if (!this.hidden.delete(phase)) this.hidden.add(phase);
    if (this.hidden.size === this.timeline.phases.length) this.hidden.clear();
    this.rebuild();
  }

  /** @param {boolean} isLog */
  setLog(isLog) {
    this.isLog = isLog;
    this.logButton.setAttribute("aria-pressed", String(isLog));
    this.rebuild();
  }

  /**
   * Moves the cursor, and shows the values under it.
   * @param {number | null} ordinal need not be whole
   */
  moveTo(ordinal) {
    this.cursor = ordinal === null ? null : Math.min(Math.max(Math.floor(ordinal), 0), this.end - 1);
    for (const strip of this.strips) strip.setCursor(this.cursor);
    const isEnd = this.cursor === this.timeline.batches;
    const piece = this.cursor === null || isEnd ? null : pieceAt(this.timeline, this.cursor);
    const text = this.readoutText(piece);
    this.readout.textContent = text;
    this.charts.setAttribute("aria-valuenow", String(Math.min(this.cursor ?? 0, this.timeline.batches - 1)));
    this.charts.setAttribute("aria-valuetext", text);
    for (const { value, textAt } of this.entries) value.textContent = piece || isEnd ? textAt(piece) : "";
  }

  /** @param {Piece | null} piece */
  readoutText(piece) {
    if (this.cursor === this.timeline.batches) return `After the last batch: ${duration(this.timeline.after_ns)}`;
    if (this.cursor === null || !piece) return `${count(this.timeline.batches)} batches`;
    const name = batchName(this.timeline, this.cursor);
    const { least, mean, most } = valuesOf(this.timeline.total, [piece]);
    if (isSingle(this.timeline, piece)) return `${name}: ${duration(mean[0])} with the time before it`;
    const times = `${duration(mean[0])} on average, ${duration(least[0])} to ${duration(most[0])}`;
    return `${name}, in a group of ${count(piece.until - piece.first)}: ${times}`;
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const page = Math.max(Math.round((this.range[1] - this.range[0]) / 10), 1);
    const at = this.cursor ?? this.range[0];
    /** @type {{[key: string]: () => void}} */
    const actions = {
      ArrowLeft: () => this.step(at - 1),
      ArrowRight: () => this.step(at + 1),
      PageUp: () => this.step(at - page),
      PageDown: () => this.step(at + page),
      Home: () => this.step(0),
      End: () => this.step(this.timeline.batches - 1),
      Enter: () => this.choose(),
      Escape: () => this.zoom(0, this.end),
      "+": () => this.zoomBy(0.5),
      "=": () => this.zoomBy(0.5),
      "-": () => this.zoomBy(2),
    };
    const action = event.ctrlKey || event.metaKey || event.altKey ? null : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  /**
   * Moves the cursor to a batch, and brings it into sight.
   * @param {number} ordinal
   */
  step(ordinal) {
    const next = Math.min(Math.max(ordinal, 0), this.end - 1);
    const [from, to] = this.range;
    const shift = next < from ? next - from : next + 1 > to ? next + 1 - to : 0;
    if (shift) this.zoom(from + shift, to + shift);
    this.moveTo(next);
  }

  choose() {
    if (this.cursor !== null) this.selection.set({ ordinal: Math.min(this.cursor, this.timeline.batches - 1) });
  }

  /**
   * Opens a batch, and keeps it and its neighbours in sight.
   * @param {number} ordinal
   */
  open(ordinal) {
    this.selection.set({ ordinal });
    this.moveTo(ordinal);
  }

  /** @param {number} ordinal */
  show(ordinal) {
    const [from, to] = this.range;
    this.cursor = ordinal;
    if (ordinal >= from && ordinal + 1 <= to) return;
    const width = Math.max(to - from, 2 * NEIGHBOURS);
    this.zoom(ordinal - width / 2, ordinal + width / 2);
  }

  /** @param {number} factor */
  zoomBy(factor) {
    const [from, to] = this.range;
    const middle =
      this.cursor !== null && this.cursor >= from && this.cursor < to ? this.cursor + 0.5 : (from + to) / 2;
    this.zoom(middle - (middle - from) * factor, middle + (to - middle) * factor);
  }

  /**
   * Shows the batches between two ordinals, three at least.
   * @param {number} from
   * @param {number} to
   */
  zoom(from, to) {
    const width = Math.min(Math.max(Math.round(to - from), 3), this.end);
    const first = Math.min(Math.max(Math.round(from), 0), this.end - width);
    this.range = [first, first + width];
    this.rebuild();
  }

  // Around the charts -----------------------------------------------------------------------------------------------

  toolbar() {
    this.logButton.setAttribute("aria-pressed", "false");
    return element(
      "div.buttons",
      {},
      this.logButton,
      button("+", "Zoom in", () => this.zoomBy(0.5)),
      button("−", "Zoom out", () => this.zoomBy(2)),
      button("Whole fit", "Show all batches", () => this.zoom(0, this.end)),
    );
  }

  /** Which keys of the logs are shown. */
  keyChooser() {
    const boxes = this.groups.map((group) => {
      const box = /** @type {HTMLInputElement} */ (
        element("input", {
          type: "checkbox",
          onchange: () => {
            group.shown = box.checked;
            this.rebuild();
          },
        })
      );
      box.checked = group.shown;
      return element("label", {}, box, ` ${group.keys.join(", ")}`);
    });
    return element("fieldset.keys", {}, element("legend", {}, "Logs"), ...boxes);
  }

  tables() {
    this.rows.replaceChildren(this.table());
    const linkTo = (/** @type {number} */ ordinal) => {
      const href = this.selection.addressOf({ ...this.selection.place, ordinal, step: null });
      return element("a", { href }, batchName(this.timeline, ordinal));
    };
    return element("div", {}, this.rows, this.marks.length ? markTable(this.marks, linkTo) : null);
  }

  table() {
    return timelineTable(this.timeline, this.range);
  }
}
