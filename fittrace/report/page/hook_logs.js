"use strict";
// The logs before and after each hook.

/** Keys of the logs that are shown at a hook. A hook may have hundreds. */
const MOST_LOG_KEYS = 12;

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
      isSame ? element("span.quiet", {}, "the same") : logsText(after, new Set(changedKeys(before, after))),
    ];
  });
  return tableOf(caption, columns, rows);
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
