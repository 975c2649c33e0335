// Updates Ebb itself, where a package can replace itself. A new version is looked for and fetched if IT
// allows it, and installed when the person agrees and no task is in the middle of its work. Control tells
// both (app.updates). Services and VMs run on; the next start takes them over (DESIGN §2).
import type { Clock, Timer } from '../../platform/ports.ts';

export interface UpdatesAllowed {
  readonly mayLook: boolean;
  readonly mayInstall: boolean;
}
export interface UpdatePorts {
  readonly clock: Clock;
  readonly allowed: () => Promise<UpdatesAllowed>;
  /** Looks for a newer version and fetches it; its number, or null: there is none. */
  readonly fetch: () => Promise<string | null>;
  /** Ends this program and starts the newer one. */
  readonly install: () => void;
  /** Asks the person. */
  readonly confirm: (version: string) => Promise<boolean>;
  readonly log: (line: string) => void;
}

const ROUND_MS = 15 * 60_000;
const LOOK_EVERY_MS = 6 * 3600_000;

/** A deb is replaced by the package manager. Without a feed of releases there is nothing to look at. */
export const replacesItself = (package_: {
  readonly platform: string;
  readonly isPackaged: boolean;
  readonly appImage: string | undefined;
  readonly hasFeed: boolean;
}): boolean =>
  package_.isPackaged &&
  package_.hasFeed &&
  (package_.platform !== 'linux' || package_.appImage !== undefined);

export interface UpdateState {
  /** The version that is fetched but not installed. */
  readonly ready: string | null;
  /** The version to which the person said "later". */
  readonly declined: string | null;
  readonly lookedAtMs: number | null;
}

export function nextStep(
  state: UpdateState,
  allowed: UpdatesAllowed,
  nowMs: number,
): 'look' | 'offer' | 'wait' {
  if (!allowed.mayLook) return 'wait';
  if (state.ready !== null && state.ready !== state.declined) return allowed.mayInstall ? 'offer' : 'wait';
  return state.lookedAtMs === null || nowMs - state.lookedAtMs >= LOOK_EVERY_MS ? 'look' : 'wait';
}

export function keepUpToDate(ports: UpdatePorts): Timer {
  const { clock, allowed, log } = ports;
  let state: UpdateState = { ready: null, declined: null, lookedAtMs: null };
  let isBusy = false;
  const round = async (): Promise<void> => {
    let step = nextStep(state, await allowed(), clock.monotonicMs());
    if (step === 'look') {
      // Set before the answer, so that a feed that fails is asked again in hours, not at once.
      state = { ...state, lookedAtMs: clock.monotonicMs() };
      state = { ...state, ready: (await ports.fetch()) ?? state.ready };
      step = nextStep(state, await allowed(), clock.monotonicMs());
    }
    if (step !== 'offer' || state.ready === null) return;
    if (!(await ports.confirm(state.ready))) state = { ...state, declined: state.ready };
    // A task may have begun while the person decided.
    else if ((await allowed()).mayInstall) ports.install();
    else log('the update waits for a task');
  };
  const begin = (): void => {
    if (isBusy) return;
    isBusy = true;
    round()
      .catch((cause: unknown) => log(`update: ${String(cause)}`))
      .finally(() => {
        isBusy = false;
      });
  };
  begin();
  return clock.every(ROUND_MS, begin);
}
