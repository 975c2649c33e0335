// The one form of `sim`, `guest` and `bench` (issue: same form from the start): a JSON document for machines, a
// table for people. Exit status is 0 when it ran, whatever it found.
import { cpus, totalmem } from 'node:os';

export interface SwitchOffResult {
  readonly name: string;
  readonly runs: number;
  readonly violations: number;
}

export interface BenchRow {
  readonly work: string;
  readonly peer: string;
  readonly ours: number;
  readonly theirs: number;
  /** ours ÷ theirs in the sense "higher is better for us" unless `work` says otherwise. */
  readonly ratio: number;
  /** (max − min) ÷ median over the repetitions. */
  readonly spread: number;
  readonly target: string;
  readonly met: boolean;
}

export interface SimOutcome {
  readonly runs: number;
  /** One line each, with what is needed to replay it. */
  readonly violations: readonly string[];
  readonly switchOffs: readonly SwitchOffResult[];
  readonly rows?: readonly BenchRow[];
  /** What there was nothing to run for, and why. */
  readonly void?: readonly string[];
  /** Whatever else it has to tell, a row each. */
  readonly told?: readonly Readonly<Record<string, unknown>>[];
}

export interface SuiteOptions {
  readonly seed: number;
  readonly quick: boolean;
  /** Further `--name value` options, e.g. crashes. */
  readonly options: Readonly<Record<string, string>>;
  /** Progress lines, to stderr. */
  readonly say: (line: string) => void;
}

/** A folder test/<kind>/<suite>/ has a suite.ts exporting `run`. */
export type SimSuite = { readonly run: (options: SuiteOptions) => Promise<SimOutcome> };
export type BenchSuite = { readonly run: (options: SuiteOptions) => Promise<{ rows: readonly BenchRow[] }> };

/** Of numbers in any order; 0 of none. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

export const machine = (): string => {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
};
