// A screen that is left and looked at again at once: whatever comes late of the first is not taken for the second's.
import { beforeEach, describe, expect, it } from 'vitest';
import { ConsoleStreams } from '../../../../electron/control/screens/console-streams.ts';
import type { ByteStream } from '../../../../electron/platform/byte-stream.ts';
import type { CallContext } from '../../../../shared/rpc/server.ts';
import { uuid } from '../../../support/memory-world.ts';

const VM = uuid(1) as never;

/** QEMU's end; it closes a moment after it was told to, as sockets do. */
class Wire {
  isDestroyed = false;
  unsent = 0;
  unsentBytes(): number {
    return this.unsent;
  }
  write(bytes: Uint8Array): void {
    this.unsent += bytes.length;
  }
  say: (chunk: Buffer) => void = () => undefined;
  closes: () => void = () => undefined;
  onData(listener: (chunk: Buffer) => void): void {
    this.say = listener;
  }
  onClose(listener: () => void): void {
    this.closes = listener;
  }
  destroy(): void {
    this.isDestroyed = true;
    queueMicrotask(() => this.closes());
  }
}

let waiting: ((stream: ByteStream) => void)[];
let refusals: ((cause: Error) => void)[];
let heard: { base64: string; end: boolean }[];
let consoles: ConsoleStreams;
let context: CallContext;
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const connected = (): Wire => {
  const wire = new Wire();
  waiting.shift()?.(wire as unknown as ByteStream);
  return wire;
};

beforeEach(() => {
  waiting = [];
  refusals = [];
  heard = [];
  consoles = new ConsoleStreams(
    () =>
      new Promise((resolve, reject) => {
        waiting.push(resolve);
        refusals.push(reject);
      }),
  );
  context = {
    signal: new AbortController().signal,
    caller: { id: 1, kind: 'local', role: 'admin', onGone: () => undefined },
    emit: (_topic: string, _key: string, payload: unknown) => heard.push(payload as (typeof heard)[0]),
  } as unknown as CallContext;
});

describe('a screen for one connection', () => {
  it('closed while it is being opened is not kept, and says no end to the next', async () => {
    const first = consoles.open(VM, '/run/vnc', context);
    consoles.close(VM, context);
    const second = consoles.open(VM, '/run/vnc', context);
    const [late, wire] = [connected(), connected()];
    await Promise.all([first, second]);
    await settled();
    expect(late.isDestroyed).toBe(true);
    expect(wire.isDestroyed).toBe(false);
    expect(heard).toEqual([]);
    wire.say(Buffer.from('RFB'));
    expect(heard).toEqual([{ base64: Buffer.from('RFB').toString('base64'), end: false }]);
  });

  it('opened a second time replaces the first, whose end and last bytes are not its own', async () => {
    const first = consoles.open(VM, '/run/vnc', context);
    const before = connected();
    await first;
    const second = consoles.open(VM, '/run/vnc', context);
    const wire = connected();
    await second;
    await settled();
    before.say(Buffer.from('old'));
    expect(before.isDestroyed).toBe(true);
    expect(heard).toEqual([]);
    // With its QEMU it ends, and says so once.
    wire.closes();
    expect(heard).toEqual([{ base64: '', end: true }]);
    expect(() => consoles.send(VM, '', context)).toThrow();
  });

  it('of a browser that may not look any more ends, also while it is being opened; another goes on', async () => {
    const { caller } = context;
    const local = consoles.open(VM, '/run/vnc', context);
    const stays = connected();
    await local;
    const browser = { ...context, caller: { ...caller, id: 2, kind: 'browser' as const } };
    const opened = consoles.open(VM, '/run/vnc', browser);
    const wire = connected();
    await opened;
    consoles.endOfBrowsers();
    wire.say(Buffer.from('secret'));
    await settled();
    expect([wire.isDestroyed, heard]).toEqual([true, [{ base64: '', end: true }]]);
    expect(() => consoles.send(VM, '', browser)).toThrow();
    const opening = consoles.open(VM, '/run/vnc', browser);
    consoles.endOfBrowsers();
    const late = connected();
    await opening;
    expect(late.isDestroyed).toBe(true);
    stays.say(Buffer.from('RFB'));
    expect(heard.slice(1)).toEqual([
      { base64: '', end: true },
      { base64: Buffer.from('RFB').toString('base64'), end: false },
    ]);
  });

  it('more than a window may have are refused, also while the first are being opened; one that fails takes no place', async () => {
    const opening = [1, 2, 3, 4].map(n => consoles.open(uuid(n) as never, '/run/vnc', context));
    await expect(consoles.open(uuid(5) as never, '/run/vnc', context)).rejects.toMatchObject({
      body: { code: 'limit.reached' },
    });
    refusals.shift()?.(new Error('gone'));
    await expect(opening[0]).rejects.toThrow('gone');
    waiting.shift();
    const fifth = consoles.open(uuid(5) as never, '/run/vnc', context);
    for (let n = 0; n < 4; n++) connected();
    await Promise.all([...opening.slice(1), fifth]);
  });

  it('whose QEMU reads nothing any more ends before what is typed fills memory', async () => {
    const open = consoles.open(VM, '/run/vnc', context);
    const wire = connected();
    await open;
    const typed = Buffer.alloc(64 * 1024).toString('base64');
    for (let n = 0; n < 20 && !wire.isDestroyed; n++) consoles.send(VM, typed, context);
    expect(wire.isDestroyed).toBe(true);
    expect(wire.unsent).toBeLessThan(2 * 2 ** 20);
  });
});
