"use strict";
// Unpacks the page's data. `fittrace/report/packing.py` describes the format.

/**
 * The document that an element of the page holds.
 * @param {string} packed base64 of gzip
 * @returns {Promise<PageDocument>}
 */
async function unpack(packed) {
  if (typeof DecompressionStream === "undefined") {
    throw new Error(
      "This browser cannot unpack the page: it has no DecompressionStream. Open it in a current browser.",
    );
  }
  const compressed = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const whole = await new Response(stream).arrayBuffer();
  const size = new DataView(whole).getUint32(0, true);
  const text = new TextDecoder().decode(new Uint8Array(whole, 4, size));
  const begin = 4 + size;
  return JSON.parse(text, (_, value) => {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value.$array)) return typedArray(whole, begin, value.$array);
    if (typeof value.$number === "string") return Number(value.$number);
    return value;
  });
}

/** @type {{[name: string]: any}} */
const ARRAY_TYPES = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
};

/**
 * @param {ArrayBuffer} buffer
 * @param {number} begin
 * @param {[string, number, number]} place type, offset in bytes and length
 */
function typedArray(buffer, begin, [type, offset, length]) {
  return new ARRAY_TYPES[type](buffer, begin + offset, length);
}
