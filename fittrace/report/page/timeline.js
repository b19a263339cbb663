"use strict";

/**
 * @param {Selection} selection
 * @param {PageFit} fit
 * @returns {HTMLElement | null}
 */
function timelineSection(selection, fit) {
  return null;
}
