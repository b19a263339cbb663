"use strict";
// Notes: what was dropped, damaged or not matched, what the page leaves out, and how it was made.

/** @param {PageSelection} selection */
function notesSection(selection) {
  const { runs, made } = selection.page;
  const groups = runs.flatMap((run) => runNotes(run, runs.length > 1));
  const redacted = made.redacted ? " Source, host, paths and arguments are left out." : "";
  const how = `Made with fittrace ${made.version} on ${made.when}.${redacted}`;
  const promise = "The page is one file: it loads nothing and keeps nothing.";
  return section("notes", "Notes", ...groups, element("p.quiet", {}, `${how} ${promise}`));
}

/**
 * @param {PageRun} run
 * @param {boolean} isNamed whether the name of the run is needed
 */
function runNotes(run, isNamed) {
  const notes = run.notes.map((note) => {
    const times = note.times > 1 ? ` (${count(note.times)} times)` : "";
    return element("li", {}, element("b", {}, note.kind), `: ${note.message}${times}`);
  });
  const limits = run.limits.map((limit) => element("li", {}, limit));
  const items = [...notes, ...limits];
  const none = element("p", {}, "Nothing was dropped or damaged, and the engine's source was matched.");
  return [
    isNamed ? element("h3", {}, run.name) : null,
    notes.length ? null : none,
    items.length ? element("ul.notes", {}, ...items) : null,
  ].filter((node) => node !== null);
}
