"use strict";

/**
 * @param {Selection} selection
 * @param {PageFit} fit
 * @returns {HTMLElement | null}
 */
function opsSection(selection, fit) {
  return null;
}
