// Holds the policy in force: looks at the policy files every two seconds, keeps what each of them last said,
// and tells its listeners of changes. A file that cannot be read is never taken for a file that is not there.
import type { PolicyReport } from '../../../shared/policy/report.ts';
import { messageOf } from '../../../shared/result.ts';
import type { Clock, Timer } from '../../platform/ports.ts';
import { Policy } from './policy.ts';
import { type LastGood, type LayerFolder, type Reading, readingOf } from './reading.ts';
import { reportOf } from './report.ts';
import { resolvePolicy, type UserValues } from './resolve.ts';

/** A changed file is to be in force within five seconds: this leaves room for a slow disk. */
const LOOK_MS = 2_000;

export interface DeskPorts {
  readonly clock: Clock;
  /** In order of authority: the system's first. */
  readonly look: () => readonly LayerFolder[];
  readonly lastGood: { readonly read: () => LastGood; readonly write: (texts: LastGood) => void };
  /** What people set, and what is built in. */
  readonly user: () => UserValues;
  readonly defaults: () => UserValues;
  readonly log: (line: string) => void;
}

interface State {
  readonly seen: string;
  readonly folders: readonly string[];
  readonly reading: Reading;
  readonly policy: Policy;
}

export class PolicyDesk {
  readonly #ports: DeskPorts;
  readonly #listeners = new Set<() => void>();
  #state: State;
  #timer: Timer | null = null;

  /** Reads the policy before anything is served: control is never without one. */
  constructor(ports: DeskPorts) {
    this.#ports = ports;
    this.#state = this.#read(ports.look(), { lastGood: ports.lastGood.read() });
    this.#kept({});
  }

  begin(): void {
    this.#tell();
    this.#timer = this.#ports.clock.every(LOOK_MS, () => this.look());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get policy(): Policy {
    return this.#state.policy;
  }

  report(): PolicyReport {
    const { folders, reading, policy } = this.#state;
    const { user, defaults } = this.#ports;
    return reportOf({ folders, reading, resolved: policy.keys, user: user(), defaults: defaults() });
  }

  /** Runs in a timer: nothing may be thrown. */
  look(): void {
    try {
      const folders = this.#ports.look();
      if (JSON.stringify(folders) === this.#state.seen) return;
      const before = this.#state.reading;
      this.#state = this.#read(folders, before);
      this.#kept(before.lastGood);
      this.#tell();
    } catch (cause) {
      this.#ports.log(`policy: ${messageOf(cause)}; what was in force stays`);
    }
  }

  /** People changed what they set. */
  userChanged(): void {
    const { reading, seen, folders } = this.#state;
    this.#state = { seen, folders, reading, policy: this.#resolve(reading) };
    this.#tell();
  }

  #read(
    found: readonly LayerFolder[],
    { lastGood, trusted }: Pick<Reading, 'lastGood'> & Partial<Reading>,
  ): State {
    const reading = readingOf(found, lastGood, trusted);
    const folders = found.map(({ path }) => path);
    return { seen: JSON.stringify(found), folders, reading, policy: this.#resolve(reading) };
  }

  #resolve({ spoken }: Reading): Policy {
    const { user, defaults } = this.#ports;
    return new Policy(resolvePolicy({ spoken, user: user(), defaults: defaults() }));
  }

  /** Keeps what the files say for the next control, and logs it. */
  #kept(before: LastGood): void {
    const { log, lastGood } = this.#ports;
    const { reading } = this.#state;
    for (const { path, state, problems } of reading.files)
      log(`policy: ${path}: ${state}${problems.map(({ line, what }) => `; line ${line}: ${what}`).join('')}`);
    if (JSON.stringify(reading.lastGood) === JSON.stringify(before)) return;
    try {
      lastGood.write(reading.lastGood);
    } catch (cause) {
      log(`policy: what files say could not be kept: ${String(cause)}`);
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
