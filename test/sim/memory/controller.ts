// One life of the control service: the real MemoryManager over ports that die with it. It can be made to die
// at any step of the journal or of a command, before the step or after it. What a dead controller still calls
// reaches nobody.

import type { MemoryPolicy } from '../../../electron/control/memory/budget.ts';
import type { MemoryJournal } from '../../../electron/control/memory/journal.ts';
import { type ManagerPorts, MemoryManager } from '../../../electron/control/memory/manager.ts';
import type { MemorySwitchOffs } from '../../../electron/control/memory/switch-offs.ts';
import type { GuestPort, GuestSample } from '../../../electron/control/ports.ts';
import { uuid } from '../../support/memory-world.ts';
import type { Seeded } from '../../support/seeded.ts';
import type { SimClock } from './clock.ts';
import type { SimGuest } from './guest.ts';

export interface ControllerInput {
  readonly clock: SimClock;
  readonly random: Seeded;
  readonly journal: MemoryJournal;
  readonly host: ManagerPorts['host'];
  readonly policy: Partial<MemoryPolicy>;
  readonly switchOff: MemorySwitchOffs;
  /** A command is on its way: from now on the guest may act on it. */
  readonly sent: (guest: SimGuest, targetMib: number) => void;
  readonly heard: (guest: SimGuest, targetMib: number) => void;
  readonly died: () => void;
  /** The guest told its figures to a live controller. */
  readonly sampled?: (guest: SimGuest, controller: Controller) => void;
  readonly log: (line: string) => void;
}

export interface Line {
  readonly guest: SimGuest;
  /** QMP does not answer before this time. */
  hungUntilMs: number;
  latencyMs: number;
}

const MIB = 1024;
const EPOCH_MS = 1_700_000_000_000;
const never = <T>(): Promise<T> => new Promise(() => undefined);
const WRITES = ['putTarget', 'dropTarget', 'putOverhead', 'putLease', 'dropLease', 'append'] as const;

class Died extends Error {}

export class Controller {
  readonly manager: MemoryManager;
  isAlive = true;
  /** The disk is full until then: nothing can be written. */
  fullUntilMs = 0;
  /** Steps until the controller dies; each write or command is a step before it and one after it. */
  deathIn: number | null = null;
  readonly #input: ControllerInput;

  constructor(input: ControllerInput) {
    this.#input = input;
    const { clock, random, host, log } = input;
    this.manager = new MemoryManager(
      {
        clock: {
          wallMs: () => clock.wallMs(),
          monotonicMs: () => clock.monotonicMs(),
          after: (ms, run) => clock.after(ms, () => void (this.isAlive && run())),
          every: () => clock.every(),
        },
        random: {
          uuid: () => uuid(random.next()),
          bytes: length => new Uint8Array(length),
        },
        journal: this.#journal(),
        host,
        log: line => void (this.isAlive && log(line)),
        switchOff: input.switchOff,
      },
      input.policy,
    );
  }

  get isFull(): boolean {
    return this.#input.clock.monotonicMs() < this.fullUntilMs;
  }

  die(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.manager.stop();
    this.#input.died();
  }

  /** What a supervisor tells the manager. The controller may die in it, as in anything else. */
  tell(what: (manager: MemoryManager) => void): void {
    if (!this.isAlive) return;
    try {
      what(this.manager);
    } catch (cause) {
      if (!(cause instanceof Died)) throw cause;
    }
  }

  #step(): void {
    if (this.deathIn !== null && this.deathIn-- <= 0) this.die();
    if (!this.isAlive) throw new Died('the controller is dead');
  }

  #journal(): MemoryJournal {
    const mortal: Record<string, unknown> = { ...this.#input.journal };
    for (const name of WRITES) {
      const write = this.#input.journal[name] as (...args: unknown[]) => void;
      mortal[name] = (...args: unknown[]): void => {
        this.#step();
        if (this.isFull && name !== 'dropTarget' && name !== 'dropLease') throw new Error('the disk is full');
        write(...args);
        this.#step();
      };
    }
    return mortal as unknown as MemoryJournal;
  }

  #sample(guest: SimGuest): GuestSample {
    this.#input.sampled?.(guest, this);
    return guest.sample(EPOCH_MS);
  }

  /** QMP: one line per guest, answered in the order it was asked. */
  port(line: Line): GuestPort {
    const { clock } = this.#input;
    const { guest } = line;
    let last: Promise<unknown> = Promise.resolve();
    const inTurn = <T>(ask: () => T): Promise<T> => {
      const answer = last.then(async () => {
        await clock.sleep(line.latencyMs / 2);
        while (clock.monotonicMs() < line.hungUntilMs) await clock.sleep(100);
        if (!this.isAlive || guest.isGone) return never<T>();
        const value = ask();
        await clock.sleep(line.latencyMs / 2);
        return this.isAlive ? value : never<T>();
      });
      last = answer;
      return answer;
    };
    return {
      vmId: guest.id,
      residentKib: () => Math.round(guest.residentMib * MIB),
      sample: (): Promise<GuestSample> => (this.isAlive ? inTurn(() => this.#sample(guest)) : never()),
      setTarget: kib => {
        if (!this.isAlive) return never();
        this.#step();
        this.#input.sent(guest, kib / MIB);
        return inTurn(() => {
          this.#input.heard(guest, kib / MIB);
          if (this.deathIn !== null && this.deathIn-- <= 0) this.die();
        });
      },
    };
  }
}
