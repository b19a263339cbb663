// The replay: steps backwards and forwards through the statements of the engine.

/** How far apart two changes of the page's address are. Browsers refuse more than some hundred in half a minute. */
const ADDRESS_EVERY_MS = 350;

/**
 * A way to move: its keys, as the reader sees them and as events name them, what its button shows, and where it leads.
 * @typedef {{
 *   name: string, sign: string, key: string, keys: string[], to: (steps: Steps, index: number) => number | null,
 * }} ReplayMove
 */

/** @type {ReplayMove[]} */
const REPLAY_MOVES = [
  { name: "first step", sign: "⇤", key: "Home", keys: ["Home"], to: (steps) => (steps.length ? 0 : null) },
  {
    name: "batch before",
    sign: "«",
    key: "PgUp",
    keys: ["PageUp"],
    to: (steps, index) => batchBeside(steps, index, -1),
  },
  { name: "back out", sign: "↰", key: "Shift O", keys: ["O"], to: (steps, index) => steps.outBack(index) },
  { name: "back over", sign: "↑", key: "↑", keys: ["ArrowUp"], to: (steps, index) => steps.overBack(index) },
  { name: "back", sign: "←", key: "←", keys: ["ArrowLeft"], to: (steps, index) => steps.back(index) },
  { name: "step", sign: "→", key: "→", keys: ["ArrowRight"], to: (steps, index) => steps.forward(index) },
  { name: "over", sign: "↓", key: "↓", keys: ["ArrowDown"], to: (steps, index) => steps.over(index) },
  { name: "out", sign: "↱", key: "O", keys: ["o"], to: (steps, index) => steps.out(index) },
  {
    name: "next batch",
    sign: "»",
    key: "PgDn",
    keys: ["PageDown"],
    to: (steps, index) => batchBeside(steps, index, 1),
  },
  { name: "last step", sign: "⇥", key: "End", keys: ["End"], to: (steps) => (steps.length ? steps.length - 1 : null) },
];

/**
 * @param {PageSelection} selection
 * @param {PageFit} fit
 * @returns {HTMLElement | null}
 */
function replaySection(selection, fit) {
  const steps = stepsOf(fit);
  if (!steps?.length || !fit.source) return null;
  const player = new ReplayPlayer(steps, fit.source.functions, (index) => publish(index));
  const publish = throttled(ADDRESS_EVERY_MS, (index) => {
    if (selection.fit !== fit) return;
    const ordinal = steps.ordinalAt(index);
    const first = ordinal === null ? 0 : (steps.firstStepOf(ordinal) ?? 0);
    selection.set({ ordinal, step: index - first });
  });
  selection.follow((place) => {
    if (selection.fit !== fit || publish.waits()) return;
    const index = steps.indexAt(place.ordinal, place.step);
    if (index === null) player.say("The steps of this batch were not recorded. The replay stays where it was.");
    else player.show(index);
  });
  return section("replay", "Replay", player.element);
}

/** What the section shows: buttons, and the step that they lead to. */
class ReplayPlayer {
  /**
   * @param {Steps} steps
   * @param {SourceFunction[]} functions
   * @param {(index: number) => void} moved is called when the reader has moved to a step
   */
  constructor(steps, functions, moved) {
    this.steps = steps;
    this.functions = functions;
    this.moved = moved;
    this.index = -1;
    /** The frame whose source is shown, a step; null for the innermost. @type {number | null} */
    this.frame = null;
    this.buttons = REPLAY_MOVES.map((move) => moveButton(move, () => this.move(move)));
    this.where = element("p.step-where", { "aria-live": "polite" });
    this.source = new ReplaySource();
    this.side = element("div.step-side");
    const buttons = element("div.moves", { role: "toolbar", "aria-label": "Moves" }, ...this.buttons);
    this.element = element(
      "div.player",
      {
        tabindex: 0,
        role: "group",
        "aria-label": "Replay, step by step",
        onkeydown: /** @param {KeyboardEvent} event */ (event) => this.press(event),
      },
      buttons,
      element(
        "p.quiet.hint",
        {},
        "Click here or press Tab until this part is framed, then use the keys shown on the buttons.",
      ),
      this.where,
      element("div.step-parts", {}, this.source.element, this.side),
    );
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const move = REPLAY_MOVES.find((candidate) => candidate.keys.includes(event.key));
    if (!move) return;
    event.preventDefault();
    this.move(move);
  }

  /** @param {ReplayMove} move */
  move(move) {
    const index = move.to(this.steps, this.index);
    if (index !== null) this.go(index);
  }

  /** Move to a step. @param {number} index */
  go(index) {
    this.show(index);
    this.moved(index);
  }

  /** @param {string} text */
  say(text) {
    this.where.textContent = text;
  }

  /** @param {number} index */
  show(index) {
    if (index === this.index) return;
    this.index = index;
    this.frame = null;
    const step = this.steps.step(index);
    REPLAY_MOVES.forEach((move, number) => {
      this.buttons[number].setAttribute("aria-disabled", String(move.to(this.steps, index) === null));
    });
    this.where.replaceChildren(...stepTexts(step, this.steps));
    this.showSource();
    this.showSide(step);
  }

  /** Show the source around the step, or around that of the chosen frame. */
  showSource() {
    const step = this.steps.step(this.frame ?? this.index);
    this.source.show(step.function === null ? null : this.functions[step.function], step.line ?? 0, step.endLine ?? 0);
  }

  /** @param {RecordedStep} step */
  showSide(step) {
    this.side.replaceChildren(
      ...stepValues(step),
      element("h3", {}, "Why it came here"),
      this.whyList(),
      element("h3", {}, "Call stack"),
      this.stackList(),
    );
  }

  /** The calls that the step is in, outermost first. A click shows the source of one. */
  stackList() {
    const frames = this.steps.stack(this.index);
    const items = frames.map((frame) => {
      const { function: number, line } = this.steps.step(frame);
      const text = number === null ? "unknown" : `${this.functions[number].name}:${line}`;
      const choose = () => {
        this.frame = frame;
        this.showSource();
      };
      return element("li", {}, element("button.link", { type: "button", onclick: choose }, text));
    });
    return element("ol.stack", {}, ...items);
  }

  /** The branches that led here. A click leads to one. */
  whyList() {
    const branches = this.steps.why(this.index);
    if (!branches.length) return element("p.quiet", {}, "No branch led here.");
    const items = branches.map((branch) => {
      const step = this.steps.step(branch.step);
      const source = step.function === null ? null : this.functions[step.function];
      const line = source?.lines[(step.line ?? 0) - source.first] ?? [];
      const taken = step.taken === null ? "not recorded which way" : step.taken ? "went in" : "went past";
      return element(
        "li",
        {},
        element(
          "button.link",
          { type: "button", title: source?.name, onclick: () => this.go(branch.step) },
          `${step.line}`,
        ),
        element("code", {}, ...codeOf(withoutIndent(line))),
        element("span.quiet", {}, taken),
      );
    });
    return element("ol.why", {}, ...items);
  }
}

/** The source of a function, with the lines of a step marked. */
class ReplaySource {
  constructor() {
    this.title = element("h3.step-function");
    this.pane = element("div.step-source", { tabindex: 0, role: "region", "aria-label": "Source around the step" });
    this.element = element("div", {}, this.title, this.pane);
    /** @type {SourceFunction | null} */
    this.shown = null;
  }

  /**
   * @param {SourceFunction | null} source
   * @param {number} line
   * @param {number} endLine
   */
  show(source, line, endLine) {
    if (!source) {
      this.title.textContent = "Unknown";
      this.pane.replaceChildren(element("p", {}, "What ran here could not be told from the record."));
    } else if (source !== this.shown) {
      const place = element("span.quiet", {}, ` ${source.short_file}`);
      this.title.replaceChildren(source.name, place);
      this.pane.replaceChildren(
        ...(source.lines.length ? sourceLines(source) : [element("p", {}, "Its source is not in the page.")]),
      );
    }
    this.shown = source;
    for (const marked of this.pane.querySelectorAll("[aria-current]")) marked.removeAttribute("aria-current");
    const lines = source ? range(line, endLine) : [];
    const marked = lines.map((number) => this.pane.querySelector(`[data-line="${number}"]`));
    for (const row of marked) row?.setAttribute("aria-current", "step");
    const first = /** @type {HTMLElement | null | undefined} */ (marked[0]);
    // Before the page is laid out, nothing has a place to scroll to.
    if (first) requestAnimationFrame(() => this.scrollTo(first));
  }

  /** Bring a line into the upper part of the pane. @param {HTMLElement} line */
  scrollTo(line) {
    const above = line.getBoundingClientRect().top - this.pane.getBoundingClientRect().top;
    this.pane.scrollTop += above - this.pane.clientHeight / 3;
  }
}

/** @param {SourceFunction} source */
function sourceLines(source) {
  return source.lines.map((tokens, index) =>
    element(
      "div.step-line",
      { "data-line": source.first + index },
      element("span.line-number", {}, source.first + index),
      element("code", {}, ...codeOf(tokens)),
    ),
  );
}

/**
 * @param {ReplayMove} move
 * @param {() => void} onclick
 */
function moveButton({ name, sign, key }, onclick) {
  return element(
    "button.move",
    { type: "button", title: `${name} (${key})`, onclick },
    element("span", { "aria-hidden": "true" }, sign),
    element("span.move-name", {}, name),
    element("kbd", {}, key),
  );
}

/**
 * Where a step is, and when it was.
 * @param {RecordedStep} step
 * @param {Steps} steps
 */
function stepTexts(step, steps) {
  const where = [];
  if (step.epoch !== null) where.push(`epoch ${count(step.epoch)}`);
  if (step.batch !== null) where.push(`batch ${count(step.batch)}`);
  const moment = `${where.join(", ") || "outside of epochs"}${step.stage ? ` (${step.stage})` : ""}`;
  const phase = step.phase ? `, phase ${step.phase}` : "";
  const times = `${timeText("began at", step.start)}, ${durationText(step)}`;
  return [
    element("strong", {}, `${moment}${phase}`),
    element("span.quiet", {}, ` step ${count(step.index)} of ${count(steps.length)}, ${times}`),
  ];
}

/**
 * @param {string} verb
 * @param {StepTime} time
 */
function timeText(verb, time) {
  if (time === null) return "no clock of its own";
  return time === IN_SUMMARY ? "its time is not in the page" : `${verb} ${duration(time)}`;
}

/** @param {RecordedStep} step */
function durationText({ start, duration: time, together }) {
  if (time === null) return "in the time of a step before it";
  if (time === IN_SUMMARY) return start === IN_SUMMARY ? "nor is its duration" : "its duration is not in the page";
  return `took ${duration(time)}${together > 1 ? `, ${count(together)} steps together` : ""}`;
}

/**
 * What was recorded of a step.
 * @param {RecordedStep} step
 */
function stepValues(step) {
  const parts = [];
  if (step.taken !== null)
    parts.push(element("p", {}, `Control went ${step.taken ? "into the body" : "past the body"}.`));
  if (step.hook) parts.push(...hookValues(step.hook));
  if (step.variables === null) parts.push(element("p.quiet", {}, "The variables of this step are not in the page."));
  else if (step.variables.length) {
    const rows = step.variables.map(([name, value]) => [element("code", {}, name), valueText(value)]);
    parts.push(tableOf("Variables", [{ name: "Name" }, { name: "Value", number: true }], rows));
  }
  return parts.length ? [element("h3", {}, "Recorded here"), ...parts] : [];
}

/** @param {StepHook} called */
function hookValues({ callback, position, hook, logs }) {
  const title = element(
    "p",
    {},
    element("code", {}, `${callback}.${hook}`),
    element("span.quiet", {}, `, callback ${position}`),
  );
  if (!logs) return [title, element("p.quiet", {}, "The logs of this hook are not in the page.")];
  if (!logs.before.length && !logs.after.length) return [title, element("p.quiet", {}, "It was given no logs.")];
  const before = new Map(logs.before);
  const after = new Map(logs.after);
  const rows = [...new Set([...before.keys(), ...after.keys()])].map((key) => {
    const changed = logs.changed.includes(key);
    const cells = [before, after].map((values) => (values.has(key) ? valueText(values.get(key) ?? "") : "–"));
    return [
      element("code", {}, key),
      cells[0],
      changed ? element("strong.changed", { title: "The hook changed it" }, cells[1]) : cells[1],
    ];
  });
  const columns = [{ name: "Logs" }, { name: "before", number: true }, { name: "after", number: true }];
  return [title, tableOf(`Logs at ${hook}`, columns, rows)];
}

/**
 * The first step of the batch before or after that of a step.
 * @param {Steps} steps
 * @param {number} index
 * @param {1 | -1} direction
 */
function batchBeside(steps, index, direction) {
  const ordinal = steps.ordinalAt(index) ?? -1;
  for (let batch = ordinal + direction; batch >= 0 && batch < steps.batchCount; batch += direction) {
    const first = steps.firstStepOf(batch);
    if (first !== null) return first;
  }
  return null;
}

/** A line without the spaces at its beginning. @param {[string, string][]} tokens @returns {[string, string][]} */
function withoutIndent(tokens) {
  return tokens.map(([name, code], index) => [name, index ? code : code.trimStart()]);
}

/**
 * A function that runs at once, and then at most once in `ms` milliseconds, with the last argument it was given.
 * @param {number} ms
 * @param {(argument: number) => void} run
 */
function throttled(ms, run) {
  let next = 0;
  let timer = 0;
  let last = 0;
  /** @param {number} argument */
  const call = (argument) => {
    last = argument;
    if (timer) return;
    timer = window.setTimeout(
      () => {
        timer = 0;
        next = performance.now() + ms;
        run(last);
      },
      Math.max(next - performance.now(), 0),
    );
  };
  call.waits = () => timer !== 0;
  return call;
}
