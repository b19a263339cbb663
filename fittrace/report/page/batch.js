"use strict";
// One batch: its spans as nested bars, the time before it, and the logs before and after each hook.

/** Keys of the logs that are shown at a hook. A hook may have hundreds. */
const MOST_LOG_KEYS = 12;

/** Statuses of spans by number. */
const STATUSES = ["ok", "error", "unfinished"];

/**
 * @param {PageSelection} selection
 * @param {PageFit} fit
 * @returns {HTMLElement | null}
 */
function batchSection(selection, fit) {
    if (!fit.timeline.batches) return null;
    const content = element("div");
    const number = selection.place.fit;
    selection.follow((place, before) => {
        if (place.fit !== number) return;
        if (content.childElementCount && place.ordinal === before.ordinal) return;
        content.replaceChildren(
            ...(place.ordinal === null
                ? [element("p.quiet", {}, "Click a batch in the timeline, or choose one here.")]
                : batchContent(selection, fit, place.ordinal)),
        );
    });
    return section(
        "batch",
        "One batch",
        batchButtons(selection, fit),
        content,
        ...fit.details.limits.map((limit) => element("p.quiet", {}, limit)),
    );
}

/**
 * Buttons that lead to other batches.
 * @param {PageSelection} selection
 * @param {PageFit} fit
 */
function batchButtons(selection, fit) {
    const { timeline } = fit;
    const go = (/** @type {number} */ ordinal) =>
        selection.set({ ordinal: Math.min(Math.max(ordinal, 0), timeline.batches - 1) });
    const at = () => selection.place.ordinal;
    const slowest = slowestBatches(timeline);
    return element(
        "div.buttons",
        {},
        button("← Previous", "The batch before", () => go((at() ?? 0) - 1)),
        button("Next →", "The batch after", () => go((at() ?? -1) + 1)),
        button("First", "The first batch of the fit", () => go(0)),
        button("Slowest", "The slowest batch", () => go(slowest[0])),
        slowest.length > 1
            ? button("Next slowest", "The slowest batch after this one", () =>
                  go(slowest[(slowest.indexOf(at() ?? -1) + 1) % slowest.length]),
              )
            : null,
    );
}

/**
 * The batches that took the most time, without the time before each, the slowest first: of those in the page one by one.
 * @param {Timeline} timeline
 */
function slowestBatches(timeline) {
    const between = timeline.phases.find(({ name }) => name === "between");
    /** @type {[number, number][]} */
    const times = [];
    const add = (/** @type {"mean" | "window"} */ source, /** @type {number} */ index, /** @type {number} */ ordinal) =>
        times.push([ordinal, timeline.total[source][index] - (between?.[source][index] ?? 0)]);
    if (timeline.every === 1) timeline.total.mean.forEach((_, ordinal) => add("mean", ordinal, ordinal));
    const offsets = windowOffsets(timeline);
    timeline.windows.forEach(([first, last], number) => {
        for (let ordinal = first; ordinal <= last; ordinal++) add("window", offsets[number] + ordinal - first, ordinal);
    });
    return times
        .sort((one, other) => other[1] - one[1])
        .slice(0, 32)
        .map(([ordinal]) => ordinal);
}

/**
 * @param {PageSelection} selection
 * @param {PageFit} fit
 * @param {number} ordinal
 */
function batchContent(selection, fit, ordinal) {
    const { timeline, details: spans } = fit;
    const piece = pieceAt(timeline, ordinal);
    const heading = element("h3", {}, batchName(timeline, ordinal));
    if (!spans.windows.some(([first, last]) => first <= ordinal && ordinal <= last)) {
        return [heading, ...batchSummary(timeline, piece)];
    }
    const before = spansOf(spans, ordinal, 0);
    const inside = spansOf(spans, ordinal, 1);
    const begin = inside.length ? spans.start[inside[0]] : 0;
    const length = inside.length ? spans.duration[inside[0]] : 0;
    const total = piece ? valuesOf(timeline.total, [piece]).mean[0] : NaN;
    const isKnown = piece !== null && isSingle(timeline, piece);
    const facts = element("p.facts", {}, `${duration(length)}, ${duration(begin)} after the fit's start`);
    const chart = inside.length
        ? spanChart(spans, inside, [begin, begin + length], "The batch")
        : element("p.quiet", {}, "Its spans were not recorded.");
    const parts = [heading, facts, chart, hookLogs(spans, inside, "Logs before and after each hook of the batch")];
    if (before.length) {
        const start = isKnown
            ? begin - Math.max(total - length, 0)
            : Math.min(...before.map((index) => spans.start[index]));
        parts.splice(2, 0, collapsed(spans, before, [start, begin], `Before it: ${duration(begin - start)}`));
    }
    if (ordinal === timeline.batches - 1) {
        const after = spansOf(spans, ordinal + 1, 0);
        if (after.length) {
            const end = begin + length;
            parts.push(
                collapsed(
                    spans,
                    after,
                    [end, end + timeline.after_ns],
                    `After it, to the end of the fit: ${duration(timeline.after_ns)}`,
                ),
            );
        }
    }
    return parts;
}

/**
 * A part of the time that is not in a batch.
 * @param {BatchDetails} spans
 * @param {number[]} indices
 * @param {[number, number]} range
 * @param {string} summary
 */
function collapsed(spans, indices, range, summary) {
    const names = [
        ...new Set(indices.filter((index) => spans.hook[index] < 0).map((index) => spans.names[spans.name[index]])),
    ];
    const some = names.slice(0, 3).join(", ") + (names.length > 3 ? ", …" : "");
    return details(`${summary}${some ? ` (${some})` : ""}`, () => {
        const logs = hookLogs(spans, indices, "Logs before and after each hook");
        return element("div", {}, spanChart(spans, indices, range, summary), logs);
    });
}

/**
 * What is known of a batch whose spans are not in the page.
 * @param {Timeline} timeline
 * @param {Piece | null} piece
 */
function batchSummary(timeline, piece) {
    if (!piece) return [];
    const single = isSingle(timeline, piece);
    const size = piece.until - piece.first;
    const said = single
        ? "The page has the times of this batch, but not its spans."
        : `The page has this batch only in sum, with ${count(size - 1)} others of its group: ${batchName(timeline, piece.first)} to ${batchName(timeline, piece.until - 1)}.`;
    const all = [...timeline.phases, timeline.total];
    const rows = all.map((series) => {
        const { least, mean, most } = valuesOf(series, [piece]);
        return [series.name, ...(single ? [mean] : [least, mean, most]).map(([value]) => duration(value))];
    });
    const columns = [
        { name: "phase" },
        ...(single ? ["time"] : ["least", "mean", "most"]).map((name) => ({ name, number: true })),
    ];
    return [
        element("p", {}, said),
        tableOf(single ? "Its time by phase" : "Time per batch by phase, in this group", columns, rows),
    ];
}

/**
 * The spans of a batch, or of the time before it, in order of start.
 * @param {BatchDetails} spans
 * @param {number} ordinal
 * @param {0 | 1} inside
 */
function spansOf(spans, ordinal, inside) {
    let low = 0;
    let high = spans.ordinal.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (spans.ordinal[middle] < ordinal) low = middle + 1;
        else high = middle;
    }
    const indices = [];
    for (let index = low; index < spans.ordinal.length && spans.ordinal[index] === ordinal; index++) {
        if (spans.inside[index] === inside) indices.push(index);
    }
    return indices;
}

/** Colours of the phases that are not in a batch. @type {{[phase: string]: string}} */
const OUTER_COLOURS = {
    make_batches: "slice",
    validation: "between",
    evaluate: "between",
    epoch: "between",
    fit: "between",
    predict: "between",
    batch: "other",
};

/**
 * Spans as nested bars, those of each thread together. A bar that is chosen fills the width.
 * @param {BatchDetails} spans
 * @param {number[]} indices
 * @param {[number, number]} range
 * @param {string} label
 */
function spanChart(spans, indices, range, label) {
    const depths = depthsOf(spans, indices);
    const told = element(
        "p.told",
        { "aria-live": "polite" },
        "Point at a bar, or move with the arrow keys. A click or Enter widens it, Esc shows all.",
    );
    const bars = element("div.bars", { role: "tree", "aria-label": label });
    let shown = range;
    let current = 0;
    /** @type {Map<number, HTMLElement>} */
    const nodes = new Map();

    const widen = (/** @type {number | null} */ index) => {
        shown =
            index === null
                ? range
                : [
                      Math.max(spans.start[index], range[0]),
                      Math.min(spans.start[index] + Math.max(spans.duration[index], 1), range[1]),
                  ];
        place();
    };
    const place = () => {
        const width = Math.max(shown[1] - shown[0], 1);
        for (const [index, node] of nodes) {
            const begin = Math.max(spans.start[index], shown[0]);
            const end = Math.min(spans.start[index] + spans.duration[index], shown[1]);
            node.hidden = end < begin || (spans.start[index] >= shown[1] && index !== indices[0]);
            node.style.setProperty("left", `${(100 * (begin - shown[0])) / width}%`);
            node.style.setProperty("width", `${(100 * (end - begin)) / width}%`);
            node.classList.toggle("cut", spans.start[index] + spans.duration[index] > shown[1] + 1);
        }
    };
    const focus = (/** @type {number | undefined} */ position) => {
        if (position === undefined || position < 0 || position >= indices.length) return;
        nodes.get(indices[current])?.setAttribute("tabindex", "-1");
        current = position;
        const node = nodes.get(indices[current]);
        if (node?.hidden) widen(null);
        node?.setAttribute("tabindex", "0");
        node?.focus();
    };
    bars.addEventListener("keydown", (event) => {
        const index = indices[current];
        const isSibling = (/** @type {number} */ other) =>
            spans.parent[other] === spans.parent[index] && depths.get(other) === depths.get(index);
        /** @type {{[key: string]: () => void}} */
        const actions = {
            ArrowRight: () => focus(indices.findIndex((other, position) => position > current && isSibling(other))),
            ArrowLeft: () => focus(indices.findLastIndex((other, position) => position < current && isSibling(other))),
            ArrowDown: () => focus(indices.findIndex((other) => spans.parent[other] === index)),
            ArrowUp: () => focus(indices.indexOf(spans.parent[index])),
            Home: () => focus(0),
            End: () => focus(indices.length - 1),
            Enter: () => widen(index),
            " ": () => widen(index),
            Escape: () => widen(null),
        };
        if (!actions[event.key]) return;
        event.preventDefault();
        actions[event.key]();
    });

    const threads = [...new Set(indices.map((index) => spans.thread[index]))];
    for (const thread of threads) {
        const own = indices.filter((index) => spans.thread[index] === thread);
        const rows = Math.max(...own.map((index) => depths.get(index) ?? 0)) + 1;
        const group = element("div.thread", { role: "none", style: { "--rows": String(rows) } });
        for (const index of own) {
            const text = spanText(spans, index, range);
            const phase = spans.phases[spans.phase[index]];
            const node = element(
                `div.bar.${STATUSES[spans.status[index]]}`,
                {
                    role: "treeitem",
                    tabindex: index === indices[0] ? 0 : -1,
                    "aria-level": (depths.get(index) ?? 0) + 1,
                    "aria-label": text,
                    style: {
                        "--depth": String(depths.get(index)),
                        "--bar": `var(--${OUTER_COLOURS[phase] ?? phase}, var(--other))`,
                    },
                    onmouseenter: () => (told.textContent = text),
                    onfocus: () => (told.textContent = text),
                    onclick: () => (focus(indices.indexOf(index)), widen(index)),
                },
                element("span", {}, `${spans.names[spans.name[index]]} ${duration(spans.duration[index])}`),
            );
            nodes.set(index, node);
            group.append(node);
        }
        if (threads.length > 1) bars.append(element("p.quiet", { role: "none" }, spans.threads[thread]));
        bars.append(group);
    }
    place();
    const table = details("Table of these spans", () => spanTable(spans, indices, depths, range, label));
    return element("div.spans", {}, bars, told, table);
}

/**
 * How many of the spans are around each.
 * @param {BatchDetails} spans
 * @param {number[]} indices in order of start, so that a parent comes before its children
 */
function depthsOf(spans, indices) {
    /** @type {Map<number, number>} */
    const depths = new Map();
    for (const index of indices) {
        const parent = depths.get(spans.parent[index]);
        const isOnThread = parent !== undefined && spans.thread[spans.parent[index]] === spans.thread[index];
        depths.set(index, isOnThread ? parent + 1 : 0);
    }
    return depths;
}

/**
 * All that is known of a span, in one line.
 * @param {BatchDetails} spans
 * @param {number} index
 * @param {[number, number]} range
 */
function spanText(spans, index, [begin, end]) {
    const hook = spans.hooks[spans.hook[index]];
    const words = [
        spans.names[spans.name[index]],
        `phase ${spans.phases[spans.phase[index]]}`,
        duration(spans.duration[index]),
        spans.start[index] + spans.duration[index] <= end + 1
            ? `${share(spans.duration[index], end - begin)} of this time`
            : "goes on after this time",
        `begins at ${duration(spans.start[index] - begin)}`,
    ];
    if (hook) words.push(`callback ${hook.position} of the list`);
    if (spans.status[index]) words.push(STATUSES[spans.status[index]]);
    return words.join(" · ");
}

/**
 * @param {BatchDetails} spans
 * @param {number[]} indices
 * @param {Map<number, number>} depths
 * @param {[number, number]} range
 * @param {string} label
 */
function spanTable(spans, indices, depths, [begin], label) {
    const columns = [
        { name: "span" },
        { name: "phase" },
        { name: "begins", number: true },
        { name: "duration", number: true },
        { name: "thread" },
        { name: "status" },
    ];
    const rows = indices.map((index) => [
        element("span.indented", { style: { "--depth": String(depths.get(index)) } }, spans.names[spans.name[index]]),
        spans.phases[spans.phase[index]],
        duration(spans.start[index] - begin),
        duration(spans.duration[index]),
        spans.threads[spans.thread[index]],
        STATUSES[spans.status[index]],
    ]);
    return tableOf(`Spans: ${label}`, columns, rows);
}

/**
 * The logs before and after each hook of a callback. Null if no hook has logs.
 * @param {BatchDetails} spans
 * @param {number[]} indices
 * @param {string} caption
 */
function hookLogs(spans, indices, caption) {
    const hooks = indices.filter((index) => spans.hook[index] >= 0);
    const withLogs = hooks.filter(
        (index) => spans.logs[spans.before[index]]?.length || spans.logs[spans.after[index]]?.length,
    );
    if (!withLogs.length)
        return element("p.quiet", {}, hooks.length ? "The hooks got no logs." : "No hook of a callback ran in it.");
    const columns = [{ name: "hook" }, { name: "time", number: true }, { name: "logs before" }, { name: "logs after" }];
    const rows = withLogs.map((index) => {
        const before = spans.logs[spans.before[index]];
        const after = spans.logs[spans.after[index]];
        const isSame = spans.before[index] === spans.after[index];
        return [
            spans.names[spans.name[index]],
            duration(spans.duration[index]),
            logsText(before, new Set()),
            isSame ? element("span.quiet", {}, "the same") : logsText(after, changedKeys(before, after)),
        ];
    });
    return tableOf(caption, columns, rows);
}

/**
 * The keys that were added, altered or removed.
 * @param {[string, number | string][]} before
 * @param {[string, number | string][]} after
 */
function changedKeys(before, after) {
    const old = new Map(before);
    const changed = after
        .filter(([key, value]) => !old.has(key) || !Object.is(old.get(key), value))
        .map(([key]) => key);
    const kept = new Set(after.map(([key]) => key));
    return new Set([...changed, ...before.map(([key]) => key).filter((key) => !kept.has(key))]);
}

/**
 * Logs as text, the changed keys first and marked.
 * @param {[string, number | string][]} logs
 * @param {Set<string>} changed
 */
function logsText(logs, changed) {
    const own = new Set(logs.map(([key]) => key));
    const ordered = [...logs.filter(([key]) => changed.has(key)), ...logs.filter(([key]) => !changed.has(key))];
    const items = ordered.slice(0, Math.max(MOST_LOG_KEYS, changed.size)).map(([key, value]) => {
        const text = `${key} ${valueText(value)}`;
        return changed.has(key) ? element("mark", {}, text) : element("span", {}, text);
    });
    for (const key of changed) if (!own.has(key)) items.unshift(element("mark", {}, `${key} removed`));
    if (ordered.length > items.length)
        items.push(element("span.quiet", {}, `and ${count(ordered.length - items.length)} more`));
    return items.length ? element("span.logs", {}, ...items) : element("span.quiet", {}, "none");
}
