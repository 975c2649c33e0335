// Records that somebody replaced or added at the end while Ebb was away: found at the next start, and named ever after.
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../../electron/control/audit/handlers.ts';
import { decodeRecord, encodeRecord, verifyChain } from '../../../../shared/audit-chain.ts';
import { AuditWorld, draft, entry } from '../../../support/audit-world.ts';

const COUNT = 5;
const excerpt = { head: null, first: null, beyondHead: 0 };

/** Somebody who knows the form, and can write the files alone. */
function forged(make: (lines: string[], add: (seq: number, prev: string) => string) => void) {
  const world = new AuditWorld();
  const log = world.log();
  for (let n = 1; n <= COUNT; n++) log.append(entry(`action.${n}`));
  const [name = ''] = world.folder.list();
  const before = world.folder.read(name);
  const lines = before.trimEnd().split('\n');
  make(lines, (seq, prev) => {
    const { line, hash } = encodeRecord({ ...entry('FORGED'), seq }, prev, sha256);
    lines[seq <= COUNT ? seq - 1 : lines.length] = line;
    return hash;
  });
  world.folder.files.set(name, `${lines.join('\n')}\n`);
  const restart = (): void => {
    const audit = world.audit();
    audit.begin(() => false);
    audit.note(draft('after'));
  };
  const named = async () =>
    (await world.log().verify()).problems.map(({ kind, fromSeq, toSeq }) => `${kind} ${fromSeq}-${toSeq}`);
  const exported = () =>
    verifyChain(world.folder.read(name).split('\n'), sha256, excerpt).problems.map(({ kind }) => kind);
  const restore = (): void => {
    const since = world.folder.read(name).split('\n').slice(lines.length);
    world.folder.files.set(name, before + since.join('\n'));
  };
  return { world, restart, named, exported, restore };
}
const hashOf = (line = ''): string => decodeRecord(line, sha256)?.hash ?? '';
const prevOf = (line = ''): string => decodeRecord(line, sha256)?.prev ?? '';

describe('at the next start', () => {
  it.each<[string, Parameters<typeof forged>[0], string]>([
    ['the last one replaced', (lines, add) => void add(COUNT, prevOf(lines[COUNT - 1])), 'changed 5-5'],
    [
      'the last one replaced and one added',
      (lines, add) => void add(COUNT + 1, add(COUNT, prevOf(lines[COUNT - 1]))),
      'changed 5-6',
    ],
    ['two added', (lines, add) => void add(COUNT + 2, add(COUNT + 1, hashOf(lines[COUNT - 1]))), 'added 6-7'],
    ['one added that does not follow', (_, add) => void add(COUNT + 1, '0'.repeat(64)), 'added 6-6'],
  ])('%s is found, and named through every later start', async (_, make, said) => {
    const { world, restart, named, exported } = forged(make);
    restart();
    const damaged = world.told[0];
    expect(damaged).toMatchObject({ action: 'audit.damaged', to: { head: expect.stringMatching(/^5:/) } });
    for (let life = 0; life < 3; life++) {
      expect(new Set(await named())).toEqual(
        new Set([said, ...(said === 'added 6-6' ? ['changed 5-5'] : [])]),
      );
      restart();
    }
    expect(world.told.filter(({ action }) => action === 'audit.damaged')).toHaveLength(1);
    expect(exported()).toContain(said.split(' ')[0]);
  });

  it('is named also when what was there is put back', async () => {
    const { restart, named, restore } = forged((lines, add) => void add(COUNT, prevOf(lines[COUNT - 1])));
    restart();
    restore();
    expect(await named()).toEqual(['changed 5-5']);
    restart();
    expect(await named()).toEqual(['changed 5-5']);
  });

  it('is named also where the disk was full when it was found', async () => {
    const { world, restart, named } = forged(
      (lines, add) => void add(COUNT + 2, add(COUNT + 1, hashOf(lines[COUNT - 1]))),
    );
    world.folder.isFull = true;
    const audit = world.audit();
    audit.begin(() => false);
    world.folder.isFull = false;
    audit.note(draft('after'));
    expect(await named()).not.toEqual([]);
    restart();
    expect(await named()).not.toEqual([]);
  });

  it('a number from another world is not gone on from', async () => {
    const { world, restart, named } = forged(lines => {
      const far = encodeRecord(
        { ...entry('far'), seq: Number.MAX_SAFE_INTEGER - 1 },
        hashOf(lines[4]),
        sha256,
      );
      lines.push(far.line);
    });
    restart();
    expect(world.told.map(({ seq }) => seq)).toEqual([6, 7]);
    expect(await named()).not.toEqual([]);
  });

  it('one that follows may be of a writer who died: it is kept, and said', async () => {
    const { world, restart, named } = forged((lines, add) => void add(COUNT + 1, hashOf(lines[COUNT - 1])));
    restart();
    expect(world.told).toMatchObject([
      { action: 'audit.adopted', via: 'service', to: { record: COUNT + 1 } },
      { action: 'after' },
    ]);
    expect(await named()).toEqual([]);
    restart();
    expect(world.told.map(({ action }) => action)).toEqual(['audit.adopted', 'after', 'after']);
  });
});
