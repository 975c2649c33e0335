// Commands against a service that only answers: what they ask for, and what they say of the answer.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModules, repositoryRoot } from '../../../../build/layers.ts';
import { EXITS } from '../../../../electron/shells/cli/exits.ts';
import { parse } from '../../../../electron/shells/cli/parse.ts';
import { NotFoundError } from '../../../../electron/shells/cli/pick.ts';
import { endingOf, endingText } from '../../../../electron/shells/cli/report.ts';
import { RUNNERS } from '../../../../electron/shells/cli/runners.ts';
import type { Output, Session } from '../../../../electron/shells/cli/session.ts';
import { SERVICE_COMMANDS, type ServiceName } from '../../../../electron/shells/cli/table.ts';
import { UsageError } from '../../../../electron/shells/cli/values.ts';
import { ERROR_CODES, errorBodySchema } from '../../../../shared/errors.ts';
import { Fault } from '../../../../shared/result.ts';
import { contract } from '../../../../shared/rpc/contract.ts';

type Answers = Readonly<Record<string, unknown>>;
interface Call {
  readonly method: string;
  readonly params: unknown;
}

const ID = 'aaaa1111-0000-4000-8000-000000000000';
const VM = { spec: { id: ID, name: 'a', minKib: 131_072, maxKib: 262_144, disks: [] }, state: {} };
const POINT = { id: '11112222', name: 'p', takenAt: 1 };

/** The words as a person types them; an answer that is a Fault is thrown. */
async function run(line: string, answers: Answers): Promise<{ output: Output; calls: Call[] }> {
  const calls: Call[] = [];
  const all: Answers = { 'vm.list': { vms: [VM] }, 'timeline.get': { moments: [POINT] }, ...answers };
  const call = async (method: string, params: unknown) => {
    calls.push({ method, params });
    if (all[method] instanceof Fault) throw all[method];
    return all[method];
  };
  const asked = parse(line.split(' '));
  if (asked.kind !== 'run') throw new Error('help was asked for');
  const { name, given } = asked.parsed;
  const session = { client: { call }, given, isJson: false, wait: async () => ({}) } as unknown as Session;
  const command = (await RUNNERS[name as ServiceName]()) as unknown as (session: Session) => Promise<Output>;
  return { output: await command(session), calls };
}

describe('what ended a command', () => {
  it('is always an error of the contract, with its exit code', () => {
    const endings = [
      endingOf(new UsageError('VM is missing.'), 'usage: ebb vm show VM'),
      endingOf(new NotFoundError('moment.not-found', 'No.', 'See.'), ''),
      endingOf(new Fault({ code: 'memory.not-enough', what: 'W.', safe: 'S.', todo: 'T.' }), ''),
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

  it('has one code for one error, and codes that stay', () => {
    const errors = EXITS.flatMap(({ of }) => of);
    expect(new Set(errors).size).toBe(errors.length);
    expect(errors.filter(code => !ERROR_CODES.includes(code))).toEqual([]);
    expect(EXITS.map(({ code }) => code)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 77, 130, 141]);
  });
});

describe('the whole contract', () => {
  const NOT_FOR_A_TERMINAL: Readonly<Record<string, string>> = {
    'headless.sign-in': 'the gateway asks it',
    'headless.session': 'the gateway asks it',
    'file.download': 'the gateway asks it',
    'moment.download': 'what is written is on this computer already',
    'headless.listen': 'the gateway asks it',
    'headless.sign-out': 'who is here did not sign in',
    'app.power': 'told by a shell that knows what the computer runs on',
    'app.updates': 'asked by the window, which is what is replaced',
    'memory.focus': 'the VM whose screen is looked at: a terminal shows none',
    'host.parts': 'the doctor says the same, and more',
    'vm.thumbnail': 'vm screenshot shows the whole of it',
    'network.conflicts': 'what vm set answers',
  };
  const source = readModules(repositoryRoot, ['electron/shells/cli'])
    .map(({ text }) => text)
    .join('\n');

  it('is there in words, but for what a terminal has no use for', () => {
    const called = new Set([...source.matchAll(/\.call\(\s*'([\w.-]+)'/g)].map(match => match[1]));
    const missing = Object.keys(contract.methods).filter(method => !called.has(method));
    expect(missing.sort()).toEqual(Object.keys(NOT_FOR_A_TERMINAL).sort());
  });

  it('has the choices the table offers', () => {
    const offered = [...SERVICE_COMMANDS.events.arguments[0].choices, 'console', 'serial'];
    expect(offered.sort()).toEqual(Object.keys(contract.topics).sort());
    const golden = readFileSync(join(repositoryRoot, 'test/golden/contract.json'), 'utf8');
    const { options } = SERVICE_COMMANDS['vm create'];
    const lists = [
      options.format.choices,
      options.os.choices,
      SERVICE_COMMANDS['point export'].options.format.choices,
      SERVICE_COMMANDS['vm settle'].arguments[1].choices,
    ];
    const enums = new Set<string>();
    JSON.parse(golden, (key, value) => {
      if (key === 'enum') enums.add(JSON.stringify(value));
      return value;
    });
    for (const list of lists) expect(enums).toContain(JSON.stringify(list));
  });
});

describe('ebb point', () => {
  it('go-back says the word to add when it is refused because the VM runs', async () => {
    const running = new Fault({
      code: 'vm.wrong-state',
      what: '"a" is running; going back needs it to be off.',
      safe: 'Nothing was changed.',
      todo: 'Shut it down first.',
      data: { phase: 'running' },
    });
    const todo = expect.stringContaining('--shutdown');
    await expect(run('revert a p', { 'moment.go-back': running })).rejects.toMatchObject({ body: { todo } });
    await expect(run('revert a p --force', { 'moment.go-back': running })).rejects.toMatchObject({
      body: { todo: 'Shut it down first.' },
    });
  });

  it('diff tells what changed per disk; the second point is Now where none is named', async () => {
    const difference = { bytes: 3 * 2 ** 20, ranges: [{ offset: 0, length: 1 }], isTruncated: false };
    const compared = { disks: [{ diskId: 'dddd0000-1', difference }] };
    const { output, calls } = await run('point diff a p', { 'moment.compare': compared });
    expect(calls.at(-1)?.params).toEqual({ vmId: ID, fromId: '11112222', toId: null });
    expect(output.text).toBe('Between "p" and "now" changed\ndisk dddd0000: 3 MiB in 1 place');
  });
});

describe('ebb mem set', () => {
  const memory = { minKib: 131_072, maxKib: 262_144, bootKib: null, balanced: true, weight: 100 };
  const answers = { 'memory.show': memory, 'memory.set-range': memory, 'memory.set-balance': memory };

  it('leaves what is not named as it is', async () => {
    const weight = await run('mem set a --weight 300', answers);
    expect(weight.calls.filter(({ method }) => method.startsWith('memory.set'))).toEqual([
      { method: 'memory.set-balance', params: { vmId: ID, balanced: true, weight: 300 } },
    ]);
    const both = await run('mem set a --max 512M --balance off', answers);
    expect(both.calls.filter(({ method }) => method.startsWith('memory.set'))).toEqual([
      { method: 'memory.set-range', params: { vmId: ID, minKib: 131_072, maxKib: 524_288 } },
      { method: 'memory.set-balance', params: { vmId: ID, balanced: false, weight: 100 } },
    ]);
  });
});
