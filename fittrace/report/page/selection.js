"use strict";
// What the reader looks at in a run: a fit, a batch and a step. It is in the fragment of the page's address, so that a
// link leads to the same place, and each section follows it.

/**
 * `hook` is an index of `Timeline.hooks`: the timeline then shows only the time of that hook.
 * @typedef {{fit: number, ordinal: number | null, step: number | null, hook: number | null}} Place
 */

/** The parts of the address. */
const ADDRESS_KEYS = ["fit", "stage", "epoch", "batch", "nth", "step", "hook"];

/** What the reader looks at in one run. Sections subscribe, and change it with `set`. */
class PageSelection {
  /**
   * @param {PageDocument} page
   * @param {number} run the index of the run
   */
  constructor(page, run) {
    this.page = page;
    this.run = run;
    /** What the run's parts of the address begin with. */
    this.prefix = run ? "b." : "";
    /** @type {((place: Place, before: Place) => void)[]} */
    this.followers = [];
    /** @type {Place} */
    this.place = this.fromAddress();
    window.addEventListener("hashchange", () => this.change(this.fromAddress()));
  }

  /** The fit that is shown; null if the page has none. */
  get fit() {
    return this.page.runs[this.run].fits[this.place.fit] ?? null;
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
    if (next.fit !== this.place.fit) Object.assign(next, { ordinal: null, step: null, hook: null }, changes);
    if ("ordinal" in changes && !("step" in changes) && changes.ordinal !== this.place.ordinal) next.step = null;
    // A page inside of another, as in a notebook, has no address of its own.
    if (location.protocol !== "about:") history.replaceState(null, "", this.addressOf(next));
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
    const words = new URLSearchParams(location.hash.slice(1));
    for (const key of ADDRESS_KEYS) words.delete(this.prefix + key);
    /** @param {string} key @param {number | string | null} value */
    const add = (key, value) => value !== null && words.set(this.prefix + key, String(value));
    add("fit", place.fit);
    const fit = this.page.runs[this.run].fits[place.fit];
    if (fit && place.ordinal !== null) {
      const batch = batchAt(fit.timeline, place.ordinal);
      add("stage", batch.stage === ownStage(fit) ? null : batch.stage);
      add("epoch", batch.epoch);
      add("batch", batch.batch);
      add("nth", batch.nth || null);
    }
    add("step", place.step);
    add("hook", place.hook);
    return `#${words}`;
  }

  /** The place that the address names, as far as the page has it. @returns {Place} */
  fromAddress() {
    const words = new URLSearchParams(location.hash.slice(1));
    /** @param {string} key */
    const number = (key) => integer(words.get(this.prefix + key));
    const fits = this.page.runs[this.run].fits;
    const index = number("fit") ?? 0;
    /** @type {Place} */
    const place = { fit: fits[index] ? index : 0, ordinal: null, step: number("step"), hook: null };
    const fit = fits[place.fit];
    if (!fit) return place;
    const [hook, epoch, batch] = [number("hook"), number("epoch"), number("batch")];
    if (hook !== null && fit.timeline.hooks[hook]) place.hook = hook;
    if (batch !== null || epoch !== null) {
      const stage = words.get(`${this.prefix}stage`) ?? ownStage(fit);
      place.ordinal = ordinalOf(fit.timeline, stage, epoch, batch, number("nth") ?? 0);
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
  const nth = timeline.runs
    .slice(0, low)
    .filter((other) => other.stage === run.stage && other.epoch === run.epoch && holds(other, batch)).length;
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
  const found = timeline.runs.filter(
    (run) => run.stage === stage && (epoch === null || run.epoch === epoch) && (batch === null || holds(run, batch)),
  );
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
