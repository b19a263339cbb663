"use strict";

/**
 * @param {PageSelection} selection
 * @param {PageFit} fit
 * @returns {HTMLElement | null}
 */
function sourceSection(selection, fit) {
  return null;
}
