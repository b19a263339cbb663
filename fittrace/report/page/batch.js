"use strict";
// One batch: its spans as nested bars, the time before it, and the logs before and after each hook.

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
        : batchContent(fit, place.ordinal)),
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
 * The batches that took the most time, without the time before each, the slowest first. They are among those that the
 * page has one by one.
 * @param {Timeline} timeline
 */
function slowestBatches(timeline) {
  const between = timeline.phases.find(({ name }) => name === "between");
  /** @type {[number, number][]} */
  const times = [];
  const add = (/** @type {"mean" | "window"} */ source, /** @type {number} */ index, /** @type {number} */ ordinal) => {
    times.push([ordinal, timeline.total[source][index] - (between?.[source][index] ?? 0)]);
  };
  if (timeline.every === 1) {
    timeline.total.mean.forEach((_, ordinal) => {
      add("mean", ordinal, ordinal);
    });
  }
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
 * @param {PageFit} fit
 * @param {number} ordinal
 */
function batchContent(fit, ordinal) {
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
  const group = `${batchName(timeline, piece.first)} to ${batchName(timeline, piece.until - 1)}`;
  const said = single
    ? "The page has the times of this batch, but not its spans."
    : `The page sums this batch up with ${count(size - 1)} others: ${group}.`;
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
  const indices = [];
  for (let index = 0; index < spans.ordinal.length; index++) {
    if (spans.ordinal[index] === ordinal && spans.inside[index] === inside) indices.push(index);
  }
  return indices;
}
