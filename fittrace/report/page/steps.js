// The steps of a fit, as `trace.replay()` gives them. Plain logic: it makes no elements.
//
// A fit has too many steps to hold. So a step is an index, and what it visits is told by the kind of its turn
// (`fittrace/replay/timeline.py` does the same). A visit is an index of the arrays in `RecordedSteps.kinds`.

const NO_SPAN = -(2 ** 31);
const NO_NUMBER = -(2 ** 31);

/** The shift of a span that the trace does not have. */
const MISSING_SPAN = 2;

/** The kinds of moments: `recorded_steps._MOMENTS`. */
const MOMENT = { none: 0, before: 1, start: 2, end: 3, line: 4 };

/** A time that was recorded, but that the page does not hold. */
const IN_SUMMARY = "in summary";

/**
 * Nanoseconds, from the start of the fit where it is a moment. null: no clock was read.
 * @typedef {number | null | "in summary"} StepTime
 */

/**
 * Where a step is: its run of turns, the turn in the run, and its visit.
 * @typedef {{run: number, turn: number, visit: number}} StepLocation
 */

/** @typedef {{stage: string | null, epoch: number | null, batch: number | null, hook: number}} SpanFacts */

/**
 * A hook that a step calls. The logs are null if the page does not hold them.
 * @typedef {{callback: string, position: number, hook: string, logs: HookLogs | null}} StepHook
 */

/** @typedef {{before: LogValues, after: LogValues, changed: string[]}} HookLogs */
/** @typedef {[string, number | string][]} LogValues */

/**
 * One step. `function` is an index of `EngineSource.functions`, null if it is not known what ran.
 * `taken` is true if control went into the body of a branch, false if past it, null if there is no such thing.
 * `variables` is null if the page does not hold those of this step.
 * @typedef {{
 *   index: number, function: number | null, line: number | null, endLine: number | null, depth: number,
 *   phase: string | null, stage: string | null, epoch: number | null, batch: number | null, start: StepTime,
 *   duration: StepTime, together: number, taken: boolean | null, hook: StepHook | null,
 *   variables: [string, number | string | boolean][] | null,
 * }} RecordedStep
 */

/** A branch or a loop that control came through, and the frame that it is in. @typedef {{step: number, frame: number}} Branch */

/** The steps of one fit. */
class Steps {
  /**
   * @param {RecordedSteps} recorded
   * @param {SourceFunction[]} functions
   * @param {BatchDetails | null} details the spans that the page holds
   * @param {number} end the duration of the fit
   */
  constructor(recorded, functions, details, end) {
    this.recorded = recorded;
    this.functions = functions;
    this.details = details;
    this.end = end;
    this.length = recorded.steps;
    this.runs = runsInFull(recorded);
    this.openSpans = new OpenSpans(recorded, this.runs.firstSpan);
    this.clocks = Float64Array.from(recorded.clocks);
    for (let index = 1; index < this.clocks.length; index += 1) this.clocks[index] += this.clocks[index - 1];
    this.spanOrder = details ? orderOf(details.span) : new Uint32Array(0);
  }

  /** @param {number} index @returns {StepLocation} */
  locate(index) {
    const run = lastAtMost(this.runs.firstStep, index, this.recorded.runs.kind.length);
    const kind = this.recorded.runs.kind[run];
    const first = this.recorded.kinds.first[kind];
    const visits = this.recorded.kinds.first[kind + 1] - first;
    const inRun = index - this.runs.firstStep[run];
    return { run, turn: Math.floor(inRun / visits), visit: first + (inRun % visits) };
  }

  /** The index of the step of a visit in a turn. @param {number} run @param {number} turn @param {number} visit */
  indexOf(run, turn, visit) {
    const { kinds, runs } = this.recorded;
    const kind = runs.kind[run];
    const first = kinds.first[kind];
    return this.runs.firstStep[run] + turn * (kinds.first[kind + 1] - first) + visit - first;
  }

  /** The depth of a step: how many calls it is in. @param {number} index */
  depth(index) {
    return this.recorded.kinds.depth[this.locate(index).visit];
  }

  /** @param {number} index @returns {RecordedStep} */
  step(index) {
    const { kinds, phases } = this.recorded;
    const location = this.locate(index);
    const visit = location.visit;
    const span = this.spanOf(location);
    const facts = span === null ? NO_FACTS : this.factsOf(span);
    const known = kinds.function[visit] >= 0;
    const elapsed = this.elapsed(index);
    return {
      index,
      function: known ? kinds.function[visit] : null,
      line: known ? kinds.line[visit] : null,
      endLine: known ? kinds.end_line[visit] : null,
      depth: kinds.depth[visit],
      phase: phases[kinds.phase[visit]] ?? null,
      stage: facts.stage,
      epoch: facts.epoch,
      batch: facts.batch,
      start: this.start(location),
      duration: elapsed.duration,
      together: elapsed.steps,
      taken: kinds.arm[visit] < 0 ? null : kinds.arm[visit] === 0,
      hook: span === null ? null : this.hookAt(visit, span, facts),
      variables: this.variablesAt(index),
    };
  }

  // Spans ----------------------------------------------------------------------------------------------------------

  /** The number of the first span of a turn. @param {number} run @param {number} turn */
  firstSpanOf(run, turn) {
    return this.runs.firstSpan[run] + turn * this.recorded.kinds.spans[this.recorded.runs.kind[run]];
  }

  /**
   * The number of a span that a visit of a turn names (`TurnRuns.span_number`); null if it is not known.
   * @param {number} run
   * @param {number} turn
   * @param {number} span
   */
  spanNumber(run, turn, span) {
    if (span >= 0) return this.firstSpanOf(run, turn) + span;
    const { kinds, runs } = this.recorded;
    const kind = runs.kind[run];
    const opened = kinds.opened_first[kind + 1] - kinds.opened_first[kind];
    if (turn && -span <= opened)
      return this.firstSpanOf(run, turn - 1) + kinds.opened[kinds.opened_first[kind + 1] + span];
    const open = this.openSpans.before(run);
    const before = turn ? open.slice(0, kinds.kept[kind]) : open;
    return before[before.length + span + (turn ? opened : 0)] ?? null;
  }

  /** The number of the innermost span that a step is in. @param {StepLocation} location */
  spanOf({ run, turn, visit }) {
    const span = this.recorded.kinds.span[visit];
    return span === NO_SPAN ? null : this.spanNumber(run, turn, span);
  }

  /**
   * Where the facts of a span are: an index of the patterns' arrays, and the turn that opened it; null if no turn did.
   * @param {number} span
   */
  factsAt(span) {
    const { kinds, patterns, runs } = this.recorded;
    let run = lastAtMost(this.runs.firstSpan, span, runs.kind.length);
    // A run whose turns open no span has the same first span as the one after it, which is the last of them.
    while (run > 0 && !kinds.spans[runs.kind[run]]) run -= 1;
    const count = run < 0 ? 0 : kinds.spans[runs.kind[run]];
    if (!count) return null;
    const turn = Math.floor((span - this.runs.firstSpan[run]) / count);
    if (turn >= runs.turns[run]) return null;
    return { run, turn, index: patterns.first[runs.pattern[run]] + ((span - this.runs.firstSpan[run]) % count) };
  }

  /** @param {number} span @returns {SpanFacts} */
  factsOf(span) {
    const at = this.factsAt(span);
    const { patterns, runs, stages } = this.recorded;
    if (!at || patterns.shift[at.index] === MISSING_SPAN) return NO_FACTS;
    const { run, turn, index } = at;
    return {
      stage: stages[patterns.stage[index]] ?? null,
      epoch:
        patterns.epoch[index] === NO_NUMBER
          ? null
          : patterns.epoch[index] + this.runs.epoch[run] + turn * runs.epoch_step[run],
      batch:
        patterns.batch[index] === NO_NUMBER
          ? null
          : patterns.batch[index] + runs.batch[run] + turn * runs.batch_step[run],
      hook: patterns.hook[index],
    };
  }

  /** The index of a span in the details; -1 if the page does not hold it. @param {number} span */
  detailOf(span) {
    const at = this.factsAt(span);
    if (!this.details || (at && this.recorded.patterns.shift[at.index] === MISSING_SPAN)) return -1;
    const number = span - (at ? this.recorded.patterns.shift[at.index] : 0);
    let low = 0;
    let high = this.spanOrder.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.details.span[this.spanOrder[middle]] < number) low = middle + 1;
      else high = middle;
    }
    const found = this.spanOrder[low];
    return found !== undefined && this.details.span[found] === number ? found : -1;
  }

  // Times ----------------------------------------------------------------------------------------------------------

  /** When a step began. @param {StepLocation} location @returns {StepTime} */
  start({ run, turn, visit }) {
    const { clock, clock_of } = this.recorded.kinds;
    return this.moment(run, turn, clock[visit], clock_of[visit]);
  }

  /**
   * The time of a moment that a visit of a turn names (`StepTimes.moment`).
   * @param {number} run
   * @param {number} turn
   * @param {number} what
   * @param {number} of
   * @returns {StepTime}
   */
  moment(run, turn, what, of) {
    const { kinds, runs, patterns } = this.recorded;
    if (what === MOMENT.none) return null;
    if (what === MOMENT.before) {
      const [before, last] = turn ? [run, turn - 1] : [run - 1, runs.turns[run - 1] - 1];
      const kind = runs.kind[before];
      return before < 0 ? null : this.moment(before, last, kinds.last[kind], kinds.last_of[kind]);
    }
    if (what === MOMENT.line) {
      if (of >= runs.clocks[run]) return null;
      return this.clocks[this.runs.firstClock[run] + of] ?? IN_SUMMARY;
    }
    const span = this.spanNumber(run, turn, of);
    if (span === null) return null;
    const at = this.factsAt(span);
    if (at && patterns.shift[at.index] === MISSING_SPAN) return null;
    const detail = this.detailOf(span);
    if (!this.details || detail < 0) return IN_SUMMARY;
    return this.details.start[detail] + (what === MOMENT.end ? this.details.duration[detail] : 0);
  }

  /**
   * How long a step took, calls included, and how many steps of its depth share that time (`StepTimes.elapsed`).
   * @param {number} index
   * @returns {{duration: StepTime, steps: number}}
   */
  elapsed(index) {
    const location = this.locate(index);
    const start = this.start(location);
    const depth = this.recorded.kinds.depth[location.visit];
    if (start === null) return { duration: null, steps: 0 };
    let steps = 1;
    for (let following = this.after(index, depth); following !== null; following = this.after(following, depth)) {
      const other = this.locate(following);
      const end = this.start(other);
      if (end !== null)
        return { duration: start === IN_SUMMARY || end === IN_SUMMARY ? IN_SUMMARY : end - start, steps };
      if (this.recorded.kinds.depth[other.visit] === depth) steps += 1;
    }
    return { duration: start === IN_SUMMARY ? IN_SUMMARY : this.end - start, steps };
  }

  // Values ---------------------------------------------------------------------------------------------------------

  /**
   * The hook that a step calls: the step is the first in the hook's span.
   * @param {number} visit
   * @param {number} span
   * @param {SpanFacts} facts
   * @returns {StepHook | null}
   */
  hookAt(visit, span, facts) {
    const { kinds, hooks } = this.recorded;
    if (facts.hook < 0 || kinds.clock[visit] !== MOMENT.start || kinds.clock_of[visit] !== kinds.span[visit])
      return null;
    const [callback, position, hook] = hooks[facts.hook];
    return { callback, position, hook, logs: this.logsOf(span) };
  }

  /** The logs before and after a hook. @param {number} span @returns {HookLogs | null} */
  logsOf(span) {
    const detail = this.detailOf(span);
    if (!this.details || detail < 0 || this.details.before[detail] < 0) return null;
    const before = this.details.logs[this.details.before[detail]];
    const after = this.details.logs[this.details.after[detail]];
    return { before, after, changed: changedKeys(before, after) };
  }

  /** @param {number} index */
  variablesAt(index) {
    if (!this.recorded.complete.some(([first, last]) => first <= index && index <= last)) return null;
    return this.recorded.variables[index] ?? [];
  }

  // Moves: each gives the index of a step, or null if there is none -----------------------------------------------

  /** The first step after one that is in no more than `depth` calls. @param {number} index @param {number} depth */
  after(index, depth) {
    return this.nearest(index, (visit) => this.recorded.kinds.depth[visit] <= depth, false);
  }

  /** The last step before one that is in no more than `depth` calls. @param {number} index @param {number} depth */
  before(index, depth) {
    return this.nearest(index, (visit) => this.recorded.kinds.depth[visit] <= depth, true);
  }

  /** The next step, also into a call. @param {number} index */
  forward(index) {
    return index + 1 < this.length ? index + 1 : null;
  }

  /** The step before, also into a call. @param {number} index */
  back(index) {
    return index > 0 ? index - 1 : null;
  }

  /** The next step that is no deeper in calls. @param {number} index */
  over(index) {
    return this.after(index, this.depth(index));
  }

  /** The step before that is no deeper in calls. @param {number} index */
  overBack(index) {
    return this.before(index, this.depth(index));
  }

  /** The first step after the current call. @param {number} index */
  out(index) {
    return this.after(index, this.depth(index) - 1);
  }

  /** The step that made the current call. @param {number} index */
  outBack(index) {
    return this.before(index, this.depth(index) - 1);
  }

  /** The call stack at a step, outermost first: the step in each frame that made the next call. @param {number} index */
  stack(index) {
    const frames = [index];
    for (;;) {
      const caller = this.outBack(frames[0]);
      if (caller === null) return frames;
      frames.unshift(caller);
    }
  }

  /**
   * The nearest step after one, or before it, whose visit matches. The visits of all turns of a kind are the same. So
   * it looks at the turn of the step, at the next one of its run, and then at one turn of each other run.
   * @param {number} index
   * @param {(visit: number) => boolean} matches
   * @param {boolean} backwards
   * @param {number} [limit] look no further than this step; a step beyond it may be found, too
   * @returns {number | null}
   */
  nearest(index, matches, backwards, limit = backwards ? 0 : this.length) {
    const { kinds, runs } = this.recorded;
    const step = backwards ? -1 : 1;
    /** @type {Map<number, number | null>} */
    const known = new Map();
    /** @param {number} kind @param {number} [from] */
    const find = (kind, from) => {
      const first = kinds.first[kind];
      const end = kinds.first[kind + 1];
      for (let visit = from ?? (backwards ? end - 1 : first); first <= visit && visit < end; visit += step) {
        if (matches(visit)) return visit;
      }
      return null;
    };
    const { run, turn, visit } = this.locate(index);
    const near = find(runs.kind[run], visit + step);
    if (near !== null) return this.indexOf(run, turn, near);
    const nextTurn = turn + step;
    const inRun = nextTurn >= 0 && nextTurn < runs.turns[run] ? find(runs.kind[run]) : null;
    if (inRun !== null) return this.indexOf(run, nextTurn, inRun);
    for (let other = run + step; other >= 0 && other < runs.kind.length; other += step) {
      if (backwards ? this.runs.firstStep[other + 1] <= limit : this.runs.firstStep[other] > limit) return null;
      const kind = runs.kind[other];
      const found = known.get(kind) ?? (known.has(kind) ? null : find(kind));
      if (found !== null) return this.indexOf(other, backwards ? runs.turns[other] - 1 : 0, found);
      known.set(kind, null);
    }
    return null;
  }

  // Batches --------------------------------------------------------------------------------------------------------

  /** The first step of a batch; null if its steps were not recorded. @param {number} ordinal @returns {number | null} */
  firstStepOf(ordinal) {
    const span = this.batchSpan(ordinal);
    return span === null ? null : this.firstStepIn(span);
  }

  /** The number of the span of a batch. @param {number} ordinal */
  batchSpan(ordinal) {
    const { kinds, patterns, runs } = this.recorded;
    // Of the runs before which as many batches have begun, the last has this batch, unless it has none.
    const run = lastAtMost(this.runs.ordinal, ordinal, runs.kind.length);
    if (run < 0) return null;
    const each = this.runs.batches[runs.pattern[run]];
    const inRun = ordinal - this.runs.ordinal[run];
    const turn = each ? Math.floor(inRun / each) : runs.turns[run];
    if (turn >= runs.turns[run]) return null;
    let left = inRun % each;
    const first = patterns.first[runs.pattern[run]];
    for (let span = 0; span < kinds.spans[runs.kind[run]]; span += 1) {
      if (patterns.begins_batch[first + span] && left-- === 0) return this.firstSpanOf(run, turn) + span;
    }
    return null;
  }

  /** The first step in a span (`Timeline.first_step_in`). @param {number} span @returns {number | null} */
  firstStepIn(span) {
    const { kinds, runs } = this.recorded;
    const { firstSpan } = this.runs;
    for (let run = lastAtMost(firstSpan, span, runs.kind.length); run >= 0 && run < runs.kind.length; run += 1) {
      if (firstSpan[run] > span) return null;
      const kind = runs.kind[run];
      const turn = Math.min(Math.floor((span - firstSpan[run]) / Math.max(kinds.spans[kind], 1)), runs.turns[run] - 1);
      const inTurn = span - this.firstSpanOf(run, turn);
      for (let visit = kinds.first[kind]; visit < kinds.first[kind + 1] && inTurn < kinds.spans[kind]; visit += 1) {
        if (kinds.span[visit] >= inTurn) return this.indexOf(run, turn, visit);
      }
    }
    return null;
  }

  /** The last batch that began at a step or before it; null if none did. @param {number} index @returns {number | null} */
  ordinalAt(index) {
    let low = -1;
    let high = this.batchCount;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      // A batch without steps of its own begins where the next one with steps does.
      let first = null;
      for (let batch = middle; first === null && batch < high; batch += 1) first = this.firstStepOf(batch);
      if (first !== null && first <= index) low = middle;
      else high = middle;
    }
    return low < 0 ? null : low;
  }

  /**
   * The step of a place in the page's address: a batch, or the fit where it is null, and a step counted from its first.
   * null if the steps of the batch were not recorded.
   * @param {number | null} ordinal
   * @param {number | null} step
   */
  indexAt(ordinal, step) {
    const first = ordinal === null ? 0 : this.firstStepOf(ordinal);
    return first === null || !this.length ? null : Math.min(first + (step ?? 0), this.length - 1);
  }

  /** How many batches have begun after all turns. */
  get batchCount() {
    const { runs } = this.recorded;
    const last = runs.kind.length - 1;
    return last < 0 ? 0 : this.runs.ordinal[last] + runs.turns[last] * this.runs.batches[runs.pattern[last]];
  }

  // Why ------------------------------------------------------------------------------------------------------------

  /**
   * The branches that led to a step, in every frame of its call stack, outermost and earliest first (`replay/why.py`).
   * @param {number} index
   * @returns {Branch[]}
   */
  why(index) {
    /** @type {Branch[]} */
    const found = [];
    let call = -1;
    for (const frame of this.stack(index)) {
      found.push(...this.whyInFrame(frame, call).map((step) => ({ step, frame })));
      call = frame;
    }
    return found;
  }

  /**
   * The last visits to the branches of one frame that led to its step. The step `call` made the frame's call.
   * @param {number} frame
   * @param {number} call
   */
  whyInFrame(frame, call) {
    const visit = this.locate(frame).visit;
    const number = this.recorded.kinds.function[visit];
    if (number < 0) return [];
    /** @type {Map<number, number | null>} */
    const visits = new Map();
    for (const [line, loops] of this.functions[number].branching) {
      const around = loops.map((loop) => visits.get(loop) ?? null);
      const last = around.every((step) => step !== null) ? this.lastVisit(frame, call, line) : null;
      // A visit in an earlier iteration of a loop did not lead to the step.
      visits.set(line, last !== null && around.every((step) => Number(step) <= last) ? last : null);
    }
    return [...visits.values()].filter((step) => step !== null).sort((one, other) => one - other);
  }

  /**
   * The last visit to a line of a frame's file at the frame's depth, before the frame's step and after its call.
   * @param {number} frame
   * @param {number} call
   * @param {number} line
   */
  lastVisit(frame, call, line) {
    const { kinds } = this.recorded;
    const visit = this.locate(frame).visit;
    const file = this.functions[kinds.function[visit]].file;
    const depth = kinds.depth[visit];
    /** @param {number} other */
    const matches = (other) =>
      kinds.line[other] === line &&
      kinds.depth[other] === depth &&
      kinds.function[other] >= 0 &&
      this.functions[kinds.function[other]].file === file;
    const found = this.nearest(frame, matches, true, call);
    return found !== null && found > call ? found : null;
  }
}

/** @type {WeakMap<PageFit, Steps>} */
const STEPS_OF_FITS = new WeakMap();

/**
 * The steps of a fit, which all sections share; null if they were not recorded.
 * @param {PageFit} fit
 */
function stepsOf(fit) {
  if (!fit.replay || !fit.source) return null;
  const steps = STEPS_OF_FITS.get(fit) ?? new Steps(fit.replay, fit.source.functions, fit.details, fit.duration_ns);
  STEPS_OF_FITS.set(fit, steps);
  return steps;
}

/** @type {SpanFacts} */
const NO_FACTS = { stage: null, epoch: null, batch: null, hook: -1 };

/**
 * The numbers of all runs, made from the differences that the page has. Each array has one more item at the end.
 * @param {RecordedSteps} recorded
 */
function runsInFull({ kinds, patterns, runs }) {
  const count = runs.kind.length;
  const firstStep = new Float64Array(count + 1);
  const firstSpan = new Float64Array(count + 1);
  const ordinal = new Float64Array(count + 1);
  const firstClock = new Float64Array(count + 1);
  const epoch = new Float64Array(count);
  const batches = new Uint32Array(Math.max(patterns.first.length - 1, 0));
  for (let pattern = 0; pattern < batches.length; pattern += 1) {
    for (let span = patterns.first[pattern]; span < patterns.first[pattern + 1]; span += 1)
      batches[pattern] += patterns.begins_batch[span];
  }
  for (let run = 0; run < count; run += 1) {
    const kind = runs.kind[run];
    epoch[run] = (run ? epoch[run - 1] : 0) + runs.epoch[run];
    firstSpan[run] += runs.skipped[run];
    ordinal[run] += runs.ordinal[run];
    firstStep[run + 1] = firstStep[run] + runs.turns[run] * (kinds.first[kind + 1] - kinds.first[kind]);
    firstSpan[run + 1] = firstSpan[run] + runs.turns[run] * kinds.spans[kind];
    ordinal[run + 1] = ordinal[run] + runs.turns[run] * batches[runs.pattern[run]];
    firstClock[run + 1] = firstClock[run] + runs.clocks[run];
  }
  return { firstStep, firstSpan, ordinal, firstClock, epoch, batch: runs.batch, batches };
}

/** The spans that are open before a run of turns. Only those before some runs are kept, and the others made from them. */
class OpenSpans {
  /**
   * @param {RecordedSteps} recorded
   * @param {Float64Array} firstSpan by run
   */
  constructor(recorded, firstSpan) {
    this.recorded = recorded;
    this.firstSpan = firstSpan;
    this.every = 256;
    /** @type {number[][]} */
    this.kept = [];
    /** @type {number[]} */
    let open = [];
    for (let run = 0; run < recorded.runs.kind.length; run += 1) {
      if (run % this.every === 0) this.kept.push(open);
      open = this.afterRun(run, open);
    }
    this.last = { run: 0, open: /** @type {number[]} */ ([]) };
  }

  /** The numbers of the spans that are open before a run, outermost first. @param {number} run */
  before(run) {
    if (this.last.run !== run) {
      const first = run - (run % this.every);
      let open = this.kept[first / this.every];
      for (let other = first; other < run; other += 1) open = this.afterRun(other, open);
      this.last = { run, open };
    }
    return this.last.open;
  }

  /** @param {number} run @param {number[]} open those open before the run */
  afterRun(run, open) {
    const { kinds, runs } = this.recorded;
    const kind = runs.kind[run];
    const last = this.firstSpan[run] + (runs.turns[run] - 1) * kinds.spans[kind];
    const opened = kinds.opened.subarray(kinds.opened_first[kind], kinds.opened_first[kind + 1]);
    return [...open.slice(0, kinds.kept[kind]), ...Array.from(opened, (span) => last + span)];
  }
}

/**
 * The index of the last of the first `count` numbers, which grow, that is at most `number`; -1 if there is none.
 * @param {Float64Array} numbers
 * @param {number} number
 * @param {number} count
 */
function lastAtMost(numbers, number, count) {
  let low = -1;
  let high = count;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= number) low = middle;
    else high = middle;
  }
  return low;
}

/** The indices of numbers in ascending order. @param {Float64Array} numbers */
function orderOf(numbers) {
  return Uint32Array.from(numbers, (_, index) => index).sort((one, other) => numbers[one] - numbers[other]);
}
