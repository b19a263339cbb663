"use strict";
// What the reader looks at: a fit, a batch and a step. It is the fragment of the page's address, so that a link leads
// to the same place, and each section follows it.

/**
 * `hook` is an index of `Timeline.hooks`: the timeline then shows only the time of that hook.
 * @typedef {{run: number, fit: number, ordinal: number | null, step: number | null, hook: number | null}} Place
 */

/** What the reader looks at. Sections subscribe, and change it with `set`. */
class Selection {
  /** @param {PageDocument} page */
  constructor(page) {
    this.page = page;
    /** @type {((place: Place, before: Place) => void)[]} */
    this.followers = [];
    /** @type {Place} */
    this.place = { run: 0, fit: 0, ordinal: null, step: null, hook: null };
    this.place = this.fromAddress();
    window.addEventListener("hashchange", () => this.change(this.fromAddress()));
  }

  /** The fit that is shown; null if the page has none. */
  get fit() {
    return this.page.runs[this.place.run].fits[this.place.fit] ?? null;
  }

  /** @param {(place: Place, before: Place) => void} follower is called at once, and after each change */
  follow(follower) {
    this.followers.push(follower);
    follower(this.place, this.place);
  }

  /**
   * Look at another place. Another fit starts without a batch, another batch without a step.
   * @param {Partial<Place>} changes
   */
  set(changes) {
    const next = { ...this.place, ...changes };
    if (next.run !== this.place.run || next.fit !== this.place.fit) Object.assign(next, { ordinal: null, step: null, hook: null }, changes);
    if ("ordinal" in changes && !("step" in changes) && changes.ordinal !== this.place.ordinal) next.step = null;
    history.replaceState(null, "", this.addressOf(next));
    this.change(next);
  }

  /** @param {Place} next */
  change(next) {
    const before = this.place;
    this.place = next;
    for (const follower of this.followers) follower(next, before);
  }

  /**
   * The address of a place: `#fit=0&epoch=3&batch=120&step=17`. `step` counts from the first step of the batch; without
   * a batch, from that of the fit.
   * @param {Place} place
   */
  addressOf(place) {
    const words = new URLSearchParams();
    if (place.run) words.set("run", String(place.run));
    words.set("fit", String(place.fit));
    const fit = this.page.runs[place.run]?.fits[place.fit];
    if (fit && place.ordinal !== null) {
      const batch = batchAt(fit.timeline, place.ordinal);
      if (batch.stage !== ownStage(fit)) words.set("stage", batch.stage);
      if (batch.epoch !== null) words.set("epoch", String(batch.epoch));
      words.set("batch", String(batch.batch));
      if (batch.nth) words.set("nth", String(batch.nth));
    }
    if (place.step !== null) words.set("step", String(place.step));
    if (place.hook !== null) words.set("hook", String(place.hook));
    return `#${words}`;
  }

  /** The place that the address names, as far as the page has it. @returns {Place} */
  fromAddress() {
    const words = new URLSearchParams(location.hash.slice(1));
    const run = integer(words.get("run")) ?? 0;
    const fits = this.page.runs[run]?.fits ?? [];
    const number = integer(words.get("fit")) ?? 0;
    /** @type {Place} */
    const place = { run: this.page.runs[run] ? run : 0, fit: fits[number] ? number : 0, ordinal: null, step: integer(words.get("step")), hook: null };
    const fit = fits[place.fit];
    const hook = integer(words.get("hook"));
    if (hook !== null && fit?.timeline.hooks[hook]) place.hook = hook;
    const batch = integer(words.get("batch"));
    const epoch = integer(words.get("epoch"));
    if (fit && (batch !== null || epoch !== null)) {
      place.ordinal = ordinalOf(fit.timeline, words.get("stage") ?? ownStage(fit), epoch, batch, integer(words.get("nth")) ?? 0);
    }
    return place;
  }
}

/** @param {string | null} text */
function integer(text) {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/**
 * The stage of a fit's own batches.
 * @param {PageFit} fit
 */
function ownStage(fit) {
  return fit.method === "evaluate" ? "test" : fit.method === "predict" ? "predict" : "train";
}

/**
 * The batch of an ordinal. `nth` counts the earlier batches of the same stage, epoch and number.
 * @param {Timeline} timeline
 * @param {number} ordinal
 */
function batchAt(timeline, ordinal) {
  let low = 0;
  let high = timeline.runs.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (timeline.runs[middle].first <= ordinal) low = middle;
    else high = middle;
  }
  const run = timeline.runs[low];
  const batch = run.batch + (ordinal - run.first) * run.step;
  const nth = timeline.runs.slice(0, low).filter((other) => other.stage === run.stage && other.epoch === run.epoch && holds(other, batch)).length;
  return { stage: run.stage, epoch: run.epoch, batch, nth };
}

/**
 * The ordinal of a batch; of the epoch's first where no batch is given; null if there is none.
 * @param {Timeline} timeline
 * @param {string} stage
 * @param {number | null} epoch
 * @param {number | null} batch
 * @param {number} nth
 */
function ordinalOf(timeline, stage, epoch, batch, nth) {
  const found = timeline.runs.filter((run) => run.stage === stage && (epoch === null || run.epoch === epoch) && (batch === null || holds(run, batch)));
  const run = found[Math.min(nth, found.length - 1)];
  return run ? run.first + (batch === null || !run.step ? 0 : (batch - run.batch) / run.step) : null;
}

/**
 * Whether a run has a batch of that number.
 * @param {BatchRun} run
 * @param {number} batch
 */
function holds(run, batch) {
  const steps = run.step ? (batch - run.batch) / run.step : batch === run.batch ? 0 : -1;
  return Number.isInteger(steps) && steps >= 0 && steps < run.count;
}
