// Resident memory of processes, as Linux, macOS and Windows tell it.
import { describe, expect, it } from 'vitest';
import { findProgram, runTool } from '../../../electron/platform/process.ts';
import {
  parsePs,
  parseStatus,
  parseTasklist,
  systemResidents,
  ToolResidents,
} from '../../../electron/platform/resident.ts';

// proc_pid_status(5); on arm64 with pages of 16 or 64 KiB too these are KiB.
const STATUS = `Name:\tqemu-system-x86
Pid:\t2208
VmPeak:\t 1583948 kB
VmHWM:\t  310272 kB
VmRSS:\t  305664 kB
RssAnon:\t  270080 kB
`;
// ps(1) of macOS: "rss  the real memory (resident set) size of the process (in 1024 byte units)"; a name ending in "="
// has no header.
const PS = '  812  45216\n 2208 1290480\n';
// learn.microsoft.com/windows-server/administration/windows-commands/tasklist: image name, PID, session name, session
// number, memory usage. English, German, French (narrow no-break space), Swiss.
const TASKLIST = [
  '"System Idle Process","0","Services","0","8 K"',
  '"qemu-system-x86_64.exe","2208","Console","1","1,290,480 K"',
  '"qemu-system-x86_64.exe","2209","Console","1","1.290.481 K"',
  '"qemu, ""so"" called.exe","2210","RDP-Tcp#0","2","1\u202f290\u202f482 K"',
  '"node.exe","2211","Console","1","45’216 K"',
  '',
].join('\r\n');

describe('resident memory', () => {
  it('is read where it is told, and null where it is not', () => {
    expect(parseStatus(STATUS)).toBe(305_664);
    expect(parseStatus('Name:\tkthreadd\nPid:\t2\n')).toBeNull();
    expect([...parsePs(PS)]).toEqual([
      [812, 45_216],
      [2208, 1_290_480],
    ]);
    expect(Object.fromEntries(parseTasklist(TASKLIST))).toEqual({
      0: 8,
      2208: 1_290_480,
      2209: 1_290_481,
      2210: 1_290_482,
      2211: 45_216,
    });
    for (const foreign of [
      '',
      'ps: illegal option\n',
      'INFO: No tasks are running which match.\r\n',
      '"a","1"',
    ]) {
      expect(parsePs(foreign).size).toBe(0);
      expect(parseTasklist(foreign).size).toBe(0);
    }
    expect(parseTasklist('"a.exe","5","Console","1","N/A"\r\n').size).toBe(0);
  });

  it.runIf(process.platform === 'linux')('is what this process has, in KiB', async () => {
    const kib = systemResidents(() => 0).now(process.pid) ?? 0;
    expect(Math.abs(kib - process.memoryUsage.rss() / 1024)).toBeLessThan(32 * 1024);
    expect(await systemResidents(() => 0).fresh(2 ** 30)).toBeNull();
  });

  const ps = findProgram('ps');
  it.runIf(ps !== null)('ps, where there is one, is asked in words that it understands', async () => {
    const { stdout } = await runTool(ps ?? '', ['-o', 'pid=,rss=', '-p', `${process.pid}`], {
      timeoutMs: 5_000,
    });
    expect(parsePs(stdout).get(process.pid)).toBeGreaterThan(10_000);
  });
});

describe('a tool that tells it', () => {
  let nowMs = 0;
  const asked: { pids: readonly number[]; answer: (text: string) => void; fail: () => void }[] = [];
  const make = (): ToolResidents => {
    nowMs = 0;
    asked.length = 0;
    return new ToolResidents({
      nowMs: () => nowMs,
      parse: parsePs,
      ask: pids =>
        new Promise((answer, reject) =>
          asked.push({ pids, answer, fail: () => reject(new Error('no tool')) }),
        ),
    });
  };
  const turns = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

  it('is asked beside, for all at once, and again when its answer is old', async () => {
    const residents = make();
    expect(residents.now(1)).toBeNull();
    expect(residents.now(2)).toBeNull();
    asked[0]?.answer('1 100\n');
    await turns();
    expect(residents.now(1)).toBe(100);
    nowMs = 801;
    expect(residents.now(2)).toBeNull();
    expect(asked.map(({ pids }) => pids)).toEqual([[1], [1, 2]]);
  });

  it('M8: fresh is what it says after it was asked, never an answer that was under way', async () => {
    const residents = make();
    residents.now(1);
    nowMs = 5;
    const [one, two] = [residents.fresh(1), residents.fresh(2)];
    asked[0]?.answer('1 100\n');
    await turns();
    expect(asked).toHaveLength(2);
    asked[1]?.answer('1 90\n2 50\n');
    expect(await Promise.all([one, two])).toEqual([90, 50]);
  });

  it('one that fails is believed a while on what it said last, and then not; fresh is nothing at once', async () => {
    const residents = make();
    residents.now(1);
    asked[0]?.answer('1 100\n');
    await turns();
    nowMs = 9_000;
    const fresh = residents.fresh(1);
    asked[1]?.fail();
    expect(await fresh).toBeNull();
    expect(residents.now(1)).toBe(100);
    nowMs = 10_001;
    expect(residents.now(1)).toBeNull();
  });

  it('a process that is gone is not kept alive by what was said of it', async () => {
    const residents = make();
    residents.now(1);
    residents.now(2);
    nowMs = 1_000;
    asked[0]?.answer('1 100\n');
    await turns();
    residents.now(2);
    asked[1]?.answer('1 100\n2 20\n');
    await turns();
    nowMs = 2_000;
    residents.now(1);
    asked[2]?.answer('1 101\n');
    await turns();
    expect([residents.now(1), residents.now(2)]).toEqual([101, null]);
    nowMs = 63_000;
    residents.now(1);
    expect(asked.at(-1)?.pids).toEqual([1]);
  });
});
