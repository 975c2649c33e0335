// The instant a running VM's points are taken at: whatever its agent does, the guest goes on afterwards.
import { describe, expect, it } from 'vitest';
import type { AgentLine } from '../../../../electron/control/qga/line.ts';
import { atFrozen } from '../../../../electron/control/vm/barrier.ts';
import { Fault } from '../../../../shared/result.ts';
import { FakeHost } from '../../../support/fake-qemu.ts';

const NOTE = '/home/barrier.json';
const fault = (code: 'qemu.refused' | 'vm.timeout' | 'vm.died'): Fault =>
  new Fault({ code, what: 'x', safe: 'x', todo: 'x' });

/** `answer` of each command in turn; null: nobody listens. */
function barrier(answer: ((command: string, nth: number) => unknown) | null) {
  const host = new FakeHost();
  const asked: string[] = [];
  const noted: boolean[] = [];
  const agent =
    answer === null
      ? null
      : {
          ask: async (command: string): Promise<unknown> => {
            asked.push(command.replace('guest-fsfreeze-', ''));
            noted.push(host.files.has(NOTE));
            const value = answer(command, asked.length);
            if (value instanceof Fault) throw value;
            return value;
          },
        };
  const line = { get: () => Promise.resolve(agent) } as unknown as AgentLine;
  const input = { agent: line, folders: { home: '/home', run: '/run' }, ports: host.ports() };
  return { host, asked, noted, input };
}

describe('file systems at rest', () => {
  it('frozen, taken, thawed; noted before anything is frozen', async () => {
    const { host, asked, noted, input } = barrier(() => 2);
    const taken = await atFrozen(input, async () => {
      asked.push('take');
      return 7;
    });
    expect(taken).toEqual({ value: 7, isFrozen: true });
    expect(asked).toEqual(['freeze', 'take', 'thaw']);
    expect(noted).toEqual([true, true]);
    expect(host.files.has(NOTE)).toBe(false);
  });

  it('nobody listens, the agent refuses, has nothing to freeze, or answers nonsense: taken all the same, and said so', async () => {
    const answers = [null, () => fault('qemu.refused'), () => 0, () => ({ frozen: 'yes' })];
    for (const answer of answers) {
      const { host, input } = barrier(answer);
      expect(await atFrozen(input, async () => 7)).toEqual({ value: 7, isFrozen: false });
      expect(host.files.has(NOTE)).toBe(false);
    }
  });

  it('one that froze after it was not waited for any more is thawed as soon as it answers', async () => {
    const { host, asked, input } = barrier((_, nth) => (nth < 5 ? fault('vm.timeout') : 1));
    expect((await atFrozen(input, async () => 7)).isFrozen).toBe(false);
    expect(host.files.has(NOTE)).toBe(true);
    await host.run(10_000);
    expect(asked).toEqual(['freeze', 'thaw', 'thaw', 'thaw', 'thaw']);
    expect(host.files.has(NOTE)).toBe(false);
  });

  it('a take that fails leaves no guest frozen', async () => {
    const { host, asked, input } = barrier(() => 1);
    await expect(atFrozen(input, () => Promise.reject(new Error('disk full')))).rejects.toThrow('disk full');
    expect(asked).toEqual(['freeze', 'thaw']);
    expect(host.files.has(NOTE)).toBe(false);
  });

  it('an agent that never thaws is given up on, and the note is left for the next control', async () => {
    const { host, asked, input } = barrier(command => (command.endsWith('freeze') ? 1 : fault('vm.timeout')));
    await atFrozen(input, async () => 7);
    await host.run(60_000);
    expect(asked.length).toBeLessThan(40);
    expect(host.files.has(NOTE)).toBe(true);
  });
});
