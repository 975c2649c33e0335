// L1: what a VM that runs is still waited for is told, ends by itself, and changes nothing else.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  comingOf,
  GUEST_LIMIT_MS,
  SCREEN_LIMIT_MS,
  showsSomething,
} from '../../../../electron/control/vm/coming.ts';
import { QemuSupervisor } from '../../../../electron/control/vm/supervisor.ts';
import type { Coming, VmState } from '../../../../shared/vm.ts';
import { FakeHost } from '../../../support/fake-qemu.ts';
import { specOf } from '../../../support/memory-world.ts';

type Rgb = readonly [number, number, number];
function picture(width: number, height: number, colour: (x: number, y: number) => Rgb): Buffer {
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) pixels.set(colour(x, y), (y * width + x) * 3);
  return Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), pixels]);
}
const BLACK: Rgb = [0, 0, 0];
const GREY: Rgb = [170, 170, 170];
const one = (atX: number, atY: number) => (x: number, y: number) => (x === atX && y === atY ? GREY : BLACK);

describe('whether a screen shows anything', () => {
  it('one colour is nothing, whichever; one pixel of another is something', () => {
    void fc.assert(
      fc.property(fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)), fc.nat(39), fc.nat(24), (rgb, x, y) => {
        expect(showsSomething(picture(40, 25, () => rgb))).toBe(false);
        const other: Rgb = [rgb[0] ^ 1, rgb[1], rgb[2]];
        expect(showsSomething(picture(40, 25, (atX, atY) => (atX === x && atY === y ? other : rgb)))).toBe(
          true,
        );
      }),
      { numRuns: 30 },
    );
  });

  it('what QEMU itself writes before there is a display is nothing; the same place of another size is', () => {
    expect(showsSomething(picture(640, 480, one(300, 230)))).toBe(false);
    expect(showsSomething(picture(640, 480, one(300, 240)))).toBe(true);
    expect(showsSomething(picture(640, 400, one(300, 230)))).toBe(true);
  });

  it('bytes that are no whole picture are nothing, and never a throw', () => {
    const whole = picture(40, 25, one(3, 3));
    expect(showsSomething(whole.subarray(0, whole.length - 1))).toBe(false);
    void fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        expect(showsSomething(bytes)).toBe(false);
      }),
    );
    expect(showsSomething(Buffer.from('P6\n99999 99999\n255\n'))).toBe(false);
    expect(showsSomething(Buffer.from('P6\n0 9\n255\n'))).toBe(false);
  });
});

describe('what is still waited for', () => {
  it('screen, then guest; each past its limit told as such; a guest that answers ends it at any time', () => {
    const at = (ms: number, hasScreen: boolean, isUp = false) => comingOf({ hasScreen, isUp }, ms);
    expect(at(0, false)).toBe('screen');
    expect(at(SCREEN_LIMIT_MS, false)).toBe('blank');
    expect(at(0, true)).toBe('guest');
    expect(at(GUEST_LIMIT_MS - 1, true)).toBe('guest');
    for (const hasScreen of [true, false]) {
      expect(at(GUEST_LIMIT_MS, hasScreen)).toBe('silent');
      for (const ms of [0, SCREEN_LIMIT_MS, GUEST_LIMIT_MS]) expect(at(ms, hasScreen, true)).toBeNull();
    }
  });
});

const NO_DRIVER = { status: { statuses: ['VIRTIO_CONFIG_S_ACKNOWLEDGE'] } };
let host: FakeHost;
let told: (Coming | null)[];
let last: VmState;
let screen: Buffer | 'refused';
let driver: unknown;

async function started(): Promise<QemuSupervisor> {
  const supervisor = new QemuSupervisor({
    spec: specOf(1),
    folders: { home: '/home', run: '/run' },
    ports: host.ports(),
  });
  supervisor.onChange(state => {
    last = state;
    if (state.phase === 'running' && told.at(-1) !== state.coming) told.push(state.coming);
  });
  await supervisor.start(new AbortController().signal, () => undefined);
  return supervisor;
}
const asked = (command: string): number =>
  host.qmp?.asked.filter(({ execute }) => execute === command).length ?? 0;

beforeEach(() => {
  host = new FakeHost();
  told = [];
  screen = picture(40, 25, () => BLACK);
  driver = NO_DRIVER;
  const { qmp } = host;
  if (qmp === null) return;
  const usual = qmp.answer;
  qmp.answer = question => {
    if (question.execute === 'screendump') {
      if (screen === 'refused') return undefined;
      host.files.set('/run/first-screen.ppm', screen);
    }
    return question.execute === 'x-query-virtio-status' ? driver : usual(question);
  };
});

describe('a VM that was just started', () => {
  it('runs at once; tells of its screen, then of its guest; then of nothing, and is not looked at any more', async () => {
    await started();
    expect(last.phase).toBe('running');
    await host.run(3_000);
    expect(last).toMatchObject({ phase: 'running', coming: 'screen' });
    screen = picture(40, 25, one(3, 3));
    await host.run(2_000);
    expect(last.coming).toBe('guest');
    const dumps = asked('screendump');
    driver = { status: { statuses: ['VIRTIO_CONFIG_S_DRIVER_OK: Driver setup and ready'] } };
    await host.run(2_000);
    expect(told).toEqual([null, 'screen', 'guest', null]);
    expect(asked('screendump')).toBe(dumps);
    const questions = host.qmp?.asked.length;
    await host.run(10_000);
    expect(host.qmp?.asked.length).toBe(questions);
    expect(host.files.has('/run/first-screen.ppm')).toBe(false);
  });

  it('with neither agent nor driver, on a blank screen, runs on; that is said, and no longer looked for', async () => {
    await started();
    await host.run(GUEST_LIMIT_MS + 2_000);
    expect(told).toEqual([null, 'screen', 'blank', 'silent']);
    expect(last).toMatchObject({ phase: 'running', error: null });
    const questions = host.qmp?.asked.length;
    await host.run(10_000);
    expect(host.qmp?.asked.length).toBe(questions);
    // Somebody listens after all.
    host.qmp?.say({ event: 'VSERPORT_CHANGE', data: { id: 'qgaport', open: true } });
    await host.run(100);
    expect(last).toMatchObject({ guestUp: true, coming: null });
  });

  it('whose QEMU gives no picture is a VM that runs', async () => {
    screen = 'refused';
    await started();
    await host.run(SCREEN_LIMIT_MS + 10_000);
    expect(last).toMatchObject({ phase: 'running', coming: 'blank', error: null });
  });

  it('that is reset begins anew, however often, and is looked at by one', async () => {
    screen = picture(40, 25, one(3, 3));
    await started();
    await host.run(2_000);
    expect(last.coming).toBe('guest');
    screen = picture(40, 25, () => BLACK);
    for (let count = 0; count < 50; count += 1) host.qmp?.say({ event: 'RESET', data: {} });
    const before = asked('screendump');
    await host.run(5_000);
    expect(last.coming).toBe('screen');
    expect(asked('screendump') - before).toBeLessThanOrEqual(6);
  });

  it('that is paused is not looked at; nothing is told of it', async () => {
    const supervisor = await started();
    await host.run(2_000);
    await supervisor.pause();
    await host.run(2_000);
    expect(last).toMatchObject({ phase: 'paused', coming: null });
    const questions = host.qmp?.asked.length;
    await host.run(5_000);
    expect(host.qmp?.asked.length).toBe(questions);
    await supervisor.resume();
    await host.run(2_000);
    expect(last.coming).toBe('screen');
  });
});
