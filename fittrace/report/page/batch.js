"use strict";

/**
 * @param {Selection} selection
 * @param {PageFit} fit
 * @returns {HTMLElement | null}
 */
function batchSection(selection, fit) {
  return null;
}
