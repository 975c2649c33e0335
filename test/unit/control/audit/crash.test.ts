// The audit and the power: cut at every byte of every write, between the file and the head, while files are rotated. What was
// answered is there, nothing is called damaged, and the chain goes on. With its safety off each of these fails.
import { describe, expect, it } from 'vitest';
import type { AuditLog, AuditSwitchOffs } from '../../../../electron/control/audit/audit-log.ts';
import { AuditWorld, entry, PowerCut, plainHeads } from '../../../support/audit-world.ts';

const RECORDS = 5;
/** Two records a file, two files: the last record rotates. */
const SMALL = { segmentChars: 1000, segmentsMax: 2 };

function writeUntilCut(log: AuditLog, from: number): number {
  let answered = 0;
  try {
    for (let n = from; n < from + RECORDS; n++) {
      log.append(entry(`action.${n}`));
      answered++;
    }
  } catch (cause) {
    if (!(cause instanceof PowerCut)) throw cause;
  }
  return answered;
}

interface Life {
  readonly misfits: unknown;
  readonly report: Awaited<ReturnType<AuditLog['verify']>>;
  readonly answered: number;
  readonly found: number;
}

/** One life until the power goes, a second one that looks and writes on. */
async function twoLives(cutAfter: number, off: AuditSwitchOffs = {}): Promise<Life> {
  const world = new AuditWorld(plainHeads());
  world.power.left = cutAfter;
  const answered = writeUntilCut(world.log({ ...SMALL, off }), 1);
  world.power.left = Number.POSITIVE_INFINITY;
  const log = world.log({ ...SMALL, off });
  const misfits = log.open();
  const found = log.head.seq;
  log.append(entry('after'));
  return { misfits, report: await log.verify(), answered, found };
}

const steps = (() => {
  const world = new AuditWorld();
  writeUntilCut(world.log(SMALL), 1);
  return world.power.used;
})();

describe('a power cut', () => {
  it('at any byte loses nothing that was answered, damages nothing and keeps the chain', async () => {
    for (let cut = 0; cut <= steps; cut++) {
      const { misfits, report, answered, found } = await twoLives(cut);
      expect([cut, misfits, report.problems]).toEqual([cut, [], []]);
      expect([cut, found - answered === 0 || found - answered === 1]).toEqual([cut, true]);
      expect(report.last?.seq).toBe(found + 1);
    }
  });

  it('in the life after that one too', async () => {
    for (let cut = 0; cut <= steps; cut += 41) {
      for (const second of [1, 90, 340, 341, 700]) {
        const world = new AuditWorld();
        world.power.left = cut;
        writeUntilCut(world.log(SMALL), 1);
        world.power.left = second;
        const again = world.log(SMALL);
        try {
          again.open();
          writeUntilCut(again, 100);
        } catch (cause) {
          if (!(cause instanceof PowerCut)) throw cause;
        }
        world.power.left = Number.POSITIVE_INFINITY;
        const log = world.log(SMALL);
        expect(log.open()).toEqual([]);
        log.append(entry('after'));
        expect([cut, second, (await log.verify()).problems]).toEqual([cut, second, []]);
      }
    }
  });

  it('harms where what it cut off is not closed with a newline (noHeal)', async () => {
    let harmed = false;
    for (let cut = 0; cut < steps; cut += 10) {
      const { report, found } = await twoLives(cut, { noHeal: true });
      harmed ||= report.problems.length > 0 || report.last?.seq !== found + 1;
    }
    expect(harmed).toBe(true);
  });
});

describe('rotation', () => {
  it('keeps so many files, and a chain that begins where it should', async () => {
    const world = new AuditWorld();
    const log = world.log(SMALL);
    for (let n = 1; n <= 40; n++) log.append(entry(`action.${n}`));
    expect(world.folder.list().length).toBe(SMALL.segmentsMax);
    const report = await log.verify();
    expect(report).toMatchObject({ problems: [], last: { seq: 40 } });
    expect(report.firstSeq).toBeGreaterThan(35);
    expect(report.records).toBe(41 - report.firstSeq);
  });

  it('the oldest file that somebody removed is missed', async () => {
    const world = new AuditWorld();
    const log = world.log(SMALL);
    for (let n = 1; n <= 40; n++) log.append(entry(`action.${n}`));
    const { firstSeq } = await log.verify();
    const [oldest, next] = world.folder.list().sort();
    world.folder.files.delete(oldest ?? '');
    const nextSeq = Number(/\d+/.exec(next ?? '')?.[0]);
    expect((await log.verify()).problems).toMatchObject([
      { kind: 'removed', fromSeq: firstSeq, toSeq: nextSeq - 1 },
    ]);
  });
});

describe('files cut off at their end while Ebb was away', () => {
  const cutOff = async (off: AuditSwitchOffs) => {
    const world = new AuditWorld();
    const log = world.log();
    for (let n = 1; n <= 5; n++) log.append(entry(`action.${n}`));
    const [name = ''] = world.folder.list();
    const kept = world.folder.read(name).split('\n').slice(0, 3).join('\n');
    world.folder.files.set(name, `${kept}\n`);
    const next = world.log({ off });
    const misfits = next.open();
    next.append(entry('after'));
    return { misfits, report: await next.verify() };
  };

  it('are noticed at the next start, and the numbers go on after what is missing', async () => {
    const { misfits, report } = await cutOff({});
    expect(misfits).toMatchObject([{ kind: 'truncated', fromSeq: 4, toSeq: 5 }]);
    expect(report.problems).toMatchObject([{ kind: 'removed', fromSeq: 4, toSeq: 5 }]);
    expect(report.last?.seq).toBe(6);
  });

  it('are not where nobody remembers the head (noHead)', async () => {
    const { report } = await cutOff({ noHead: true });
    expect(report.problems.map(({ kind }) => kind)).toEqual(['headless']);
    expect(report.last?.seq).toBe(4);
  });

  it('the whole folder removed is noticed', async () => {
    const world = new AuditWorld();
    world.log().append(entry('one'));
    world.folder.files.clear();
    const log = world.log();
    expect(log.open()).toMatchObject([{ kind: 'truncated', fromSeq: 1, toSeq: 1 }]);
    log.append(entry('two'));
    expect((await log.verify()).problems).toMatchObject([{ kind: 'removed', fromSeq: 1, toSeq: 1 }]);
  });

  it('a forgotten head is said, and the chain goes on', async () => {
    const world = new AuditWorld();
    world.log().append(entry('one'));
    const other = new AuditWorld();
    const log = world.log({ heads: other.heads });
    expect(log.open()).toMatchObject([{ kind: 'headless', toSeq: 1 }]);
    expect(log.append(entry('two')).seq).toBe(2);
    expect((await log.verify()).problems).toEqual([]);
  });
});

describe('a check while others write', () => {
  it('calls nothing damaged that is written, or goes, meanwhile', async () => {
    const world = new AuditWorld();
    const log = world.log(SMALL);
    for (let n = 1; n <= 300; n++) log.append(entry(`action.${n}`));
    const many = world.log({ segmentChars: 1000, segmentsMax: 1000 });
    for (let n = 1; n <= 300; n++) many.append(entry(`more.${n}`));
    let pauses = 0;
    const report = await many.verify(async () => {
      pauses++;
      if (pauses < 6) many.append(entry('meanwhile'));
    });
    expect(pauses).toBeGreaterThan(2);
    expect(report.problems).toEqual([]);
    const always = await many.verify(async () => void many.append(entry('all the time')));
    expect(always.problems).toEqual([]);
  });
});
