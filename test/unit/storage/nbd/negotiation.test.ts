// The handshake, message by message, without a socket.
import { describe, expect, it } from 'vitest';
import {
  firstState,
  greeting,
  type HandshakeStep,
  OPTION_BYTES_MAX,
  OPTIONS_MAX,
  stepHandshake,
} from '../../../../electron/storage/nbd/negotiation.ts';
import type { HandshakeState } from '../../../../electron/storage/nbd/options.ts';
import { goData, metaData, u32 } from '../../../support/nbd-client.ts';

const disk = { name: 'disk0', sizeBytes: 2 ** 40 + 512, readOnly: false };
const other = { name: 'other', sizeBytes: 512, readOnly: true };
const open: HandshakeState = { ...firstState, phase: 'options', isFixed: true, noZeroes: true };

const option = (number: number, data: Uint8Array = Buffer.alloc(0)): Buffer =>
  Buffer.concat([Buffer.from('IHAVEOPT'), u32(number), u32(data.length), data]);

function step(state: HandshakeState, bytes: Uint8Array, exports = [disk]): HandshakeStep {
  const result = stepHandshake(state, bytes, exports);
  if (result === null) throw new Error('incomplete');
  return result;
}
const replyTypes = (reply: Uint8Array): number[] => {
  const view = Buffer.from(reply);
  const types: number[] = [];
  for (let at = 0; at < view.length; at += 20 + view.readUInt32BE(at + 16))
    types.push(view.readUInt32BE(at + 12));
  return types;
};

describe('the NBD handshake', () => {
  it('greets as fixed newstyle without zeroes', () => {
    expect(Buffer.from(greeting()).toString('latin1')).toBe('NBDMAGICIHAVEOPT\x00\x03');
  });

  it('waits for whole messages and takes them one at a time', () => {
    expect(stepHandshake(firstState, Buffer.from([0, 0, 0]), [disk])).toBeNull();
    const two = Buffer.concat([option(3), option(3)]);
    for (let cut = 0; cut < 16; cut++) expect(stepHandshake(open, two.subarray(0, cut), [disk])).toBeNull();
    expect(step(open, two).consumedBytes).toBe(16);
  });

  it('refuses unknown client flags and options without their magic', () => {
    expect(step(firstState, u32(4)).outcome.kind).toBe('close');
    expect(step(firstState, u32(3)).state).toMatchObject({ isFixed: true, noZeroes: true, phase: 'options' });
    expect(step(open, Buffer.alloc(16)).outcome.kind).toBe('close');
  });

  it('answers unknown options, STARTTLS too, with ERR_UNSUP and stays in step', () => {
    for (const number of [0, 4, 5, 11, 77, 0xffffffff]) {
      const { reply, outcome, consumedBytes } = step(open, option(number, Buffer.alloc(9)));
      expect([replyTypes(reply), outcome.kind, consumedBytes]).toEqual([[0x80000001], 'more', 25]);
    }
  });

  it('tells size, flags and block sizes on GO and then transmits; on INFO it goes on negotiating', () => {
    const go = step(open, option(7, goData('disk0')));
    expect(replyTypes(go.reply)).toEqual([3, 3, 1]);
    expect(Buffer.from(go.reply).readBigUInt64BE(22)).toBe(2n ** 40n + 512n);
    expect(go.outcome).toEqual({
      kind: 'transmission',
      exportName: 'disk0',
      structured: false,
      blockStatus: false,
    });
    expect(step(open, option(6, goData('disk0'))).outcome.kind).toBe('more');
  });

  it('takes the empty name for the only export and for none of several', () => {
    expect(step(open, option(7, goData(''))).outcome).toMatchObject({ exportName: 'disk0' });
    expect(replyTypes(step(open, option(7, goData('')), [disk, other]).reply)).toEqual([0x80000006]);
    expect(replyTypes(step(open, option(7, goData('nope'))).reply)).toEqual([0x80000006]);
  });

  it('offers a read-only export no writing commands', () => {
    const flagsOf = (name: string): number =>
      Buffer.from(step(open, option(7, goData(name)), [disk, other]).reply).readUInt16BE(30);
    expect(flagsOf('other') & 0b1000_0110_0010).toBe(0b10);
    expect(flagsOf('other') & 2).toBe(2);
    expect(flagsOf('disk0') & 2).toBe(0);
  });

  it('speaks EXPORT_NAME, padded or not, and closes on a wrong name', () => {
    expect(step(open, option(1, Buffer.from('disk0'))).reply).toHaveLength(10);
    const padded = step({ ...open, noZeroes: false }, option(1, Buffer.from('disk0')));
    expect(padded.reply).toHaveLength(134);
    expect(padded.outcome.kind).toBe('transmission');
    expect(step(open, option(1, Buffer.from('x'))).outcome.kind).toBe('close');
    expect(step({ ...open, isFixed: false }, option(3)).outcome.kind).toBe('close');
  });

  it('gives a meta context only after structured replies, and only for the export it was set for', () => {
    const ask = option(10, metaData('disk0', ['base:allocation', 'qemu:dirty']));
    expect(replyTypes(step(open, ask).reply)).toEqual([0x80000003]);
    const structured = step(open, option(8)).state;
    const set = step(structured, ask);
    expect(replyTypes(set.reply)).toEqual([4, 1]);
    expect(step(set.state, option(7, goData('disk0'))).outcome).toMatchObject({ blockStatus: true });
    const elsewhere = step(set.state, option(7, goData('other')), [disk, other]);
    expect(elsewhere.outcome).toMatchObject({ blockStatus: false });
    const unset = step(set.state, option(10, metaData('disk0', [])));
    expect(step(unset.state, option(7, goData('disk0'))).outcome).toMatchObject({ blockStatus: false });
  });

  it('lists contexts for an empty query and for base:, and keeps nothing of it', () => {
    const structured = { ...open, structured: true };
    for (const queries of [[], ['base:'], ['base:allocation']]) {
      const listed = step(structured, option(9, metaData('disk0', queries)));
      expect(replyTypes(listed.reply)).toEqual([4, 1]);
      expect(listed.state.metaExport).toBeNull();
    }
    expect(replyTypes(step(structured, option(9, metaData('disk0', ['x:y']))).reply)).toEqual([1]);
    for (const number of [9, 10])
      expect(replyTypes(step(structured, option(number, metaData('nope', []))).reply)).toEqual([0x80000006]);
  });

  it('answers options that do not parse with ERR_INVALID', () => {
    const lying = Buffer.concat([u32(2 ** 31), Buffer.from('x')]);
    const bad: [number, Uint8Array][] = [
      [3, Buffer.from('x')],
      [8, Buffer.from('x')],
      [6, lying],
      [7, Buffer.concat([goData('disk0'), Buffer.from('x')])],
      [7, goData('disk0').subarray(0, -1)],
      [9, lying],
      [10, Buffer.concat([u32(0), u32(0xffffffff)])],
    ];
    for (const [number, data] of bad) {
      expect(replyTypes(step({ ...open, structured: true }, option(number, data)).reply)).toEqual([
        0x80000003,
      ]);
    }
  });

  it('bounds the length and the number of options', () => {
    const header = Buffer.concat([Buffer.from('IHAVEOPT'), u32(7), u32(OPTION_BYTES_MAX + 1)]);
    expect(step(open, header).outcome.kind).toBe('close');
    expect(step({ ...open, optionCount: OPTIONS_MAX }, option(3)).outcome.kind).toBe('close');
  });

  it('acknowledges ABORT and closes', () => {
    const aborted = step(open, option(2));
    expect([replyTypes(aborted.reply), aborted.outcome.kind]).toEqual([[1], 'close']);
  });
});
