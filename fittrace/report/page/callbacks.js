"use strict";

/**
 * @param {Selection} selection
 * @param {PageFit} fit
 * @returns {HTMLElement | null}
 */
function callbacksSection(selection, fit) {
  return null;
}
