// One client of QEMU's socket, any number of viewers: bounded in what is kept, read and typed.
import { beforeEach, describe, expect, it } from 'vitest';
import { SerialLines } from '../../../../electron/control/serial/lines.ts';
import type { ByteStream } from '../../../../electron/platform/byte-stream.ts';
import { Fault } from '../../../../shared/result.ts';
import type { CallContext } from '../../../../shared/rpc/server.ts';
import { TestClock, uuid } from '../../../support/memory-world.ts';

/** QEMU's end. */
class Wire implements ByteStream {
  readonly written: string[] = [];
  unsent = 0;
  isPaused = false;
  #data: (chunk: Buffer) => void = () => undefined;
  #closes: () => void = () => undefined;
  prints(text: string | Buffer): void {
    this.#data(Buffer.from(text));
  }
  write(bytes: Uint8Array): boolean {
    this.written.push(Buffer.from(bytes).toString());
    return true;
  }
  unsentBytes = (): number => this.unsent;
  onData(listener: (chunk: Buffer) => void): void {
    this.#data = listener;
  }
  onDrain = (): void => undefined;
  onClose(listener: () => void): void {
    this.#closes = listener;
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  end(): void {
    this.#closes();
  }
  destroy(): void {
    this.#closes();
  }
}

interface Viewer {
  readonly context: CallContext;
  readonly heard: () => string;
  readonly pieces: { base64: string; end: boolean }[];
  readonly leaves: () => void;
}
function viewer(id: number, kind: 'local' | 'browser' = 'local'): Viewer {
  const pieces: Viewer['pieces'] = [];
  let leaves = (): void => undefined;
  const context = {
    signal: new AbortController().signal,
    caller: { id, kind, role: 'admin', onGone: (run: () => void) => (leaves = run) },
    emit: (_topic: string, _key: string, payload: unknown) => pieces.push(payload as (typeof pieces)[0]),
  } as unknown as CallContext;
  const heard = (): string =>
    Buffer.concat(pieces.map(({ base64 }) => Buffer.from(base64, 'base64'))).toString();
  return { context, heard, pieces, leaves: () => leaves() };
}

const VM = uuid(1) as never;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
let clock: TestClock;
let wires: Wire[];
let lines: SerialLines;
const open = (who: Viewer): Promise<void> => lines.open(VM, '/run/serial', who.context);
/** Whatever can be done at once is. */
const waiting = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const wire = (): Wire => wires.at(-1) as Wire;

beforeEach(() => {
  clock = new TestClock();
  wires = [];
  const connect = (): Promise<ByteStream> => {
    wires.push(new Wire());
    return Promise.resolve(wire());
  };
  lines = new SerialLines({ connect, clock });
});

describe('a serial line', () => {
  it('that nobody answers at is opened for nobody, and is not open', async () => {
    const nobody = new Fault({ code: 'qemu.refused', what: 'Nobody.', safe: '', todo: '' });
    lines = new SerialLines({ connect: () => Promise.reject(nobody), clock });
    const who = viewer(1);
    const opening = open(who);
    const sending = lines.send(VM, base64('x'), who.context);
    const closing = lines.close(VM, who.context);
    await expect(opening).rejects.toBe(nobody);
    await expect(sending).rejects.toMatchObject({ body: { code: 'vm.wrong-state' } });
    await closing;
  });

  it('is opened once for all who look, and later ones hear what was kept', async () => {
    const [first, second] = [viewer(1), viewer(2)];
    await Promise.all([open(first), open(second)]);
    expect(wires).toHaveLength(1);
    wire().prints('login: \u001b]0;title\u0007');
    await clock.advance(100);
    expect([first.heard(), second.heard()]).toEqual(['login: ', 'login: ']);
    first.leaves();
    second.leaves();
    await Promise.resolve();
    wire().prints('more');
    await clock.advance(100);
    expect(first.heard()).toBe('login: ');
    const third = viewer(3);
    await open(third);
    expect(third.heard()).toBe('login: more');
    expect(wires).toHaveLength(1);
  });

  it('of a browser that may not look any more ends, also while it is being opened; another goes on', async () => {
    const [local, browser, late] = [viewer(1), viewer(2, 'browser'), viewer(3, 'browser')];
    await open(local);
    await open(browser);
    const opening = open(late);
    lines.endOfBrowsers();
    await expect(opening).rejects.toMatchObject({ body: { code: 'vm.wrong-state' } });
    wire().prints('secret');
    await clock.advance(100);
    expect([local.heard(), browser.pieces]).toEqual(['secret', [{ base64: '', end: true }]]);
    await expect(lines.send(VM, base64('ls'), browser.context)).rejects.toThrow();
    await open(browser);
    expect(browser.heard()).toBe('secret');
  });

  it('keeps whole lines of the last of it, however much was printed', async () => {
    await open(viewer(1));
    for (let count = 0; count < 5_000; count += 1) {
      wire().prints(`line ${count} ${'x'.repeat(40)}\r\n`);
      if (count % 100 === 0) await clock.advance(100);
    }
    await clock.advance(100);
    const late = viewer(2);
    await open(late);
    expect(late.heard().length).toBeLessThanOrEqual(64 * 1024);
    expect(late.heard()).toMatch(/^line \d+ x/);
    expect(late.heard()).toContain('line 4999 ');
  });

  it('a letter cut in two by QEMU arrives whole', async () => {
    const who = viewer(1);
    await open(who);
    const bytes = Buffer.from('中');
    wire().prints(bytes.subarray(0, 1));
    await clock.advance(100);
    wire().prints(bytes.subarray(1));
    await clock.advance(100);
    expect(who.heard()).toBe('中');
  });

  it('is read no faster than a bound', async () => {
    await open(viewer(1));
    wire().prints('x'.repeat(64 * 1024));
    expect(wire().isPaused).toBe(true);
    await clock.advance(100);
    expect(wire().isPaused).toBe(false);
  });

  it('is typed into by those who opened it, while the guest listens', async () => {
    const [who, other] = [viewer(1), viewer(2)];
    await open(who);
    await lines.send(VM, base64('ls\r'), who.context);
    expect(wire().written).toEqual(['ls\r']);
    await expect(lines.send(VM, base64('x'), other.context)).rejects.toMatchObject({
      body: { code: 'vm.wrong-state' },
    });
    wire().unsent = 64 * 1024;
    const unheard = expect(lines.send(VM, base64('x'), who.context)).rejects.toMatchObject({
      body: { code: 'limit.reached' },
    });
    await waiting();
    await clock.advance(6_000);
    await unheard;
    expect(wire().written).toEqual(['ls\r']);
    wire().unsent = 0;
    await lines.close(VM, who.context);
    await expect(lines.send(VM, base64('x'), who.context)).rejects.toMatchObject({
      body: { code: 'vm.wrong-state' },
    });
  });

  it('a paste longer than a guest may leave lying waits for it, and arrives whole and in order', async () => {
    const who = viewer(1);
    await open(who);
    const pieces = Array.from({ length: 20 }, (_, n) => String.fromCharCode(97 + n).repeat(16 * 1024));
    // The guest reads 4 KiB in 50 ms.
    const pasted = Promise.all(pieces.map(piece => lines.send(VM, base64(piece), who.context)));
    let most = 0;
    let seen = 0;
    await clock.advance(8_000, () => {
      for (; seen < wire().written.length; seen++) wire().unsent += wire().written[seen]?.length ?? 0;
      most = Math.max(most, wire().unsent);
      wire().unsent = Math.max(0, wire().unsent - 4 * 1024);
    });
    await pasted;
    expect(wire().written.join('')).toBe(pieces.join(''));
    expect(most).toBeLessThanOrEqual(64 * 1024 + 16 * 1024);
  });

  it('no more than so many wait to type', async () => {
    const who = viewer(1);
    await open(who);
    wire().unsent = 64 * 1024;
    const typing = Array.from({ length: 40 }, () => lines.send(VM, base64('x'), who.context));
    const told = Promise.allSettled(typing);
    await expect(typing.at(-1)).rejects.toMatchObject({ body: { code: 'limit.reached' } });
    wire().unsent = 0;
    await clock.advance(1_000);
    expect((await told).filter(({ status }) => status === 'fulfilled')).toHaveLength(32);
  });

  it('ends with its QEMU, for all; the next is another', async () => {
    const who = viewer(1);
    await open(who);
    wire().prints('last words');
    wire().end();
    expect(who.heard()).toBe('last words');
    expect(who.pieces.at(-1)).toEqual({ base64: '', end: true });
    await open(who);
    expect(wires).toHaveLength(2);
  });

  it('has so many viewers and no more; one whose socket is not there is tried again', async () => {
    for (let id = 1; id <= 16; id += 1) await open(viewer(id));
    await expect(open(viewer(17))).rejects.toMatchObject({ body: { code: 'limit.reached' } });
    let isThere = false;
    const shy = new SerialLines({
      clock,
      connect: () => (isThere ? Promise.resolve(new Wire()) : Promise.reject(new Error('not yet'))),
    });
    await expect(shy.open(VM, '/x', viewer(1).context)).rejects.toThrow('not yet');
    isThere = true;
    await shy.open(VM, '/x', viewer(1).context);
  });
});
