"use strict";
// Notes: what was dropped, damaged or not matched, and how the page was made.

/** @param {Selection} selection */
function notesSection(selection) {
  return section("notes", "Notes");
}
