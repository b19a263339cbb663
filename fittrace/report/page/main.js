"use strict";
// Starts the page: unpacks the data, and puts the sections together.

/** @returns {Promise<void>} */
async function start() {
  const page = element("div");
  const root = document.getElementById("page") ?? document.body;
  try {
    const data = await unpack(document.getElementById("data")?.textContent ?? "");
    const selections = data.runs.map((_, run) => new PageSelection(data, run));
    const main = element("main", { id: "main", tabindex: -1 }, ...contentOf(data, selections));
    page.append(skipLink(main), pageHeader(selections, main), main);
    root.replaceChildren(page);
    root.dataset.ready = "yes";
  } catch (error) {
    root.replaceChildren(
      element("p.failure", { role: "alert" }, String(error instanceof Error ? error.message : error)),
    );
    throw error;
  }
}

/**
 * The sections of one run; of two runs what differs, and their sections side by side.
 * @param {PageDocument} data
 * @param {PageSelection[]} selections one for each run
 */
function contentOf(data, selections) {
  const differences = differencesSection(data);
  if (!differences) return [...runSections(selections[0]), notesSection(selections[0])];
  const sides = selections.map((selection) => sideOf(selection, runSections(selection)));
  return [differences, element("div.sides", {}, ...sides), notesSection(selections[0])];
}

/**
 * The sections of a run, from top to bottom. Those of one fit are made anew when another fit is chosen.
 * @param {PageSelection} selection
 */
function runSections(selection) {
  const ofFit = element("div.fit");
  selection.follow((place, before) => {
    if (ofFit.childElementCount && place.fit === before.fit) return;
    const fit = selection.fit;
    ofFit.replaceChildren(...(fit ? withOwnIds(selection, fitSections(selection, fit)) : []));
  });
  const [overview, run] = withOwnIds(selection, [overviewSection(selection), runSection(selection)]);
  return [overview, ofFit, run];
}

/**
 * @param {PageSelection} selection
 * @param {PageFit} fit
 */
function fitSections(selection, fit) {
  return [
    timelineSection(selection, fit),
    batchSection(selection, fit),
    phasesSection(fit),
    callbacksSection(selection, fit),
    sourceSection(selection, fit),
    replaySection(selection, fit),
    opsSection(selection, fit),
  ].filter((section) => section !== null);
}

start();
