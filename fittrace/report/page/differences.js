"use strict";
// Two runs side by side: what differs between them, and then each with its own sections.

/**
 * What differs between the runs A and B; null where the page shows one run.
 * @param {PageDocument} page
 */
function differencesSection(page) {
  const differences = page.differences;
  if (!differences) return null;
  const differing = differences.times.filter((time) => time.differs).length;
  const number = differences.found.length + differing;
  const names = page.runs.map((run, index) => `${"AB"[index]} is ${run.name}`).join(", ");
  return section(
    "differences",
    "What differs",
    element("p.verdict", {}, number ? amount(number, "difference", "differences") : "The runs are alike."),
    element("p.quiet", {}, `${names}. Fits are compared in the order in which they were called.`),
    differences.found.length ? foundTable(differences) : null,
    differences.times.length ? timesTable(differences, differing) : null,
  );
}

/** @param {Differences} differences */
function foundTable(differences) {
  const columns = [
    { name: "about", title: "what is compared: arguments, hooks, logs or control flow" },
    { name: "what", title: "how it differs" },
    { name: "where", title: "the fit, and the epoch and batch at which it is first seen" },
    { name: "difference" },
  ];
  const rows = differences.found.map((found) => [
    found.aspect,
    found.kind,
    [numbered("fit", found.fit), numbered("epoch", found.epoch), numbered("batch", found.batch)]
      .filter(Boolean)
      .join(", "),
    found.message,
  ]);
  return tableOf("Differences, the costliest first", columns, rows);
}

/**
 * @param {string} unit
 * @param {number | null} number
 */
function numbered(unit, number) {
  return number === null ? "" : `${unit} ${number}`;
}

/**
 * The times of both runs. Those that differ come first; the others are shown on demand.
 * @param {Differences} differences
 * @param {number} differing how many of them differ
 */
function timesTable(differences, differing) {
  const columns = [
    { name: "time of", title: "a phase, the hooks of a callback, or the first batch" },
    { name: "fit", number: true },
    { name: "count A", number: true },
    { name: "count B", number: true },
    { name: "total A", number: true },
    { name: "total B", number: true },
    { name: "median A", number: true },
    { name: "median B", number: true },
    { name: "B / A", number: true, title: "the median of B over that of A" },
    { name: "chance", number: true, title: "the factor by which B / A may be wrong by chance" },
    { name: "verdict", title: "whether the times differ by more than the tolerance and chance" },
  ];
  const rows = differences.times.map((time, index) => ({
    differs: time.differs,
    cells: [
      differences.time_names[index],
      time.fit,
      count(time.count_a),
      count(time.count_b),
      duration(time.total_a_ns),
      duration(time.total_b_ns),
      duration(time.median_a_ns),
      duration(time.median_b_ns),
      time.ratio.toFixed(2),
      time.noise === null ? "–" : `×÷ ${time.noise.toFixed(2)}`,
      time.differs ? "differs" : "alike",
    ],
  }));
  const differ = rows.filter((row) => row.differs).map((row) => row.cells);
  const alike = rows.filter((row) => !row.differs).map((row) => row.cells);
  const rest = `${amount(alike.length, "time that does", "times that do")} not differ`;
  return element(
    "div",
    {},
    differing ? tableOf("Times that differ", columns, differ) : null,
    alike.length ? details(rest, () => tableOf("Times that do not differ", columns, alike)) : null,
  );
}

/**
 * One of two runs, beside the other.
 * @param {PageSelection} selection
 * @param {Node[]} sections
 */
function sideOf(selection, sections) {
  const run = selection.run;
  const name = `${"AB"[run]}: ${selection.page.runs[selection.run].name}`;
  const side = element("div.side", { role: "group", "aria-label": name });
  side.append(element("h2.side-name", {}, name, " ", fitChoice(selection) ?? ""), ...sections);
  return side;
}

/** Attributes that hold the ids of elements. */
const ID_ATTRIBUTES = ["id", "for", "aria-labelledby", "aria-describedby", "aria-controls"];

/**
 * Sections with ids that no section of the other run has.
 * @param {PageSelection} selection of the run that the sections show
 * @param {HTMLElement[]} sections
 */
function withOwnIds(selection, sections) {
  if (!selection.prefix) return sections;
  for (const section of sections) {
    for (const found of [section, ...section.querySelectorAll("*")]) {
      for (const name of ID_ATTRIBUTES) {
        const value = found.getAttribute(name);
        if (value) found.setAttribute(name, selection.prefix + value);
      }
    }
  }
  return sections;
}
