import { describe, expect, it } from 'vitest';
import {
  NotFoundError,
  parseBytes,
  parseCount,
  parseMemory,
  pickMoment,
  pickVm,
  readWords,
  UsageError,
} from '../../../../electron/shells/cli/arguments.ts';
import { COMMANDS } from '../../../../electron/shells/cli/commands.ts';
import { chosenKind } from '../../../../electron/shells/cli/create.ts';
import { endingOf, endingText } from '../../../../electron/shells/cli/report.ts';
import type { Session } from '../../../../electron/shells/cli/session.ts';
import { errorBodySchema } from '../../../../shared/errors.ts';
import { Fault } from '../../../../shared/result.ts';
import type { Moment } from '../../../../shared/timeline.ts';
import type { VmSummary } from '../../../../shared/vm.ts';

const FLAGS = new Set(['json', 'help', 'sample', 'empty', 'yes']);
const read = (line: string) => readWords(line.split(' '), FLAGS);
const vm = (id: string, name: string) => ({ spec: { id, name } }) as VmSummary;
const moment = (id: string, name: string, takenAt: number) => ({ id, name, takenAt }) as Moment;

describe('words', () => {
  it('are options with values, flags, and what is plain', () => {
    expect(read('vm create a --sample --mem-max 2G --cpus=2')).toEqual({
      plain: ['vm', 'create', 'a'],
      options: { sample: true, 'mem-max': '2G', cpus: '2' },
    });
    expect(read('vm show -- --json').plain).toEqual(['vm', 'show', '--json']);
    expect(read('vm -h').options).toEqual({ help: true });
    expect(() => read('vm create a --iso')).toThrow('--iso needs a value.');
  });

  it('are sizes with units; a forgotten unit of memory is asked for', () => {
    expect([parseBytes('2G', '-'), parseBytes('1.5GiB', '-'), parseBytes('4096', '-')]).toEqual([
      2 ** 31,
      1.5 * 2 ** 30,
      4096,
    ]);
    expect(parseMemory('512M', '--min')).toBe(524_288);
    expect(() => parseMemory('512', '--min')).toThrow('write it like 512M');
    for (const bad of ['', 'G', '-1G', '1e9', '2 G G', '99999999T'])
      expect(() => parseBytes(bad, '--min'), bad).toThrow(UsageError);
  });

  it('are whole numbers within their limits', () => {
    expect(parseCount('64', '--cpus', 1, 64)).toBe(64);
    for (const bad of ['0', '65', '1.5', 'two', '', '-1', '1e1'])
      expect(() => parseCount(bad, '--cpus', 1, 64), bad).toThrow('is not a whole number from 1 to 64');
  });

  it('name exactly one source for a new VM', () => {
    expect(chosenKind(read('vm create a --iso f.iso'))).toBe('iso');
    expect(chosenKind(read('vm create a --empty'))).toBe('empty');
    expect(() => chosenKind(read('vm create a'))).toThrow('Say what it starts from');
    expect(() => chosenKind(read('vm create a --sample --iso f.iso'))).toThrow('--sample and --iso');
  });
});

describe('who is meant', () => {
  const vms = [vm('aaaa1111', 'Work'), vm('aaaa2222', 'play'), vm('bbbb0000', 'aaaa')];
  it('is found by name before id, and never guessed', () => {
    expect(pickVm(vms, 'work').spec.id).toBe('aaaa1111');
    expect(pickVm(vms, 'aaaa').spec.id).toBe('bbbb0000');
    expect(pickVm(vms, 'aaaa2').spec.name).toBe('play');
    expect(() => pickVm(vms.slice(0, 2), 'aaaa')).toThrow('begins the ids of 2 VMs');
    expect(() => pickVm(vms, 'bbb')).toThrow(NotFoundError);
  });

  it('is, of points, the newest of a name or counted back from now', () => {
    const points = [moment('11112222', 'a', 1), moment('33334444', 'b', 3), moment('55556666', 'a', 2)];
    expect(pickMoment(points, 'a').id).toBe('55556666');
    expect(pickMoment(points, '@-1').name).toBe('b');
    expect(pickMoment(points, '3333').name).toBe('b');
    expect(() => pickMoment(points, '@-4')).toThrow('only 3 points');
    expect(() => pickMoment(points.slice(1), 'c')).toThrow(NotFoundError);
  });
});

describe('what ended a command', () => {
  const fault = new Fault({ code: 'memory.not-enough', what: 'W.', safe: 'S.', todo: 'T.' });
  it('is always an error of the contract, with its exit code', () => {
    const endings = [
      endingOf(new UsageError('VM is missing.'), 'usage: ebb vm show VM'),
      endingOf(new NotFoundError('moment.not-found', 'No.', 'See.'), ''),
      endingOf(fault, ''),
      endingOf(new Error('boom'), ''),
    ];
    expect(endings.map(({ exit, body }) => [exit, body.code])).toEqual([
      [2, 'rpc.bad-request'],
      [3, 'moment.not-found'],
      [5, 'memory.not-enough'],
      [1, 'internal'],
    ]);
    for (const { body } of endings) expect(errorBodySchema.safeParse(body).success).toBe(true);
    expect(endings.map(endingText).slice(0, 3)).toEqual([
      'ebb: VM is missing.\nusage: ebb vm show VM',
      'ebb: No. Nothing was changed. See.',
      'ebb: W. S. T.',
    ]);
  });

  it('says the word to add when going back is refused because the VM runs', async () => {
    const running = new Fault({
      code: 'vm.wrong-state',
      what: '"a" is running; going back needs it to be off.',
      safe: 'Nothing was changed.',
      todo: 'Shut it down first.',
      data: { phase: 'running' },
    });
    const answers: Record<string, unknown> = {
      'vm.list': { vms: [vm('aaaa1111', 'a')] },
      'timeline.get': { moments: [moment('11112222', 'p', 1)] },
    };
    const call = async (method: string) => {
      if (method === 'moment.go-back') throw running;
      return answers[method];
    };
    const session = { client: { call }, words: read('revert a p') } as unknown as Session;
    await expect(COMMANDS.revert?.run(session)).rejects.toMatchObject({
      body: { todo: expect.stringContaining('--shutdown') },
    });
  });
});

describe('what changed between two points', () => {
  it('is said per disk; the second point is Now where none is named', async () => {
    const asked: unknown[] = [];
    const call = async (method: string, params: unknown) => {
      if (method === 'vm.list') return { vms: [vm('aaaa1111', 'a')] };
      if (method === 'timeline.get') return { moments: [moment('11112222', 'p', 1)] };
      asked.push(params);
      const difference = { bytes: 3 * 2 ** 20, ranges: [{ offset: 0, length: 1 }], isTruncated: false };
      return { disks: [{ diskId: 'dddd0000-1', difference }] };
    };
    const session = { client: { call }, words: read('point diff a p') } as unknown as Session;
    const output = await COMMANDS['point diff']?.run(session);
    expect(asked).toEqual([{ vmId: 'aaaa1111', fromId: '11112222', toId: null }]);
    expect(output?.text).toBe('Between "p" and "now" changed\ndisk dddd0000: 3 MiB in 1 place');
  });
});
