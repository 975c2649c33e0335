// `ebb vm serial` between a guest and a pipe: what nobody reads does not grow, what nobody hears waits.
import { describe, expect, it } from 'vitest';
import { SerialOutput, SerialTyping } from '../../../../electron/shells/cli/serial-streams.ts';
import { Fault } from '../../../../shared/result.ts';
import { TestClock } from '../../../support/memory-world.ts';

const KIB = 1024;
const unheard = new Fault({ code: 'limit.reached', what: 'x', safe: 'x', todo: 'x' });

describe('what a guest prints', () => {
  it('is held up to a bound where nobody reads, and what was left out is said', async () => {
    const written: Uint8Array[] = [];
    const taken: (() => void)[] = [];
    const said: string[] = [];
    const output = new SerialOutput(
      bytes => {
        written.push(bytes);
        return new Promise(resolve => taken.push(resolve));
      },
      words => said.push(words),
    );
    const puts = Array.from({ length: 100 }, () => output.put(new Uint8Array(64 * KIB)));
    const held = (): number => written.reduce((sum, { length }) => sum + length, 0);
    expect(held()).toBe(1024 * KIB);
    for (const take of taken.splice(0)) take();
    await Promise.all(puts);
    void output.put(Buffer.from('again'));
    expect(said).toEqual([`Nobody read: ${84 * 64 * KIB} bytes were left out here.`]);
    expect(written.at(-1)?.toString()).toBe('again');
  });

  it('of any length passes where all is read', async () => {
    let bytes = 0;
    const output = new SerialOutput(
      async ({ length }) => {
        bytes += length;
      },
      () => {
        throw new Error('said');
      },
    );
    for (let n = 0; n < 100; n++) await output.put(new Uint8Array(2048 * KIB));
    expect(bytes).toBe(100 * 2048 * KIB);
  });
});

describe('what is typed', () => {
  it('waits for a guest that does not read, and arrives whole and in order', async () => {
    const clock = new TestClock();
    let heard = '';
    let nth = 0;
    const typing = new SerialTyping(async base64 => {
      if (nth++ % 3 !== 2) throw unheard;
      heard += Buffer.from(base64, 'base64').toString();
    }, clock);
    const pasted = Array.from({ length: 20_000 }, (_, n) => `${n}\n`).join('');
    const typed = [typing.type(Buffer.from(pasted)), typing.type(Buffer.from('after'))];
    await new Promise(resolve => setImmediate(resolve));
    await clock.advance(60_000);
    await Promise.all(typed);
    expect(heard).toBe(`${pasted}after`);
  });

  it('is refused where more waits than may, and ends with the line', async () => {
    const typing = new SerialTyping(() => Promise.reject(unheard), new TestClock());
    expect(typing.take(new Uint8Array(1024 * KIB))).not.toBeNull();
    expect(typing.take(Buffer.from('x'))).toBeNull();
    const gone = new SerialTyping(() => Promise.reject(new Error('gone')), new TestClock());
    await expect(gone.type(Buffer.from('x'))).rejects.toThrow('gone');
  });
});
