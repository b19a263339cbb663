"use strict";
// The timeline: the time of each batch by phase, and the logs, with one cursor over all strips.

/** Batches beside a finding or an error that `show` keeps in sight. */
const NEIGHBOURS = 20;
/** Rows of the table behind the charts. */
const MOST_ROWS = 200;
/** A value that is so many times the usual ones is cut off, so that they can be seen. */
const OUTLIER = 4;
/** Pixels between marks: less, and one hides the other. */
const MARK_SPACE = 20;

/** Signs of marks, the most important first, and what they stand for. @type {{[kind: string]: [string, string]}} */
const MARK_KINDS = {
    error: ["✕", "failed or cut off"],
    finding: ["!", "finding"],
    stop: ["■", "stop"],
    first: ["1", "first batch"],
    checkpoint: ["S", "weights saved"],
    retraced: ["R", "retraced"],
};

/** Colours of keys of the logs, by number. */
const KEY_COLOURS = ["function", "hooks", "to_dense", "slice", "logs", "good", "bad", "quiet"];

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
            this.markLegend(),
            this.lane,
            this.charts,
            element(
                "p.quiet.hint",
                { id: "timeline-keys" },
                "Drag to zoom, double-click or Esc for the whole fit. ← → move by a batch, Page Up and Down further, + − zoom, Enter opens the batch.",
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

    /** The series of the strip of times. @returns {{name: string, text: string, colour: string, series: Series, after: number}[]} */
    shownTimes() {
        const hook = this.chosenHook();
        if (hook)
            return [
                { name: "hooks", text: hook.times.name, colour: "hooks", series: hook.times, after: hook.after_ns },
            ];
        const phases = this.timeline.phases.filter((series) => !this.hidden.has(series.name));
        return phases.map((series) => ({
            name: series.name,
            text: series.name,
            colour: series.name,
            series,
            after: series.name === "between" ? this.timeline.after_ns : 0,
        }));
    }

    chosenHook() {
        const { hook } = this.selection.place;
        return hook === null ? null : (this.timeline.hooks[hook] ?? null);
    }

    /** The pieces in sight, and their values. One more piece stands for the time after the last batch. */
    prepare() {
        const [from, to] = this.range;
        const unit = powerOfTwo((to - from) / Math.max(this.width - AXIS_WIDTH - RIGHT_SPACE, 100));
        this.pieces = piecesOf(this.timeline, from, to, unit);
        const hasEnd = to > this.timeline.batches;
        const edges = this.pieces.map((piece) => [piece.first, piece.until]);
        // The time after the last batch is as wide as a piece, so that it is seen.
        if (hasEnd) edges.push([this.timeline.batches, Math.max(this.end, this.timeline.batches + unit)]);
        const shown = this.shownTimes();
        const values = shown.map(({ series, after }) => withEnd(valuesOf(series, this.pieces), hasEnd, after));
        const isWhole = !this.chosenHook() && !this.hidden.size;
        const band =
            shown.length === 1
                ? values[0]
                : isWhole
                  ? withEnd(valuesOf(this.timeline.total, this.pieces), hasEnd, this.timeline.after_ns)
                  : null;
        const tops = edges.map((_, index) => values.reduce((sum, { mean }) => sum + (mean[index] || 0), 0));
        const peaks = edges.map((_, index) => Math.max(tops[index], band ? band.most[index] || 0 : 0));
        this.times = { edges, shown, values, band, tops, peaks, bounds: this.timeBounds(values, tops, peaks) };
    }

    /**
     * @param {PieceValues[]} values
     * @param {number[]} tops
     * @param {number[]} peaks
     * @returns {[number, number]}
     */
    timeBounds(values, tops, peaks) {
        const highest = peaks.reduce((most, peak) => Math.max(most, peak), 0) || 1;
        if (this.isLog) {
            const positive = values.flatMap(({ mean }) => Array.from(mean).filter((value) => value > 0));
            return [Math.max((quantile(positive, 0.02) || 1) / 2, highest / 1e7), highest * 1.2];
        }
        const usual =
            quantile(
                tops.filter((top) => top > 0),
                0.95,
            ) || highest;
        return [0, highest > OUTLIER * usual ? 1.5 * usual : 1.08 * highest];
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
        const contents = [
            this.timeStrip(),
            ...this.groups.filter((group) => group.shown).map((group) => this.keyStrip(group)),
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
                if (this.isLog) this.drawTimeLines(canvas);
                else this.drawTimes(canvas);
                this.drawSelected(canvas);
            },
        };
    }

    /** @param {Canvas} canvas */
    drawTimes(canvas) {
        if (!this.times) return;
        const { edges, shown, values, band, peaks, bounds } = this.times;
        const base = edges.map(() => 0);
        const gap = canvas.x(1) - canvas.x(0) > 5 * canvas.ratio ? canvas.ratio : 0;
        shown.forEach(({ colour: name }, series) => {
            const fill = colour(name);
            edges.forEach(([first, until], index) => {
                const value = values[series].mean[index];
                if (!(value > 0)) return;
                const left = canvas.x(first);
                const right = Math.max(canvas.x(until) - gap, left + 0.75);
                canvas.box(left, right, canvas.y(base[index] + value), canvas.y(base[index]), fill);
                base[index] += value;
            });
        });
        if (band) {
            edges.forEach(([first, until], index) => {
                if (!(band.most[index] > band.mean[index])) return;
                canvas.box(
                    canvas.x(first),
                    canvas.x(until),
                    canvas.y(band.most[index]),
                    canvas.y(band.least[index]),
                    colour("text"),
                    0.18,
                );
            });
        }
        this.drawPeaks(canvas, edges, peaks, bounds[1]);
    }

    /**
     * Marks what is cut off, the highest with its value.
     * @param {Canvas} canvas
     * @param {number[][]} edges
     * @param {number[]} peaks
     * @param {number} bound
     */
    drawPeaks(canvas, edges, peaks, bound) {
        const cut = peaks.map((_, index) => index).filter((index) => peaks[index] > bound);
        cut.sort((one, other) => peaks[other] - peaks[one]);
        /** @type {number[][]} */
        const used = [];
        for (const index of cut.slice(0, 40)) {
            const middle = (canvas.x(edges[index][0]) + canvas.x(edges[index][1])) / 2;
            const half = 34 * canvas.ratio;
            if (used.some(([left, right]) => middle + half > left && middle - half < right)) continue;
            used.push(
                canvas.text(`${duration(peaks[index])} ↑`, middle, canvas.top + 2 * canvas.ratio, colour("text")),
            );
        }
    }

    /** @param {Canvas} canvas */
    drawTimeLines(canvas) {
        if (!this.times) return;
        const { edges, shown, values } = this.times;
        shown.forEach(({ colour: name }, series) => {
            /** @type {[number, number][]} */
            const points = [];
            edges.forEach(([first, until], index) => {
                const value = values[series].mean[index];
                const y = value > 0 ? canvas.y(value) : NaN;
                points.push([canvas.x(first), y], [canvas.x(until), y]);
            });
            canvas.line(points, colour(name));
        });
    }

    /**
     * The strip of some keys of the logs.
     * @param {KeyGroup} group
     * @returns {StripContent}
     */
    keyStrip(group) {
        const lines = group.series.map((log) => ({ log, values: valuesOf(log.values, this.pieces) }));
        const points = group.epochKeys.map((key) => this.epochPoints(key));
        const bounds = keyBounds(lines, points, this.range);
        return {
            height: 104,
            bounds: () => bounds,
            isLog: () => false,
            label: (value) => valueText(Number(value.toPrecision(6))),
            draw: (canvas) => {
                this.drawGround(canvas);
                for (const line of lines) this.drawKey(canvas, line.log, line.values);
                points.forEach((values, index) => this.drawEpochs(canvas, group.epochKeys[index], values));
                canvas.text(group.name, canvas.left + 4, canvas.top, colour("quiet"));
                this.drawSelected(canvas);
            },
        };
    }

    /**
     * @param {string} key
     * @returns {[number, number][]} the position of each epoch's end, and its value
     */
    epochPoints(key) {
        const { ordinal, keys, values } = this.timeline.epochs;
        const column = values[keys.indexOf(key)];
        return ordinal.map((last, index) => [last + 1, column[index]]);
    }

    /**
     * @param {Canvas} canvas
     * @param {LogSeries} log
     * @param {PieceValues} values
     */
    drawKey(canvas, log, values) {
        const stroke = colour(keyColour(this.groups, log.key));
        const pieces = this.pieces;
        pieces.forEach((piece, index) => {
            if (!(values.most[index] > values.least[index])) return;
            canvas.box(
                canvas.x(piece.first),
                canvas.x(piece.until),
                canvas.y(values.most[index]),
                canvas.y(values.least[index]),
                stroke,
                0.25,
            );
        });
        const middles = /** @type {[number, number][]} */ (
            pieces.map((piece, index) => [canvas.x((piece.first + piece.until) / 2), toY(canvas, values.mean[index])])
        );
        canvas.line(middles, stroke, log.key.startsWith("val_") ? [4, 3] : []);
        for (const { first, until, value } of log.not_finite) {
            if (until + 1 < this.range[0] || first > this.range[1]) continue;
            const left = canvas.x(Math.max(first, this.range[0]));
            const right = Math.max(canvas.x(until + 1), left + 3 * canvas.ratio);
            canvas.box(left, right, canvas.top, canvas.bottom, colour("bad"), 0.15);
            canvas.box(left, right, canvas.top, canvas.top + 3 * canvas.ratio, colour("bad"));
            canvas.text(
                `${log.key}: ${valueText(value)}`,
                left + 30 * canvas.ratio,
                canvas.top + 16 * canvas.ratio,
                colour("bad"),
            );
        }
    }

    /**
     * @param {Canvas} canvas
     * @param {string} key
     * @param {[number, number][]} points
     */
    drawEpochs(canvas, key, points) {
        const stroke = colour(keyColour(this.groups, key));
        const { context } = canvas;
        context.lineWidth = 1.5 * canvas.ratio;
        for (const [ordinal, value] of points) {
            if (ordinal < this.range[0] || ordinal > this.range[1] || !Number.isFinite(value)) continue;
            context.beginPath();
            context.arc(canvas.x(ordinal), canvas.y(value), 3 * canvas.ratio, 0, 2 * Math.PI);
            context.fillStyle = key.startsWith("val_") ? colour("background") : stroke;
            context.strokeStyle = stroke;
            context.fill();
            context.stroke();
        }
    }

    /**
     * What lies behind the values: validations, and the beginnings of epochs.
     * @param {Canvas} canvas
     */
    drawGround(canvas) {
        const own = this.timeline.runs[0]?.stage;
        const width = canvas.x(1) - canvas.x(0);
        for (const run of this.runsInSight()) {
            const left = canvas.x(run.first);
            if (run.stage !== own && run.count * width > canvas.ratio) {
                canvas.box(left, canvas.x(run.first + run.count), canvas.top, canvas.bottom, colour("raised"));
            }
        }
        const starts = this.epochStarts();
        if (starts.length > 1 && (starts[1].first - starts[0].first) * width < 4 * canvas.ratio) return;
        for (const { first } of starts)
            canvas.box(canvas.x(first), canvas.x(first) + canvas.ratio, canvas.top, canvas.bottom, colour("line"));
    }

    /** @param {Canvas} canvas */
    drawSelected(canvas) {
        const { ordinal } = this.selection.place;
        if (ordinal === null) return;
        const left = canvas.x(ordinal);
        const right = Math.max(canvas.x(ordinal + 1), left + 2 * canvas.ratio);
        canvas.box(left, right, canvas.top, canvas.bottom, colour("accent"), 0.25);
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

    // Marks -----------------------------------------------------------------------------------------------------------

    /** Puts the marks and the epochs above the strips. */
    fillLane() {
        const [from, to] = this.range;
        const width = this.width - AXIS_WIDTH - RIGHT_SPACE;
        const left = (/** @type {number} */ ordinal) => ((ordinal - from) / (to - from)) * width;
        const kinds = Object.keys(MARK_KINDS);
        const inSight = this.marks.filter(({ ordinal }) => ordinal >= from && ordinal < to);
        inSight.sort((one, other) => kinds.indexOf(one.kind) - kinds.indexOf(other.kind));
        /** @type {{at: number, marks: PageMark[]}[]} */
        const clusters = [];
        for (const mark of inSight) {
            const at = left(mark.ordinal + 0.5);
            const near = clusters.find((cluster) => Math.abs(cluster.at - at) < MARK_SPACE);
            if (near) near.marks.push(mark);
            else clusters.push({ at, marks: [mark] });
        }
        clusters.sort((one, other) => one.at - other.at);
        let labelled = -Infinity;
        /** @type {HTMLElement[]} */
        const epochs = [];
        for (const run of this.epochStarts()) {
            const at = left(Math.max(run.first, from));
            if (at - labelled < (epochs.length ? 28 : 0)) continue;
            epochs.push(
                element(
                    "span.epoch",
                    { style: { left: `${AXIS_WIDTH + at}px` } },
                    epochs.length ? String(run.epoch) : `epoch ${run.epoch}`,
                ),
            );
            labelled = epochs.length === 1 ? at + 36 : at;
        }
        const buttons = clusters.map(({ at, marks }) => {
            const [first] = marks;
            const title = marks.slice(0, 12).map(({ ordinal, label }) => `${this.batchText(ordinal)}: ${label}`);
            if (marks.length > 12) title.push(`and ${marks.length - 12} more`);
            const attributes = {
                type: "button",
                title: title.join("\n"),
                "aria-label": title.join("; "),
                style: { left: `${AXIS_WIDTH + at}px` },
            };
            return element(
                `button.mark.${first.kind}`,
                { ...attributes, onclick: () => this.open(first.ordinal) },
                MARK_KINDS[first.kind][0],
            );
        });
        this.lane.replaceChildren(...epochs, ...buttons);
    }

    markLegend() {
        const kinds = Object.keys(MARK_KINDS).filter((kind) => this.marks.some((mark) => mark.kind === kind));
        const stages = new Set(this.timeline.runs.map((run) => run.stage));
        const items = kinds.map((kind) =>
            element(
                "span",
                {},
                element(`span.mark.${kind}`, { "aria-hidden": "true" }, MARK_KINDS[kind][0]),
                ` ${MARK_KINDS[kind][1]}`,
            ),
        );
        if (stages.size > 1)
            items.push(element("span", {}, element("span.shade", { "aria-hidden": "true" }), " validation"));
        return element("div.mark-legend.quiet", {}, ...items);
    }

    // Legend, cursor and keys -----------------------------------------------------------------------------------------

    fillLegend() {
        const hook = this.chosenHook();
        const buttons = hook
            ? [
                  legendButton("hooks", hook.times.name, "Show all phases again", true, () =>
                      this.selection.set({ hook: null }),
                  ),
              ]
            : this.timeline.phases.map((series) =>
                  legendButton(series.name, series.name, series.title, !this.hidden.has(series.name), () =>
                      this.toggle(series.name),
                  ),
              );
        const keys = this.groups
            .filter((group) => group.shown)
            .flatMap((group) => group.keys)
            .map((key) =>
                element(
                    "span.item",
                    {},
                    element("span.line", {
                        style: {
                            "border-color": `var(--${keyColour(this.groups, key)})`,
                            "border-top-style": key.startsWith("val_") ? "dashed" : "solid",
                        },
                    }),
                    element("span.name", {}, key),
                    element("span.value", {}),
                ),
            );
        this.legend.replaceChildren(...buttons, ...keys);
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
        const piece = this.cursor === null ? null : pieceAt(this.timeline, this.cursor);
        const text = this.readoutText(piece);
        this.readout.textContent = text;
        this.charts.setAttribute("aria-valuenow", String(Math.min(this.cursor ?? 0, this.timeline.batches - 1)));
        this.charts.setAttribute("aria-valuetext", text);
        const isEnd = this.cursor === this.timeline.batches;
        const texts = [
            ...(this.chosenHook()
                ? this.shownTimes()
                : this.timeline.phases.map((series) => ({
                      series,
                      after: series.name === "between" ? this.timeline.after_ns : 0,
                  }))
            ).map(({ series, after }) =>
                isEnd ? duration(after) : piece ? duration(valuesOf(series, [piece]).mean[0]) : "",
            ),
            ...this.groups
                .filter((group) => group.shown)
                .flatMap((group) => group.keys)
                .map((key) => (piece ? this.keyValue(key, piece) : "")),
        ];
        this.legend.querySelectorAll(".value").forEach((value, index) => (value.textContent = texts[index] ?? ""));
    }

    /**
     * The value of a key under the cursor: at the batch, else at the end of its epoch.
     * @param {string} key
     * @param {Piece} piece
     */
    keyValue(key, piece) {
        const log = this.timeline.logs.find((series) => series.key === key);
        const bad = log?.not_finite.find(({ first, until }) => first < piece.until && until >= piece.first);
        const value = log ? valuesOf(log.values, [piece]).mean[0] : NaN;
        if (!Number.isNaN(value)) return valueText(value);
        if (bad) return valueText(bad.value);
        const { ordinal, keys, values } = this.timeline.epochs;
        const epoch = keys.includes(key) ? ordinal.findIndex((last) => last >= piece.first) : -1;
        return epoch < 0 || Number.isNaN(values[keys.indexOf(key)][epoch])
            ? "–"
            : valueText(values[keys.indexOf(key)][epoch]);
    }

    /** @param {Piece | null} piece */
    readoutText(piece) {
        if (this.cursor === this.timeline.batches) return `After the last batch: ${duration(this.timeline.after_ns)}`;
        if (this.cursor === null || !piece) return `${count(this.timeline.batches)} batches`;
        const { least, mean, most } = valuesOf(this.timeline.total, [piece]);
        if (isSingle(this.timeline, piece))
            return `${this.batchText(this.cursor)}: ${duration(mean[0])} with the time before it`;
        const times = `${duration(mean[0])} on average, ${duration(least[0])} to ${duration(most[0])}`;
        return `${this.batchText(this.cursor)}, in a group of ${count(this.timeline.every)}: ${times}`;
    }

    /** @param {number} ordinal */
    batchText(ordinal) {
        return batchName(this.timeline, ordinal);
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
                element("input", { type: "checkbox", onchange: () => ((group.shown = box.checked), this.rebuild()) })
            );
            box.checked = group.shown;
            return element("label", {}, box, ` ${group.keys.join(", ")}`);
        });
        return element("fieldset.keys", {}, element("legend", {}, "Logs"), ...boxes);
    }

    tables() {
        this.rows.replaceChildren(this.table());
        const marks = this.marks.map(({ ordinal, kind, label }) => [
            element(
                "a",
                { href: this.selection.addressOf({ ...this.selection.place, ordinal, step: null }) },
                this.batchText(ordinal),
            ),
            MARK_KINDS[kind][1],
            label,
        ]);
        const table = marks.length
            ? tableOf("What happened at batches", [{ name: "batch" }, { name: "mark" }, { name: "what" }], marks)
            : null;
        return element("div", {}, this.rows, table);
    }

    /** The values in sight as a table. */
    table() {
        const [from, to] = this.range;
        const pieces = piecesOf(this.timeline, from, to, powerOfTwo((to - from) / MOST_ROWS)).slice(0, 2 * MOST_ROWS);
        const times = this.timeline.phases.map((series) => valuesOf(series, pieces).mean);
        const total = valuesOf(this.timeline.total, pieces);
        const columns = [
            { name: "batches" },
            ...this.timeline.phases.map(({ name, title }) => ({ name, title, number: true })),
        ];
        columns.push(
            ...["least", "mean", "most"].map((name) => ({
                name,
                title: `${name} time of a batch and before it`,
                number: true,
            })),
        );
        columns.push(...this.timeline.logs.map(({ key }) => ({ name: key, title: "mean", number: true })));
        const rows = pieces.map((piece, index) => [
            piece.until - piece.first === 1
                ? this.batchText(piece.first)
                : `${this.batchText(piece.first)}, and ${count(piece.until - piece.first - 1)} more`,
            ...times.map((values) => duration(values[index])),
            ...[total.least, total.mean, total.most].map((values) => duration(values[index])),
            ...this.timeline.logs.map(({ key }) => this.keyValue(key, piece)),
        ]);
        return tableOf("Mean time per batch by phase, of the batches in sight", columns, rows);
    }
}

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
        if (number === fit && ordinal !== null)
            findings.push({ kind: "finding", ordinal, label: `${rule}: ${message}` });
    }
    return [...timeline.marks, ...findings].sort((one, other) => one.ordinal - other.ordinal);
}

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
            ({ values }) =>
                (values.least ?? values.mean).every(isWithin) && (values.most ?? values.mean).every(isWithin),
        ) &&
        (!column || column.every(isWithin))
    );
}

/**
 * The colour of a key. A key and its `val_` have the same one.
 * @param {KeyGroup[]} groups
 * @param {string} key
 */
function keyColour(groups, key) {
    const group = groups.find(({ keys }) => keys.includes(key));
    const plain = [...new Set(group?.keys.map((other) => other.replace(/^val_/, "")))];
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

/**
 * @param {Canvas} canvas
 * @param {number} value
 */
function toY(canvas, value) {
    return Number.isFinite(value) ? canvas.y(value) : NaN;
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

/**
 * A part of a legend, with the value under the cursor, that shows or hides a series.
 * @param {string} colourName
 * @param {string} name
 * @param {string} title
 * @param {boolean} isShown
 * @param {() => void} action
 */
function legendButton(colourName, name, title, isShown, action) {
    const swatch = element("span.swatch", { style: { background: `var(--${colourName})` } });
    return element(
        "button.item",
        { type: "button", title, "aria-pressed": String(isShown), onclick: action },
        swatch,
        element("span.name", {}, name),
        element("span.value", {}),
    );
}
