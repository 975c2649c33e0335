import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeQmp, encodeQmp } from '../../../../electron/control/qmp/codec.ts';
import { probeSector } from '../../../../electron/control/setup/accelerator.ts';
import { DISK_SPOILED_TEXT, diskErrorText } from '../../../../electron/control/vm/qemu-events.ts';
import { Recovery } from '../../../../electron/control/vm/resume-when-well.ts';
import { initialState, nextState, type VmEvent } from '../../../../electron/control/vm/state.ts';
import { isLive } from '../../../../shared/vm-phase.ts';
import { TestClock, uuid } from '../../../support/memory-world.ts';

const error = { code: 'vm.died', what: 'QEMU ended.', safe: '', todo: '' } as const;
const run = (...events: VmEvent[]) =>
  events.reduce((state, event, index) => nextState(state, event, index + 1), initialState(0, false));

const WELL = { healthy: async () => undefined, isSpoiled: async () => false };

describe('the state machine of a VM', () => {
  it('L1: the happy path', () => {
    expect(
      run(
        { kind: 'start' },
        { kind: 'spawned', pid: 7, accelerator: 'tcg' },
        { kind: 'running' },
        { kind: 'guest-up' },
      ),
    ).toMatchObject({ phase: 'running', pid: 7, guestUp: true });
    expect(
      run({ kind: 'start' }, { kind: 'running' }, { kind: 'stop' }, { kind: 'ended', error: null }),
    ).toMatchObject({ phase: 'off', pid: null, error: null });
  });

  it('L1: QEMU dying unasked is a failure with its words; a refused shutdown goes on running', () => {
    expect(run({ kind: 'start' }, { kind: 'running' }, { kind: 'ended', error })).toMatchObject({
      phase: 'failed',
      error,
    });
    expect(
      run({ kind: 'start' }, { kind: 'running' }, { kind: 'stop' }, { kind: 'stop-refused', error }),
    ).toMatchObject({ phase: 'running', error });
  });

  it('L1: events that come late or twice never bring a dead VM to life', () => {
    const any = fc.constantFrom<VmEvent>(
      { kind: 'running' },
      { kind: 'paused', why: 'x' },
      { kind: 'guest-up' },
      { kind: 'guest-down' },
      { kind: 'step', words: 'w' },
      { kind: 'stop' },
      { kind: 'suspend' },
      { kind: 'spawned', pid: 1, accelerator: 'tcg' },
    );
    fc.assert(
      fc.property(fc.array(any, { maxLength: 30 }), events => {
        const state = run({ kind: 'start' }, { kind: 'running' }, { kind: 'ended', error: null }, ...events);
        expect(isLive(state.phase)).toBe(false);
        expect(state.pid).toBeNull();
      }),
    );
  });

  it('L5: a VM paused by its disk resumes when storage answers and it stays running', async () => {
    const clock = new TestClock();
    const calls: string[] = [];
    let state = run({ kind: 'start' }, { kind: 'running' });
    let healthyAfter = 3;
    let conts = 0;
    const recovery = new Recovery(
      {
        clock,
        storage: {
          healthy: async () => {
            if (healthyAfter-- > 0) throw new Error('away');
          },
          isSpoiled: async () => false,
        },
        log: () => undefined,
      },
      {
        state: () => state,
        feed: event => {
          calls.push(event.kind);
          state = nextState(state, event, 0);
        },
      },
    );
    const execute = async (command: string): Promise<object> => {
      calls.push(command);
      conts++;
      return {};
    };
    const guest = { vmId: uuid(1), status: async () => ({ status: 'x', running: conts >= 2 }) };
    void recovery.begin({ guest, qmp: { isOpen: true, execute }, isAtBarrier: false }, 'full');
    for (let second = 0; second < 60; second++) await clock.advance(1_000);
    // Three times away, one `cont` that fails at once, one that holds, which is told of.
    expect(calls).toEqual(['paused', 'paused', 'paused', 'paused', 'cont', 'paused', 'cont', 'running']);
  });

  it('L5: of one that goes on, everybody who waits for it is told, once', async () => {
    const clock = new TestClock();
    let state = run({ kind: 'start' }, { kind: 'running' });
    const feed = (event: VmEvent): void => {
      state = nextState(state, event, 0);
    };
    const ports = { clock, storage: WELL, log: () => undefined };
    const recovery = new Recovery(ports, { state: () => state, feed });
    const guest = { vmId: uuid(1), status: async () => ({ status: 'running', running: true }) };
    const live = { guest, qmp: { isOpen: true, execute: async () => ({}) }, isAtBarrier: false };
    const told: string[] = [];
    void recovery.begin(live, 'full');
    void recovery.begin(live, 'saved', () => told.push('first'));
    void recovery.begin(live, 'full', () => told.push('second'));
    for (let second = 0; second < 60; second++) await clock.advance(1_000);
    expect([told, state.phase]).toEqual([['first', 'second'], 'running']);
  });

  it('L5: stopped anew while it is looked at it is waited for on; paused by its owner while storage is asked it stays so', async () => {
    const clock = new TestClock();
    let state = run({ kind: 'start' }, { kind: 'running' });
    const feed = (event: VmEvent): void => {
      state = nextState(state, event, 0);
    };
    let healthy = async (): Promise<void> => undefined;
    const ports = { clock, storage: { ...WELL, healthy: () => healthy() }, log: () => undefined };
    const recovery = new Recovery(ports, { state: () => state, feed });
    let conts = 0;
    const execute = async (): Promise<object> => {
      conts++;
      return {};
    };
    const status = async () => {
      if (conts === 1) void recovery.begin(live, 'full');
      return { status: 'running', running: true };
    };
    const live = { guest: { vmId: uuid(1), status }, qmp: { isOpen: true, execute }, isAtBarrier: false };
    void recovery.begin(live, 'full');
    for (let second = 0; second < 60; second++) await clock.advance(1_000);
    expect([conts, state.phase]).toEqual([2, 'running']);
    healthy = async () => {
      feed({ kind: 'running' });
      feed({ kind: 'paused', why: '' });
    };
    void recovery.begin(live, 'full');
    for (let second = 0; second < 60; second++) await clock.advance(1_000);
    expect([conts, state.phase]).toEqual([2, 'paused']);
  });

  it('T14, L5: one whose disk takes nothing more from it is not tried again, and says what its owner is to do', async () => {
    const clock = new TestClock();
    let state = run({ kind: 'start' }, { kind: 'running' });
    const feed = (event: VmEvent): void => {
      state = nextState(state, event, 0);
    };
    const ports = { clock, storage: { ...WELL, isSpoiled: async () => true }, log: () => undefined };
    const recovery = new Recovery(ports, { state: () => state, feed });
    let conts = 0;
    const execute = async (): Promise<object> => {
      conts++;
      return {};
    };
    const guest = { vmId: uuid(1), status: async () => ({ status: 'io-error', running: false }) };
    void recovery.begin({ guest, qmp: { isOpen: true, execute }, isAtBarrier: false }, diskErrorText(false));
    for (let second = 0; second < 60; second++) await clock.advance(1_000);
    expect([conts, recovery.isWaiting, state.phase, state.detail]).toEqual([
      1,
      false,
      'paused',
      DISK_SPOILED_TEXT,
    ]);
  });

  it('L2: the probe is a boot sector that speaks on the serial port', () => {
    const sector = probeSector();
    expect(sector).toHaveLength(512);
    expect([...sector.subarray(510)]).toEqual([0x55, 0xaa]);
    expect(String.fromCharCode(...[...sector.subarray(3, 27)].filter((_, index) => index % 3 === 1))).toBe(
      'EBBLIVES',
    );
  });
});

describe('QMP lines', () => {
  it('L1: any bytes decode to a message or to null, never to an exception', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), line => void decodeQmp(line)),
      { numRuns: 2000 },
    );
  });
  it('L1: greetings, answers, refusals and events are told apart', () => {
    expect(
      decodeQmp(
        '{"QMP":{"version":{"qemu":{"micro":22,"minor":2,"major":7},"package":""},"capabilities":[]}}',
      ),
    ).toEqual({ kind: 'greeting', version: '7.2.22' });
    expect(decodeQmp('{"return":{},"id":3}')).toEqual({ kind: 'reply', id: 3, value: {} });
    expect(decodeQmp('{"error":{"class":"DeviceNotActive","desc":"No balloon"},"id":4}')).toMatchObject({
      kind: 'failure',
      id: 4,
      errorClass: 'DeviceNotActive',
    });
    expect(decodeQmp('{"event":"STOP","timestamp":{"seconds":1,"microseconds":2}}')).toEqual({
      kind: 'event',
      name: 'STOP',
      data: {},
    });
    expect(JSON.parse(encodeQmp(1, 'balloon', { value: 5 }))).toEqual({
      execute: 'balloon',
      arguments: { value: 5 },
      id: 1,
    });
  });
});
