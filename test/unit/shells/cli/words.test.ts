import { describe, expect, it } from 'vitest';
import { parse } from '../../../../electron/shells/cli/parse.ts';
import {
  NotFoundError,
  pickDisk,
  pickMoment,
  pickTask,
  pickVm,
} from '../../../../electron/shells/cli/pick.ts';
import { COMMANDS } from '../../../../electron/shells/cli/table.ts';
import {
  nearest,
  parseBytes,
  parseMemory,
  parseValue,
  UsageError,
} from '../../../../electron/shells/cli/values.ts';
import { optionsOf, type Row } from '../../../../electron/shells/cli/words.ts';
import type { Task } from '../../../../shared/task.ts';
import type { Moment } from '../../../../shared/timeline.ts';
import type { VmSpec, VmSummary } from '../../../../shared/vm.ts';

const vm = (id: string, name: string) => ({ spec: { id, name } }) as VmSummary;
const moment = (id: string, name: string, takenAt: number) => ({ id, name, takenAt }) as Moment;
const ask = (line: string) => parse(line.split(' ').filter(Boolean));
function given(line: string): Readonly<Record<string, unknown>> {
  const asked = ask(line);
  if (asked.kind !== 'run') throw new Error(`${line} asks for help`);
  return asked.parsed.given;
}

describe('words', () => {
  it('are arguments and options of a command, in any order', () => {
    expect(given('--json vm create a --sample --mem-max 2G --cpus=2')).toMatchObject({
      NAME: 'a',
      sample: true,
      'mem-max': 2 * 2 ** 20,
      cpus: 2,
      os: 'linux',
      'disk-size': undefined,
      json: true,
      ndjson: false,
    });
    expect(given('vm show -- --json')).toMatchObject({ VM: '--json', json: false });
    expect(given('point export a p --format raw --to -')).toMatchObject({ format: 'raw', to: '-' });
    expect(given('vm create a --empty --forward tcp:1:2 --forward udp:3:4').forward).toEqual([
      'tcp:1:2',
      'udp:3:4',
    ]);
  });

  it('of before mean what they meant', () => {
    for (const [words, name] of [
      ['revert a p', 'point go-back'],
      ['branches a', 'point branches'],
      ['settle a run', 'vm settle'],
    ] as const)
      expect(ask(words)).toMatchObject({ kind: 'run', parsed: { name } });
  });

  it.each([
    ['vm create a --iso', '--iso needs a value.'],
    ['vm create a --iso --json', 'one that begins with -- is written --iso=--json'],
    ['vm create a --sample --mem-mx', 'There is no option --mem-mx here. Did you mean "--mem-max"?'],
    ['vm list --force', 'There is no option --force here.'],
    ['vm list -x', 'There is no option -x here.'],
    ['vm stop a --force=yes', '--force takes no value.'],
    ['vm stop a b', '"b" is one word too many here.'],
    ['vm stop', 'VM is missing.'],
    ['vm stpo a', 'There is no command "vm stpo". Did you mean "vm stop"?'],
    ['evnts', 'There is no command "evnts". Did you mean "events"?'],
    ['vmm list', 'There is no command "vmm". Did you mean "vm list"?'],
    ['xyzzy', 'There is no command "xyzzy".'],
    ['vm', 'What of "vm"?'],
    ['--jsn', 'There is no option --jsn here. Did you mean "--json"?'],
    ['vm delete a', 'This deletes the VM and all its points; say --yes.'],
    ['vm create a', 'Say what it starts from'],
    ['vm create a --sample --iso f', 'Only one of --sample and --iso can be meant.'],
    ['revert a p --shutdown --force', 'Only one of --shutdown and --force can be meant.'],
    ['mem set a', 'Say what to set'],
    ['mem set a --balance maybe', '--balance is one of on, off, not "maybe".'],
    ['vm settle a puase', 'Did you mean pause?'],
    ['mem policy --reserve none', '"none" is not a size'],
    ['point export a p', 'Say which format the image has'],
    ['vm create a --sample --cpus 65', 'is not a whole number from 1 to 64'],
    ['mem try a --max 1G --for 1s', 'is not a time from 5 s to 600 s'],
    ['events vsm', 'Did you mean vms?'],
  ])('that cannot be meant are refused, with what may be: %s', (line, message) => {
    expect(() => ask(line)).toThrow(message);
    expect(() => ask(line)).toThrow(UsageError);
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

  it('are times, and words that stand for an amount', () => {
    const span = { kind: 'span', doc: '', least: 1, most: 7200 } as const;
    expect(['90', '90s', '10m', '2h'].map(text => parseValue(text, '--for', span))).toEqual([
      90, 90, 600, 7200,
    ]);
    for (const bad of ['', '1d', '-1', '0', '3h']) expect(() => parseValue(bad, '--for', span)).toThrow();
    expect(given('mem policy --budget none --cap 2G')).toMatchObject({ budget: 'none', cap: 2 * 2 ** 20 });
    expect(given('mem free 0').SIZE).toBe('0');
    expect(parse(['point', 'note', 'a', 'p', ''])).toMatchObject({ parsed: { given: { TEXT: '' } } });
    expect(() => parse(['vm', 'rename', 'a', ' '])).toThrow('NAME is missing.');
  });

  it('ask for help of everything, a group or a command', () => {
    expect([ask(''), ask('--help'), ask('mem -h'), ask('vm create --help'), ask('revert --help')]).toEqual([
      { kind: 'help', of: null },
      { kind: 'help', of: null },
      { kind: 'help', of: 'mem' },
      { kind: 'help', of: 'vm create' },
      { kind: 'help', of: 'point go-back' },
    ]);
  });

  it('are near to what was meant, or to nothing', () => {
    expect(nearest('lsit', ['list', 'show'])).toBe('list');
    expect(nearest('x', ['list', 'show'])).toBeNull();
  });
});

describe('the table', () => {
  const rows = Object.entries(COMMANDS) as [string, Row][];
  it.each(rows)('%s: its option takes a value everywhere or nowhere', (_, row) => {
    for (const [name, { kind }] of Object.entries(optionsOf(row)))
      for (const [, other] of rows) {
        const same = optionsOf(other)[name];
        if (same !== undefined) expect(same.kind === 'flag', name).toBe(kind === 'flag');
      }
  });

  it.each(rows)('%s: what it says of itself can be read', (_, row) => {
    for (const value of [...row.arguments, ...Object.values(optionsOf(row))]) {
      expect(value.doc).toMatch(/^[A-Z].*[^.]$/);
      if (value.kind === 'choice') expect(value.choices?.length).toBeGreaterThan(1);
      if (value.kind === 'count' || value.kind === 'span') expect(value.most).toBeGreaterThan(0);
      if (value.default !== undefined) expect(parseValue(value.default, '-', value)).toBeDefined();
    }
    expect(row.help).toMatch(/^[A-Z].*[^.]$/);
    const optionals = row.arguments.map(({ optional, many, default: is }) => !!(optional || many || is));
    expect(optionals.indexOf(true) < 0 || optionals.slice(optionals.indexOf(true)).every(Boolean)).toBe(true);
    for (const { of } of row.groups ?? []) for (const name of of) expect(row.options).toHaveProperty(name);
  });
});

describe('who is meant', () => {
  const vms = [vm('aaaa1111', 'Work'), vm('aaaa2222', 'play'), vm('bbbb0000', 'aaaa')];
  it('is found by name before id, and never guessed', () => {
    expect(pickVm(vms, 'work').spec.id).toBe('aaaa1111');
    expect(pickVm(vms, 'aaaa').spec.id).toBe('bbbb0000');
    expect(pickVm(vms, 'AAAA2').spec.name).toBe('play');
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

  it('is, of disks and tasks, known by the beginning of an id', () => {
    const spec = { name: 'a', disks: [{ id: 'aaaa1111' }, { id: 'bbbb2222' }] } as unknown as VmSpec;
    expect([pickDisk(spec, undefined).id, pickDisk(spec, 'b').id]).toEqual(['aaaa1111', 'bbbb2222']);
    expect(() => pickDisk(spec, 'c')).toThrow('a has no disk c.');
    const tasks = [{ id: 'cccc1111' }, { id: 'cccc2222' }] as Task[];
    expect(pickTask(tasks, 'cccc1').id).toBe('cccc1111');
    expect(() => pickTask(tasks, 'cccc')).toThrow('begins the ids of 2 tasks');
    expect(() => pickTask(tasks, 'dddd')).toThrow(NotFoundError);
  });
});
