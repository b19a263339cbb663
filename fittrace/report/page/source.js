// The source of the engine as it ran: the functions by time, and the statements of one with visits, time and branches.

/** The event that asks the section for a place in the source: its `detail` is a `SourcePlace`. */
const SHOW_SOURCE = "fittrace:source";

/** @typedef {{file: string, line: number}} SourcePlace */

/**
 * Show a line of the engine's source, if the page has it, and scroll there.
 * @param {Element} section the source section
 * @param {SourcePlace} place
 */
function showSource(section, place) {
  section.dispatchEvent(new CustomEvent(SHOW_SOURCE, { detail: place }));
}

/**
 * @param {PageSelection} selection
 * @param {PageFit} fit
 * @returns {HTMLElement | null}
 */
function sourceSection(selection, fit) {
  const source = fit.source;
  if (!source?.functions.length) {
    return section(
      "source",
      "Source",
      element("p.quiet", {}, "No control flow was recorded: there is nothing to show."),
    );
  }
  const { functions } = source;
  const steps = stepsOf(fit);
  const list = functionList(functions, fit.duration_ns, (index) => show(index));
  const panel = element("div.function");
  let shown = -1;
  /** @type {RecordedStep | null} the step that the replay is at */
  let step = null;

  /** @param {number} index */
  function show(index) {
    if (index === shown) return;
    shown = index;
    panel.replaceChildren(functionTitle(functions[index]), statementTable(functions[index]));
    list.choose(index);
    mark();
  }

  /** Mark the line of the replay's step. */
  function mark() {
    list.mark(step?.function ?? null);
    for (const row of panel.querySelectorAll("[aria-current]")) row.removeAttribute("aria-current");
    if (step?.function !== shown) return;
    for (let line = step.line ?? 0; line <= (step.endLine ?? -1); line += 1) {
      panel.querySelector(`[data-line="${line}"]`)?.setAttribute("aria-current", "step");
    }
  }

  const made = section(
    "source",
    "Source",
    element(
      "p.quiet",
      {},
      "The functions of the engine that ran, and how each of their statements did. Times include what is called.",
    ),
    source.limit ? element("p", {}, source.limit) : null,
    element("div.source-parts", {}, list.element, panel),
  );
  made.addEventListener(SHOW_SOURCE, (event) => {
    const { file, line } = /** @type {CustomEvent<SourcePlace>} */ (event).detail;
    const index = functionAt(functions, file, line);
    if (index < 0) return;
    show(index);
    (panel.querySelector(`[data-line="${line}"]`) ?? panel).scrollIntoView({ block: "center" });
  });
  show(0);
  selection.follow((place) => {
    if (selection.fit !== fit || !steps) return;
    const index = place.step === null && place.ordinal === null ? null : steps.indexAt(place.ordinal, place.step);
    step = index === null ? null : steps.step(index);
    mark();
  });
  return made;
}

/**
 * The index of the innermost function that has a line of a file; -1 if the page has none.
 * @param {SourceFunction[]} functions
 * @param {string} file
 * @param {number} line
 */
function functionAt(functions, file, line) {
  let found = -1;
  functions.forEach((candidate, index) => {
    const last = candidate.statements[candidate.statements.length - 1].end_line;
    const holdsLine = candidate.first <= line && line <= last && [candidate.file, candidate.short_file].includes(file);
    if (holdsLine && (found < 0 || candidate.first > functions[found].first)) found = index;
  });
  return found;
}

/**
 * The functions as a list of buttons.
 * @param {SourceFunction[]} functions
 * @param {number} whole the time that shares are of
 * @param {(index: number) => void} choose
 */
function functionList(functions, whole, choose) {
  const buttons = functions.map((one, index) =>
    element(
      "button.function-choice",
      { type: "button", title: `${one.name}, ${one.short_file}`, onclick: () => choose(index) },
      element("span.function-name", {}, one.name),
      element("span.number", {}, one.duration_ns ? duration(one.duration_ns) : null),
      element("span.share", {
        "aria-hidden": "true",
        style: { "--share": String(Math.min(one.duration_ns / (whole || 1), 1)) },
      }),
    ),
  );
  /** @param {KeyboardEvent} event */
  const onkeydown = (event) => {
    const at = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const next = event.key === "ArrowDown" ? at + 1 : event.key === "ArrowUp" ? at - 1 : -1;
    if (at < 0 || !buttons[next]) return;
    event.preventDefault();
    buttons[next].focus();
  };
  const items = buttons.map((button) => element("li", {}, button));
  return {
    element: element("ul.functions", { "aria-label": "Functions, the slowest first", onkeydown }, ...items),
    /** @param {number} chosen */
    choose(chosen) {
      buttons.forEach((button, index) => void button.setAttribute("aria-pressed", String(index === chosen)));
    },
    /** @param {number | null} current the function that the replay is in */
    mark(current) {
      buttons.forEach((button, index) => void button.classList.toggle("has-step", index === current));
    },
  };
}

/** @param {SourceFunction} shown */
function functionTitle(shown) {
  const time = shown.duration_ns ? `, ${duration(shown.duration_ns)}` : "";
  const size = `${count(shown.statements.length)} statements${time}`;
  return element("h3", {}, shown.name, element("span.quiet", {}, ` ${shown.short_file}:${shown.first}, ${size}`));
}

/**
 * The lines of a function, with what is known of the statement that begins in each.
 * @param {SourceFunction} shown
 */
function statementTable(shown) {
  const statements = new Map(shown.statements.map((statement) => [statement.line, statement]));
  const ran = new Set(shown.statements.flatMap(({ line, end_line, visits }) => (visits ? range(line, end_line) : [])));
  // Without its source, a function shows the lines of its statements alone.
  const lines = shown.lines.length ? range(shown.first, shown.first + shown.lines.length - 1) : [...statements.keys()];
  const head = [
    element("th.number", { scope: "col" }, "Line"),
    element("th.number", { scope: "col" }, "Visits"),
    element("th.number", { scope: "col", title: "With what it calls; ^: in the time of the statement above" }, "Time"),
    element("th.number", { scope: "col", title: "Of the function's time" }, "Share"),
    element(
      "th",
      { scope: "col", title: "How often control went into the body of the branch or loop, and past it" },
      "Branch",
    ),
    element("th", { scope: "col" }, "Source"),
  ];
  const rows = lines.map((line) =>
    element(
      ran.has(line) ? "tr" : "tr.not-run",
      { "data-line": line },
      element("td.number.line-number", {}, line),
      ...statementCells(statements.get(line), shown.duration_ns),
      element("td.code", {}, ...codeOf(shown.lines[line - shown.first] ?? [])),
    ),
  );
  const caption = element("caption", {}, `The statements of ${shown.name}`);
  const table = element(
    "table.statements",
    {},
    caption,
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...rows),
  );
  return element(
    "div.scroll.statements-pane",
    { tabindex: 0, role: "region", "aria-label": `Source of ${shown.name}` },
    table,
  );
}

/**
 * Visits, time, share and branch of the statement that begins in a line.
 * @param {Statement | undefined} statement
 * @param {number} whole the time of the function
 */
function statementCells(statement, whole) {
  if (!statement?.visits) return [element("td"), element("td"), element("td"), element("td")];
  const { visits, duration_ns: ns, entered, passed } = statement;
  const part = ns === null || !whole ? 0 : ns / whole;
  return [
    element("td.number", {}, count(visits)),
    element("td.number.heat", { style: { "--share": String(part) } }, ns === null ? "^" : duration(ns)),
    element("td.number", {}, ns === null ? null : share(ns, whole)),
    element("td.branch", {}, entered + passed ? `${count(entered)} in, ${count(passed)} past` : null),
  ];
}

/**
 * A line of source as elements.
 * @param {[string, string][]} tokens
 */
function codeOf(tokens) {
  return tokens.map(([name, code]) => (name ? element(`span.code-${name}`, {}, code) : document.createTextNode(code)));
}

/**
 * The whole numbers from one to another, both included.
 * @param {number} first
 * @param {number} last
 */
function range(first, last) {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
