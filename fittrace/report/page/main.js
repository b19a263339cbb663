"use strict";
// Starts the page: unpacks the data, and puts the sections together.

/** @returns {Promise<void>} */
async function start() {
  const page = element("div");
  const root = document.getElementById("page") ?? document.body;
  try {
    const data = await unpack(document.getElementById("data")?.textContent ?? "");
    const selection = new Selection(data);
    const main = element("main", { id: "main", tabindex: -1 }, ...sectionsOf(selection));
    page.append(skipLink(main), pageHeader(selection, main), main);
    root.replaceChildren(page);
    root.dataset.ready = "yes";
  } catch (error) {
    root.replaceChildren(element("p.failure", { role: "alert" }, String(error instanceof Error ? error.message : error)));
    throw error;
  }
}

/**
 * The sections, from top to bottom. Those of one fit are made anew when another fit is chosen.
 * @param {Selection} selection
 */
function sectionsOf(selection) {
  const ofFit = element("div", { id: "fit" });
  selection.follow((place, before) => {
    if (ofFit.childElementCount && place.run === before.run && place.fit === before.fit) return;
    const fit = selection.fit;
    ofFit.replaceChildren(...(fit ? fitSections(selection, fit) : []));
  });
  return [overviewSection(selection), ofFit, notesSection(selection)];
}

/**
 * @param {Selection} selection
 * @param {PageFit} fit
 */
function fitSections(selection, fit) {
  return [
    timelineSection(selection, fit),
    batchSection(selection, fit),
    callbacksSection(selection, fit),
    sourceSection(selection, fit),
    replaySection(selection, fit),
    opsSection(selection, fit),
  ].filter((section) => section !== null);
}

start();
