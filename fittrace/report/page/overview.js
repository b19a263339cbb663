"use strict";
// The head of the page, and what happened in the run: where the time went, the findings, the phases and the facts.

/** Phases with a smaller share of the fit are shown on demand. */
const LEAST_SHARE_SHOWN = 0.005;

// The head ----------------------------------------------------------------------------------------------------------

/**
 * The first link of the page. It leads keyboards past the head.
 * @param {HTMLElement} main
 */
function skipLink(main) {
  return element(
    "a.skip",
    { href: "#main", onclick: (/** @type {Event} */ event) => goTo(main, event) },
    "Skip to the content",
  );
}

/**
 * The head of the page: its title, how each run ended, the choice of a fit, and links to the sections.
 * @param {PageSelection[]} selections one for each run
 * @param {HTMLElement} main holds the sections
 */
function pageHeader(selections, main) {
  const { title, runs } = selections[0].page;
  const links = element("nav", { "aria-label": "Sections" });
  for (const selection of selections) {
    selection.follow((place, before) => {
      if (links.childElementCount && place.fit === before.fit) return;
      links.replaceChildren(...sectionLinks(main));
    });
  }
  const choice = runs.length === 1 ? fitChoice(selections[0]) : null;
  return element("header", {}, element("h1", { title }, title), ...runs.map(endingBadge), choice, links);
}

/**
 * A link to each section of the page. A click leaves the address as it is: that names what the reader looks at.
 * @param {HTMLElement} main
 */
function sectionLinks(main) {
  // The second of two runs has the same sections as the first.
  return [...main.querySelectorAll("section[id]:not(.side + .side *)")].map((section) => {
    const heading = section.querySelector("h2")?.textContent ?? section.id;
    return element(
      "a",
      { href: `#${section.id}`, onclick: (/** @type {Event} */ event) => goTo(section, event) },
      heading,
    );
  });
}

/**
 * Scroll to an element, and give it the focus.
 * @param {Element | null} target
 * @param {Event} [event] what is then done with
 */
function goTo(target, event) {
  event?.preventDefault();
  if (!(target instanceof HTMLElement)) return;
  if (target.tabIndex < 0) target.tabIndex = -1;
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: "start" });
}

/** @param {PageRun} run */
function endingBadge(run) {
  const state = run.ok === null ? "open" : run.ok ? "good" : "bad";
  return element(`span.badge.${state}`, { title: `How ${run.name} ended` }, run.ending);
}

/**
 * A choice of a run's fits that are shown in full; null if there is only one.
 * @param {PageSelection} selection
 */
function fitChoice(selection) {
  const fits = selection.page.runs[selection.run].fits;
  if (fits.length < 2) return null;
  const select = /** @type {HTMLSelectElement} */ (element("select", { "aria-label": "Fit" }));
  fits.forEach((fit, index) => {
    select.append(element("option", { value: index }, `${fit.name}, ${duration(fit.duration_ns)}`));
  });
  select.addEventListener("change", () => selection.set({ fit: Number(select.value) }));
  selection.follow((place) => (select.value = String(place.fit)));
  return select;
}

// What happened -----------------------------------------------------------------------------------------------------

/** @param {PageSelection} selection */
function overviewSection(selection) {
  const content = element("div");
  selection.follow((place, before) => {
    if (content.childElementCount && place.fit === before.fit) return;
    const run = selection.page.runs[selection.run];
    const fit = selection.fit;
    content.replaceChildren(
      ...(fit
        ? fitOverview(fit)
        : [element("p.verdict", {}, "No fit, evaluate or predict was called: there is nothing to show.")]),
      ...findingsPart(selection, run),
      ...(run.all_fits.length ? [allFitsTable(run.all_fits)] : []),
    );
  });
  return section("overview", "What happened", content);
}

/** @param {PageFit} fit */
function fitOverview(fit) {
  const facts = [
    fit.name,
    `${fit.engine} ${fit.engine_version}`.trim(),
    fit.epochs ? amount(fit.epochs, "epoch", "epochs") : null,
    amount(fit.batches, "batch", "batches"),
    duration(fit.duration_ns),
    fit.stopped,
    fit.called,
  ];
  const failure = [fit.status === "ok" ? null : fit.status, fit.error].filter((text) => text !== null).join(": ");
  return [
    element("p.quiet", {}, facts.filter((text) => text).join(" · ")),
    failure ? element("p.failure", {}, failure, fit.stood ? ` – ${fit.stood}` : null) : null,
    element("p.verdict", {}, ...withBoldShares(fit.verdict)),
    fit.next_step ? element("p.next-step", {}, `Next step: ${fit.next_step}.`) : null,
    ...partsBar(fit),
    fit.remarks.length ? element("ul.remarks", {}, ...fit.remarks.map((remark) => element("li", {}, remark))) : null,
  ].filter((node) => node !== null);
}

/**
 * A sentence with its shares of the fit in bold.
 * @param {string} sentence
 */
function withBoldShares(sentence) {
  return sentence
    .split(/(\d+ %(?= of (?:the fit|evaluate|predict)| to ))/)
    .map((text, index) => (index % 2 ? element("b", {}, text) : text));
}

/**
 * The parts of a fit's time as one bar, with a legend and a table.
 * @param {PageFit} fit
 */
function partsBar(fit) {
  const whole = fit.parts.reduce((sum, part) => sum + part.ns, 0);
  if (!whole) return [];
  const words = fit.parts.map((part) => `${part.label} ${share(part.ns, whole)}`);
  const bar = element("div.parts", { role: "img", "aria-label": `The time of the fit: ${words.join(", ")}` });
  for (const part of fit.parts) {
    const title = `${part.label}: ${duration(part.ns)}, ${share(part.ns, whole)}\n${part.title}`;
    bar.append(element(`span.colour-${part.key}`, { title, style: { "flex-grow": part.ns / whole } }));
  }
  const legend = fit.parts.map((part) =>
    element(
      "li",
      { title: part.title },
      element(`span.swatch.colour-${part.key}`),
      `${part.label} `,
      element("b", {}, share(part.ns, whole)),
      ` ${duration(part.ns)}`,
    ),
  );
  const columns = [
    { name: "part" },
    { name: "time", number: true },
    { name: "share", number: true },
    { name: "what is in it" },
  ];
  const rows = fit.parts.map((part) => [part.label, duration(part.ns), share(part.ns, whole), part.title]);
  return [
    bar,
    element("ul.legend", {}, ...legend),
    details("These parts as a table", () => tableOf("Parts of the fit's time", columns, rows)),
  ];
}

// Findings ----------------------------------------------------------------------------------------------------------

/**
 * @param {PageSelection} selection
 * @param {PageRun} run
 */
function findingsPart(selection, run) {
  if (!run.fits.length && !run.findings.length) return [];
  const heading = element(
    "h3",
    { id: "findings" },
    run.findings.length ? `Findings (${count(run.findings.length)})` : "Findings",
  );
  const list = element("ul.findings", {}, ...run.findings.map((finding) => findingItem(selection, run, finding)));
  const none = run.unchecked ? null : element("p.quiet", {}, "None of the known faults was found.");
  return [
    heading,
    run.findings.length ? list : none,
    run.unchecked ? element("p.quiet", {}, run.unchecked) : null,
  ].filter((node) => node !== null);
}

/**
 * @param {PageSelection} selection
 * @param {PageRun} run
 * @param {PageFinding} finding
 */
function findingItem(selection, run, finding) {
  const threads = finding.threads.map(threadLink).flatMap((link) => [" ", link]);
  return element(
    "li",
    {},
    element(
      "p",
      {},
      element("b", {}, finding.rule),
      " ",
      batchLink(selection, run, finding),
      ": ",
      ...hookLink(selection, run, finding),
      finding.message,
    ),
    element("p.quiet", {}, `Effect: ${finding.effect}.`),
    element("p", {}, `Remedy: ${finding.remedy}.`, ...(threads.length ? [" See", ...threads] : [])),
    finding.defined ? element("p.quiet", {}, `Defined at ${finding.defined}.`) : null,
    finding.place ? element("p.quiet", {}, "At ", sourceLink(selection, finding, finding.place)) : null,
  );
}

/**
 * Where a finding is, as a link to the batch; as text where the page does not show it.
 * @param {PageSelection} selection
 * @param {PageRun} run
 * @param {PageFinding} finding
 */
function batchLink(selection, run, finding) {
  const fit = finding.fit === null ? null : run.fits[finding.fit];
  const words = [
    fit && run.fits.length > 1 ? fit.name : null,
    finding.epoch === null ? null : `epoch ${count(finding.epoch)}`,
    finding.batch === null ? null : `batch ${count(finding.batch)}`,
  ].filter((word) => word !== null);
  const text = words.join(", ") || (fit ? fit.name : "another fit");
  if (!fit) return text;
  return linkTo("timeline", text, () => selection.set({ fit: finding.fit ?? 0, ordinal: finding.ordinal }));
}

/**
 * The hook that a finding is about, as a link to the callbacks; nothing if it is about none.
 * @param {PageSelection} selection
 * @param {PageRun} run
 * @param {PageFinding} finding
 */
function hookLink(selection, run, finding) {
  const text = [finding.callback, finding.hook].filter((name) => name !== null).join(".");
  if (!text) return [];
  const fit = finding.fit === null ? null : run.fits[finding.fit];
  const row = fit?.callbacks.rows.find((row) => row.callback === finding.callback && row.hook === finding.hook);
  if (!fit || !row) return [element("code", {}, text), " "];
  const show = () => selection.set({ fit: finding.fit ?? 0, hook: seriesOf(fit, row) });
  return [element("code", {}, linkTo("callbacks", text, show)), " "];
}

/**
 * A line of the engine, as a link to the source.
 * @param {PageSelection} selection
 * @param {PageFinding} finding
 * @param {EnginePlace} place
 */
function sourceLink(selection, finding, place) {
  if (finding.fit === null) return place.text;
  const change = () => selection.set({ fit: finding.fit ?? 0 });
  return linkTo("source", place.text, change, (section) => showSource(section, place));
}

/**
 * A link to a section that first changes what the reader looks at.
 * @param {string} id of the section
 * @param {string} text
 * @param {() => void} change
 * @param {(section: Element) => void} [arrive] is called with the section when it is in sight
 */
function linkTo(id, text, change, arrive) {
  const link = element("a", { href: `#${id}` }, text);
  link.addEventListener("click", (event) => {
    change();
    const target = (link.closest(".side") ?? document).querySelector(`[data-section="${id}"]`);
    goTo(target, event);
    if (target) arrive?.(target);
  });
  return link;
}

/**
 * A link to an issue about a finding. The addresses are those of fittrace's own rules.
 * @param {string} address
 */
function threadLink(address) {
  const match = /^https:\/\/github\.com\/([\w.-]+\/[\w.-]+)\/(?:issues|pull)\/(\d+)$/.exec(address);
  return match ? element("a", { href: address, rel: "noopener noreferrer" }, `${match[1]}#${match[2]}`) : address;
}

// Phases and fits -----------------------------------------------------------------------------------------------------

/** @param {PageFit} fit */
function phasesSection(fit) {
  const whole = fit.duration_ns;
  const isShown = (/** @type {PhaseRow} */ row) => row.self >= LEAST_SHARE_SHOWN * whole;
  const small = fit.phases.filter((row) => !isShown(row));
  const rest = small.reduce((sum, row) => sum + row.self, 0);
  return section(
    "phases",
    "Phases",
    phasesTable(
      "self: without the phases inside it. share: self, of the whole fit.",
      fit.phases.filter(isShown),
      whole,
    ),
    small.length
      ? details(`${amount(small.length, "more phase", "more phases")}, ${share(rest, whole)} together`, () =>
          phasesTable("The other phases", small, whole),
        )
      : null,
  );
}

/**
 * @param {string} caption
 * @param {PhaseRow[]} phases
 * @param {number} whole
 */
function phasesTable(caption, phases, whole) {
  const columns = [
    { name: "phase" },
    { name: "stage" },
    { name: "share", title: "self, of the whole fit" },
    { name: "self", title: "the time without the phases inside it", number: true },
    { name: "total", title: "the time with the phases inside it", number: true },
    { name: "count", title: "how often it ran", number: true },
    { name: "mean", number: true },
    { name: "p50", title: "half of them took at most so long", number: true },
    { name: "p99", title: "99 of 100 took at most so long", number: true },
  ];
  const rows = phases.map((row) => [
    row.phase,
    row.stage,
    shareBar(row.self, whole),
    ...[row.self, row.total].map(duration),
    count(row.count),
    ...[row.mean, row.p50, row.p99].map(duration),
  ]);
  return tableOf(caption, columns, rows);
}

/** @param {FitKind[]} kinds */
function allFitsTable(kinds) {
  const columns = [
    { name: "all fits" },
    { name: "called from" },
    { name: "engine" },
    { name: "status" },
    ...["count", "epochs", "batches", "total", "median"].map((name) => ({ name, number: true })),
  ];
  const rows = kinds.map((kind) => [
    kind.method,
    kind.called_from,
    `${kind.engine} ${kind.engine_version}`,
    kind.status,
    ...[kind.count, kind.epochs, kind.batches].map(count),
    ...[kind.total, kind.median].map(duration),
  ]);
  return tableOf("All fits, those that are alike in one row", columns, rows);
}

// Facts ---------------------------------------------------------------------------------------------------------------

/**
 * The facts of the run, and the arguments of the fit.
 * @param {PageSelection} selection
 */
function runSection(selection) {
  const run = selection.page.runs[selection.run];
  const content = element("div");
  selection.follow((place, before) => {
    if (content.childElementCount && place.fit === before.fit) return;
    content.replaceChildren(...factsPart(run, selection.fit));
  });
  return section("run", "The run", content);
}

/**
 * @param {PageRun} run
 * @param {PageFit | null} fit
 */
function factsPart(run, fit) {
  const list = element(
    "dl.facts",
    {},
    ...run.facts.map(([label, text]) => element("div", {}, element("dt", {}, label), element("dd", {}, text))),
  );
  const columns = [{ name: "name" }, { name: "value" }];
  return [
    list,
    fit?.arguments.length
      ? details(`Arguments of ${fit.name} and settings`, () =>
          tableOf(`Arguments of ${fit.name}, and settings of its callbacks and of compile`, columns, fit.arguments),
        )
      : null,
  ].filter((node) => node !== null);
}
