// The guest agent's conversation, over real sockets, with an agent that behaves and ones that do not.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeAgent } from '../../../../electron/control/qga/codec.ts';
import { readGuestFile } from '../../../../electron/control/qga/read-file.ts';
import { GuestAgent } from '../../../../electron/control/qga/session.ts';
import { connectBytes } from '../../../../electron/platform/socket.ts';
import { FakeAgent } from '../../../support/fake-qga.ts';
import { TestClock } from '../../../support/memory-world.ts';
import { until } from '../../../support/until.ts';

const PATH = '/proc/pressure/memory';
let folder: string;
let fake: FakeAgent;
let agent: GuestAgent;
const clock = new TestClock();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-qga-'));
  fake = await FakeAgent.listen(join(folder, 'qga'));
  fake.files.set(PATH, 'some text');
  agent = new GuestAgent(await connectBytes(join(folder, 'qga')), clock);
});
afterEach(async () => {
  agent.close();
  await fake.close();
  rmSync(folder, { recursive: true, force: true });
});

const codeOf = (asking: Promise<unknown>): Promise<unknown> =>
  asking.then(
    value => value,
    (cause: { body?: { code: string } }) => cause.body?.code ?? String(cause),
  );

describe('the guest agent', () => {
  it('is synchronized once, then answers one question after another', async () => {
    expect(await Promise.all([readGuestFile(agent, PATH), readGuestFile(agent, PATH)])).toEqual([
      'some text',
      'some text',
    ]);
    expect(fake.asked.filter(name => name === 'guest-sync-delimited')).toHaveLength(1);
    expect(fake.handles.size).toBe(0);
  });

  it('refuses in its own words, as many as are worth showing, and goes on', async () => {
    expect(await codeOf(readGuestFile(agent, '/nowhere'))).toBe('qemu.refused');
    fake.instead = () => Buffer.from(`{"error": {"class": "x", "desc": "${'y'.repeat(5000)}"}}\n`);
    const fault = await agent.ask('guest-exec').catch((cause: Error) => cause);
    expect(String(fault).length).toBeLessThan(500);
    fake.instead = () => null;
    expect(await readGuestFile(agent, PATH)).toBe('some text');
  });

  it('M4: silent, it costs the one who asked a moment; a late answer is not taken for another', async () => {
    await readGuestFile(agent, PATH);
    fake.instead = ({ execute }) => (execute === 'guest-ping' ? Buffer.from('') : null);
    const asking = codeOf(agent.ask('guest-ping'));
    await until('it is asked', () => fake.asked.at(-1) === 'guest-ping');
    await clock.advance(5_000);
    expect(await asking).toBe('vm.timeout');
    fake.say('{"return": "too late"}\n');
    expect(await readGuestFile(agent, PATH)).toBe('some text');
    expect(fake.asked.filter(name => name === 'guest-sync-delimited')).toHaveLength(2);
  });

  it('finds the answer behind half a message and what an earlier listener left', async () => {
    fake.say('{"return": 1}\n\nnonsense\n{"return": {"half": ');
    fake.instead = ({ execute, arguments: given }) =>
      execute === 'guest-sync-delimited'
        ? Buffer.concat([
            Buffer.from('{"retu'),
            Buffer.from([0xff]),
            Buffer.from(`{"return": ${given?.id}}\n`),
          ])
        : null;
    expect(await readGuestFile(agent, PATH)).toBe('some text');
  });

  it.each([
    ['an endless line', (): Buffer => Buffer.alloc(1 << 20, 0x61)],
    ['endless lines', (): Buffer => Buffer.from('{}\n'.repeat(20_000))],
  ])('M4: one that answers with %s is let go of', async (_, flood) => {
    await readGuestFile(agent, PATH);
    fake.instead = flood;
    expect(await codeOf(agent.ask('guest-ping'))).toBe('vm.died');
    expect(agent.isOpen).toBe(false);
    expect(await codeOf(agent.ask('guest-ping'))).toBe('vm.died');
  });

  it('is not listened to while nothing is asked', async () => {
    await readGuestFile(agent, PATH);
    // More than the kernel holds for us: the rest stays with the guest.
    for (let round = 0; round < 64; round++) fake.say(Buffer.from('{}\n'.repeat(20_000)));
    for (let turn = 0; turn < 200; turn++) await new Promise(resolve => setImmediate(resolve));
    expect(fake.unsentBytes()).toBeGreaterThan(1 << 20);
  });

  it('has a limit of questions that wait', async () => {
    const asking = Array.from({ length: 12 }, () => codeOf(agent.ask('guest-ping')));
    const codes = await Promise.all(asking);
    expect(codes.filter(code => code === 'vm.timeout')).toHaveLength(4);
    expect(codes.filter(code => code === 'qemu.refused')).toHaveLength(8);
  });

  it('one that ends leaves nobody waiting', async () => {
    fake.instead = () => Buffer.from('');
    const asking = codeOf(agent.ask('guest-ping'));
    await until('it is asked', () => fake.asked.length > 0);
    await fake.close();
    expect(await asking).toBe('vm.died');
  });

  it('garbage is no answer', () => {
    for (const line of ['', 'x', '1', 'null', '{}', '[]', '{"event": "x"}', '{"return"', '{"error": 5}'])
      expect(decodeAgent(line)).toBeNull();
    expect(decodeAgent('{"return": null}')).toEqual({ kind: 'reply', value: null });
    expect(decodeAgent('{"error": {"desc": 5}}')).toEqual({ kind: 'failure', desc: '' });
  });

  it.each([
    ['a handle that is none', { return: 'x' }],
    ['more bytes than were asked for', { return: { count: 9000, 'buf-b64': '', eof: true } }],
    ['what is no base64', { return: { count: 5, 'buf-b64': '<>!', eof: true } }],
  ])('a file answered with %s is not read', async (_, answer) => {
    const isRead = 'count' in Object(answer.return);
    fake.instead = ({ execute }) =>
      execute === (isRead ? 'guest-file-read' : 'guest-file-open')
        ? Buffer.from(`${JSON.stringify(answer)}\n`)
        : null;
    expect(String(await codeOf(readGuestFile(agent, PATH)))).toMatch(/"code": "(?:invalid|too_big)/);
    // Handles are few inside the guest.
    expect(fake.handles.size).toBe(0);
  });
});
