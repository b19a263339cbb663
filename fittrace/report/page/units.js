"use strict";
// Numbers as text, as `fittrace/analysis/units.py` writes them.

/** @type {[number, string][]} */
const TIME_UNITS = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "µs"],
  [1, "ns"],
];

/**
 * A duration in a fitting unit, with three significant digits.
 * @param {number | null | undefined} ns
 */
function duration(ns) {
  if (ns === null || ns === undefined || Number.isNaN(ns)) return "–";
  const sign = ns < 0 ? "-" : "";
  const size = Math.abs(ns);
  const seconds = Math.round(size / 1e9);
  if (seconds >= 3600)
    return `${sign}${count(Math.floor(seconds / 3600))} h ${twoDigits(Math.floor((seconds % 3600) / 60))} min`;
  if (seconds >= 100) return `${sign}${Math.floor(seconds / 60)} min ${twoDigits(seconds % 60)} s`;
  for (const [unit, symbol] of TIME_UNITS)
    if (size >= 0.9995 * unit) return `${sign}${threeDigits(size / unit)} ${symbol}`;
  return size === 0 ? "0 ns" : `${sign}${threeDigits(size)} ns`;
}

/** @param {number} number */
function threeDigits(number) {
  const text = number.toFixed(number < 9.995 ? 2 : number < 99.95 ? 1 : 0);
  return Number.isInteger(Number(text)) ? String(Number(text)) : text;
}

/** @param {number} number */
function twoDigits(number) {
  return String(number).padStart(2, "0");
}

/**
 * A part of a whole in percent.
 * @param {number} part
 * @param {number} whole
 */
function share(part, whole) {
  return whole ? `${((100 * part) / whole).toFixed(1)} %` : "–";
}

/**
 * A number with thousands separators.
 * @param {number} number
 */
function count(number) {
  return number.toLocaleString("en-US");
}

/**
 * A count with its noun, singular or plural.
 * @param {number} number
 * @param {string} singular
 * @param {string} plural
 */
function amount(number, singular, plural) {
  return `${count(number)} ${number === 1 ? singular : plural}`;
}

/**
 * A value of logs.
 * @param {number | string | boolean} value
 */
function valueText(value) {
  if (typeof value !== "number") return String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? String(value) : String(Number(value.toPrecision(6)));
}
