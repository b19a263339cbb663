"use strict";

/**
 * @param {PageSelection} selection
 * @param {PageFit} fit
 * @returns {HTMLElement | null}
 */
function replaySection(selection, fit) {
  return null;
}
