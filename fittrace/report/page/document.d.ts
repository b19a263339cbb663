// What a page holds, as the scripts see it. `fittrace/report/model/` makes it; `unpack.js` reads it.
//
// Times are nanoseconds. Unless something else is said, they count from the start of the fit. Numbers of a fit's batches
// are ordinals: a fit's batches of all stages in order of start, from 0.

/** The whole page. */
interface PageDocument {
  title: string;
  /** How the page was made: the version of fittrace, the time, and what was left out. */
  made: { version: string; when: string; redacted: boolean };
  /** One run; two where runs are compared. */
  runs: PageRun[];
  /** What differs between two runs; null for one run. */
  differences: Differences | null;
}

interface PageRun {
  /** The name of the run's folder. */
  name: string;
  /** Facts of the run, each a label and its text, in the order in which they are shown. */
  facts: [string, string][];
  /** How it ended, in a few words. */
  ending: string;
  /** Whether it ended as it should; null while it goes on. */
  ok: boolean | null;
  /** The fits that are shown in full, in order of start. */
  fits: PageFit[];
  /** All kinds of fits, where there are more than those shown in full; else empty. */
  all_fits: FitKind[];
  findings: PageFinding[];
  /** What was not looked for, or is not shown of the findings, in a sentence; null if nothing. */
  unchecked: string | null;
  notes: { kind: string; message: string; times: number }[];
  /** What the page shows in summary only, in sentences. */
  limits: string[];
}

interface FitKind {
  method: string;
  /** File and line, such as `train.py:12`; empty if left out. */
  called_from: string;
  engine: string;
  engine_version: string;
  status: string;
  count: number;
  epochs: number;
  batches: number;
  total: number;
  median: number;
}

interface PageFinding {
  rule: string;
  message: string;
  effect: string;
  remedy: string;
  threads: string[];
  /** An index of `PageRun.fits`; null if that fit is not shown in full. */
  fit: number | null;
  /** The batch that it is about, or the first batch of its epoch. */
  ordinal: number | null;
  epoch: number | null;
  batch: number | null;
  callback: string | null;
  hook: string | null;
  /** File and line where the program defines the hook, such as `train.py:12`; null if left out or not known. */
  defined: string | null;
  /** File, line and function of the engine, where it is known. */
  place: EnginePlace | null;
}

/** A line of the engine. `text` names it in words, with a short path. */
interface EnginePlace {
  file: string;
  line: number;
  function: string;
  text: string;
}

interface PageFit {
  /** Such as `fit 0`. */
  name: string;
  method: string;
  engine: string;
  engine_version: string;
  fit: number;
  process: number;
  epochs: number;
  batches: number;
  /** The start, in Unix milliseconds. */
  start_ms: number;
  duration_ns: number;
  status: string;
  error: string | null;
  /** Where it raised, was killed or is now; null if it returned. */
  stood: string | null;
  /** What stopped it early; null if nothing did. */
  stopped: string | null;
  /** Where the program called it; null if that is not known or left out. */
  called: string | null;
  /** Where the time went, in one sentence. */
  verdict: string;
  /** What to do about it; null if there is nothing to say. */
  next_step: string | null;
  /** The same for the eye: all the fit's time, in parts. */
  parts: TimePart[];
  /** What else is worth saying, in sentences: fits inside it, the first batch, retraced batches. */
  remarks: string[];
  /** Its arguments, and the settings of its callbacks and of `compile`: name and value. */
  arguments: [string, string][];
  /** The phases, the costliest first. */
  phases: PhaseRow[];
  timeline: Timeline;
  details: BatchDetails;
  callbacks: CallbackHooks;
  source: EngineSource | null;
  replay: RecordedSteps | null;
  ops: SampledOps | null;
}

/** A part of a fit's time. */
interface TimePart {
  /** A class of the style sheet. */
  key: string;
  label: string;
  /** What is in it. */
  title: string;
  ns: number;
}

interface PhaseRow {
  phase: string;
  stage: string | null;
  count: number;
  total: number;
  self: number;
  mean: number | null;
  p50: number | null;
  p99: number | null;
}

// The timeline ---------------------------------------------------------------------------------------------------

/** Values of all batches: in buckets of `every` batches, and one by one in some windows. */
interface Timeline {
  batches: number;
  /** How many batches a bucket has, a power of two. 1: all batches are shown one by one, and there are no windows. */
  every: number;
  /** Batches that are shown one by one although `every` is above 1: first and last ordinal, both included. */
  windows: [number, number][];
  /** What a batch's time is made of, and the time before it: stacked from below, without those that are always 0. */
  phases: Series[];
  /** The time of the batch, and before it. */
  total: Series;
  /** The time after the last batch. */
  after_ns: number;
  /** The numbers in the logs at the batches' ends. */
  logs: LogSeries[];
  /** The slowest hooks, to filter by. */
  hooks: HookSeries[];
  /** The start of the first batch of each bucket. */
  starts: Float64Array;
  /** The start of each batch in the windows, one window after the other. */
  window_starts: Float64Array;
  /** Which batches the ordinals are. */
  runs: BatchRun[];
  /** The logs at the ends of epochs. */
  epochs: EpochLogs;
  marks: Mark[];
  /** What the page leaves out, in sentences. */
  limits: string[];
}

/** A number of each batch. */
interface Series {
  name: string;
  /** What it is, for a tooltip. */
  title: string;
  /** By bucket. NaN: no batch of the bucket has it. Where `every` is 1, `mean` is by batch, and the others are null. */
  least: Float32Array | null;
  mean: Float32Array;
  most: Float32Array | null;
  /** By batch in the windows, one window after the other. */
  window: Float32Array;
}

/** A key of the logs, in the batches of one stage. */
interface LogSeries {
  key: string;
  stage: string;
  /** The finite values. */
  values: Series;
  /** Batches one after the other with NaN or infinity: the first and the last ordinal, and the first one's value. */
  not_finite: { first: number; until: number; value: number }[];
}

/** The time of a hook in each batch and before it, and after the last batch. */
interface HookSeries {
  callback: string;
  position: number;
  hook: string;
  times: Series;
  after_ns: number;
}

/** Batches one after the other, of one stage and epoch, whose numbers grow evenly. */
interface BatchRun {
  first: number;
  count: number;
  stage: string;
  epoch: number | null;
  /** The number of the first batch, and by how much the numbers grow. */
  batch: number;
  step: number;
}

interface EpochLogs {
  epoch: number[];
  /** The ordinal of the last batch before the end of the epoch. */
  ordinal: number[];
  keys: string[];
  /** By key: the value at the end of each epoch; NaN where it is missing. */
  values: Float32Array[];
}

interface Mark {
  kind: "first" | "retraced" | "checkpoint" | "stop" | "error";
  /** The batch that it is at, or the last one before it. */
  ordinal: number;
  label: string;
}

// One batch --------------------------------------------------------------------------------------------------------

/** The spans of some batches, and of the time before each. */
interface BatchDetails {
  /** The batches that have their spans here: first and last ordinal, both included. */
  windows: [number, number][];
  /** What the page leaves out, in sentences. */
  limits: string[];
  /** The spans, in order of start. The arrays have an item for each. */
  span: Float64Array;
  /** The index of the span around it in these arrays; -1 if it is not here. */
  parent: Int32Array;
  /** The innermost batch that it is in, or the one that comes after it; `Timeline.batches` after the last one. */
  ordinal: Int32Array;
  /** Whether it is inside of that batch, or before it. */
  inside: Uint8Array;
  start: Float64Array;
  duration: Float64Array;
  /** Indices of `names`, of `phases` and of `threads`. */
  name: Int32Array;
  phase: Uint8Array;
  thread: Uint16Array;
  /** Index of `hooks`; -1 if it is no hook of a callback. */
  hook: Int32Array;
  /** 0: ok, 1: error, 2: unfinished. */
  status: Uint8Array;
  /** Indices of `logs`; -1 if it is no hook. */
  before: Int32Array;
  after: Int32Array;
  names: string[];
  phases: string[];
  threads: string[];
  hooks: { callback: string; position: number; hook: string }[];
  /** The logs at hooks, each once: key and value. */
  logs: [string, number | string][][];
}

// Callbacks × hooks -------------------------------------------------------------------------------------------------

interface CallbackHooks {
  /** The hooks, in the order in which they were first called. */
  hooks: string[];
  /** The slowest first. */
  rows: HookRow[];
  /** What the page has not, in a sentence; null if it has all. */
  limit: string | null;
}

/** The calls of one hook of one callback. */
interface HookRow {
  callback: string;
  position: number;
  hook: string;
  count: number;
  total: number;
  mean: number;
  p99: number;
  slowest: number;
}

// Source and replay ---------------------------------------------------------------------------------------------------

interface EngineSource {
  /** The functions that ran, the slowest first. */
  functions: SourceFunction[];
  /** What the page leaves out, in a sentence. */
  limit: string | null;
}

interface SourceFunction {
  name: string;
  file: string;
  /** The path below `site-packages`, or the last parts of it. */
  short_file: string;
  /** The number of its first line. */
  first: number;
  /** Its lines; empty if they are not in the page. A line is its tokens: a class, or an empty text, and the code. */
  lines: [string, string][][];
  duration_ns: number;
  statements: Statement[];
  /** The lines of branches and loops, each with the lines of the loops around it. */
  branching: [number, number[]][];
}

interface Statement {
  line: number;
  end_line: number;
  visits: number;
  entered: number;
  passed: number;
  duration_ns: number | null;
  together: number;
}

/** The steps of a fit. `fittrace/report/model/recorded_steps.py` says what each of the arrays has. */
interface RecordedSteps {
  steps: number;
  phases: string[];
  stages: string[];
  /** Callback, position and hook. */
  hooks: [string, number, string][];
  kinds: {
    first: Uint32Array;
    function: Int16Array;
    line: Int32Array;
    end_line: Int32Array;
    depth: Uint16Array;
    phase: Int8Array;
    arm: Int8Array;
    span: Int32Array;
    clock: Uint8Array;
    clock_of: Int32Array;
    spans: Int32Array;
    kept: Int32Array;
    last: Uint8Array;
    last_of: Int32Array;
    opened_first: Uint32Array;
    opened: Int32Array;
  };
  /** The facts of the spans that turns open: `fittrace/report/model/turn_facts.py`. */
  patterns: {
    first: Uint32Array;
    stage: Int8Array;
    epoch: Int32Array;
    batch: Int32Array;
    hook: Int16Array;
    begins_batch: Uint8Array;
    shift: Uint8Array;
  };
  runs: {
    kind: Int32Array;
    turns: Uint32Array;
    skipped: Float64Array;
    pattern: Int32Array;
    epoch: Int32Array;
    epoch_step: Int32Array;
    batch: Int32Array;
    batch_step: Int32Array;
    ordinal: Int32Array;
    clocks: Int32Array;
  };
  clocks: Float64Array;
  /** The variables that were recorded, by index of the step. */
  variables: { [step: string]: [string, number | string | boolean][] };
  /** The stretches of steps whose variables are all in the page: the first and the last step of each. */
  complete: [number, number][];
}

// Ops ------------------------------------------------------------------------------------------------------------------

interface SampledOps {
  /** Which batches were sampled, and how they spent their time, in sentences. */
  summary: string[];
  /** The slowest ops of the sampled batches. `share` is that of the function's time, from 0 to 1. */
  table: { name: string; type: string; device: string; count: number; self: number; mean: number; share: number }[];
  /** Some sampled batches, with the ops that ran in each. */
  batches: SampledBatch[];
  lanes: string[];
  names: string[];
  /** What the page has not: batches and ops beyond a limit. */
  limit: string | null;
}

interface SampledBatch {
  ordinal: number;
  /** Such as `epoch 0, batch 5`. */
  label: string;
  function_ns: number;
  /** How many ops ran; `ops` may have fewer. */
  count: number;
  ops: BatchOps;
}

/** The ops of a batch in order of start. The arrays have an item for each. */
interface BatchOps {
  /** An index of `SampledOps.lanes`. */
  lane: Uint16Array;
  /** 0: on the host, 1: on a device, 2: waiting for data, 3: in the data pipeline. */
  kind: Uint8Array;
  /** From the start of the backend's function. */
  start: Float32Array;
  duration: Float32Array;
  /** An index of `SampledOps.names`. */
  name: Int32Array;
}

/** What differs between the runs A and B of a page. */
interface Differences {
  found: {
    /** Such as `hooks`, `logs` and `flow`, and what differs: `lost`, `added`, `value`. */
    aspect: string;
    kind: string;
    /** The number of the pair of fits; null where it is about all of them. */
    fit: number | null;
    epoch: number | null;
    batch: number | null;
    message: string;
  }[];
  times: {
    fit: number;
    count_a: number;
    count_b: number;
    total_a_ns: number;
    total_b_ns: number;
    median_a_ns: number;
    median_b_ns: number;
    /** The median of B over that of A, and the factor by which that may be wrong by chance. */
    ratio: number;
    noise: number | null;
    /** Whether they differ by more than tolerance and chance. */
    differs: boolean;
  }[];
  /** What each of `times` is the time of. */
  time_names: string[];
}
