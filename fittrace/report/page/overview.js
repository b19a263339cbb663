"use strict";
// The head of the page, and what happened in the run: the facts, where the time went, the findings.

/** @param {Selection} selection */
function pageHeader(selection) {
  return element("header", {}, element("h1", {}, selection.page.title));
}

/** @param {Selection} selection */
function overviewSection(selection) {
  return section("overview", "What happened");
}
