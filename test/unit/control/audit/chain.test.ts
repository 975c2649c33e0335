// Whatever is done to the lines of the audit, the check says which record it was.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../../electron/control/audit/handlers.ts';
import {
  CHAIN_START,
  type ChainExpectation,
  decodeRecord,
  encodeRecord,
  verifyChain,
} from '../../../../shared/audit-chain.ts';
import { entry } from '../../../support/audit-world.ts';

const COUNT = 7;

function chain(count: number) {
  const lines: string[] = [];
  let prev = CHAIN_START;
  for (let seq = 1; seq <= count; seq++) {
    const record = encodeRecord({ ...entry(`action.${seq}`), seq }, prev, sha256);
    lines.push(record.line);
    prev = record.hash;
  }
  const expectation: ChainExpectation = {
    head: { seq: count, hash: prev },
    first: { seq: 1, prev: CHAIN_START },
    beyondHead: 1,
  };
  return { lines, expectation };
}
const { lines, expectation } = chain(COUNT);
const excerpt: ChainExpectation = { head: null, first: null, beyondHead: 0 };
const check = (changed: readonly string[], against = expectation) =>
  verifyChain(changed.join('\n').split('\n'), sha256, against);
const named = (changed: readonly string[], against = expectation): string[] =>
  check(changed, against).problems.map(({ kind, fromSeq, toSeq }) => `${kind} ${fromSeq}-${toSeq}`);
const at = (index: number): string => lines[index] ?? '';

it('a chain as it was written is whole, and so is an excerpt of it', () => {
  expect(check(lines)).toMatchObject({ records: COUNT, problems: [], tornWrites: 0, last: expectation.head });
  expect(named(lines.slice(2, 5), excerpt)).toEqual([]);
  expect(decodeRecord(at(3), sha256)?.entry).toEqual({ ...entry('action.4'), seq: 4 });
});

describe('a record is named', () => {
  it('of which any byte was changed', () => {
    const others = ['0', '1', '}', '"', ' ', '\u0000'];
    for (let record = 0; record < COUNT; record++) {
      for (let byte = 0; byte < at(record).length; byte++) {
        const other = others.find(candidate => candidate !== at(record)[byte]) ?? '';
        const changed = `${at(record).slice(0, byte)}${other}${at(record).slice(byte + 1)}`;
        const found = named(lines.with(record, changed));
        expect([record, byte, found]).toEqual([
          record,
          byte,
          expect.arrayContaining([`changed ${record + 1}-${record + 1}`]),
        ]);
        expect(found.every(name => name === `changed ${record + 1}-${record + 1}`)).toBe(true);
      }
    }
  });

  it('that was removed, alone or with its neighbours', () => {
    for (let from = 0; from < COUNT; from++) {
      for (let to = from + 1; to <= COUNT; to++) {
        const kind = to === COUNT ? 'truncated' : 'removed';
        expect(named(lines.toSpliced(from, to - from))).toEqual([`${kind} ${from + 1}-${to}`]);
      }
    }
  });

  it('that was swapped with another', () => {
    for (let one = 0; one < COUNT; one++) {
      for (let other = one + 1; other < COUNT; other++) {
        const found = named(lines.with(one, at(other)).with(other, at(one)));
        expect(found.length).toBeGreaterThan(0);
        for (const name of found) {
          const seq = Number(/(\d+)-/.exec(name)?.[1]);
          expect(name).toMatch(/^moved/);
          expect(seq > one && seq <= other + 1).toBe(true);
        }
      }
    }
  });

  it('that stands there twice, or was written anew with a right hash of its own', () => {
    expect(named(lines.toSpliced(4, 0, at(1)))).toEqual(['repeated 2-2']);
    const prev = decodeRecord(at(3), sha256)?.prev ?? '';
    const forged = encodeRecord({ ...entry('nothing.happened'), seq: 4 }, prev, sha256);
    expect(named(lines.with(3, forged.line))).toEqual(['changed 4-4']);
    const last = decodeRecord(at(COUNT - 1), sha256)?.prev ?? '';
    const end = encodeRecord({ ...entry('nothing.happened'), seq: COUNT }, last, sha256);
    expect(named(lines.with(COUNT - 1, end.line))).toEqual([`changed ${COUNT}-${COUNT}`]);
    expect(named(lines.with(COUNT - 1, end.line), { ...expectation, head: null })).toEqual([]);
  });

  it('at which the file was cut off, at any byte', () => {
    const whole = lines.join('\n');
    for (let cut = 0; cut < whole.length; cut++) {
      const found = named([whole.slice(0, cut)]);
      const kept = whole
        .slice(0, cut)
        .split('\n')
        .filter(line => decodeRecord(line, sha256) !== null).length;
      const missing = found.flatMap(name => {
        const [, from, to] = /^(?:changed|truncated) (\d+)-(\d+)$/.exec(name) ?? [];
        return Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => Number(from) + index);
      });
      expect([cut, missing]).toEqual([
        cut,
        Array.from({ length: COUNT - kept }, (_, index) => kept + 1 + index),
      ]);
    }
  });

  it('that somebody appended who knows the form', () => {
    let prev = expectation.head?.hash ?? '';
    const added = [1, 2].map(more => {
      const record = encodeRecord({ ...entry('forged'), seq: COUNT + more }, prev, sha256);
      prev = record.hash;
      return record.line;
    });
    expect(named([...lines, ...added])).toEqual([`added ${COUNT + 1}-${COUNT + 2}`]);
    // One may be there that its writer did not live to remember.
    expect(named([...lines, added[0] ?? ''])).toEqual([]);
  });
});

it('a write that a crash cut off is counted, and is no damage', () => {
  expect(check(lines.toSpliced(3, 0, at(3).slice(0, 50)))).toMatchObject({ problems: [], tornWrites: 1 });
  expect(check([...lines, '{"v":1,"se'])).toMatchObject({ problems: [], tornWrites: 1 });
});

it('several harms at once are all named; none makes another record look harmed', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 18 }), { minLength: 1, maxLength: 6 }), gone => {
      const { lines: many, expectation: whole } = chain(20);
      const left = many.filter((_, index) => !gone.includes(index + 1));
      const found = verifyChain(left, sha256, whole).problems.flatMap(({ fromSeq, toSeq }) =>
        Array.from({ length: toSeq - fromSeq + 1 }, (_, index) => fromSeq + index),
      );
      expect(found).toEqual(gone.toSorted((a, b) => a - b));
    }),
    { numRuns: 60 },
  );
});

it('no lines and absurd ones end in a report, bounded', () => {
  expect(named([''])).toEqual([`truncated 1-${COUNT}`]);
  const far = encodeRecord({ ...entry('far'), seq: Number.MAX_SAFE_INTEGER - 2 }, CHAIN_START, sha256);
  expect(named([...lines, far.line])).toContain(`removed ${COUNT + 1}-${Number.MAX_SAFE_INTEGER - 3}`);
  const noise = Array.from({ length: 5000 }, () => at(0));
  const report = check([...lines, ...noise]);
  expect([report.problems.length, report.problemCount]).toEqual([100, 5000]);
});
