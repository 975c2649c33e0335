// T5: what an interrupted operation left, told from the headers alone. One operation at a time, so of two the one is a leftover.
import { describe, expect, it } from 'vitest';
import { readMirror } from '../../../../electron/storage/disk/mirror.ts';
import { type FoundImage, rebuildDisk } from '../../../../electron/storage/disk/rebuild.ts';
import { rebuildRows } from '../../../../electron/storage/disk/rebuild-rows.ts';
import type { DiskId, MomentId, PointId } from '../../../../shared/ids.ts';

const DISK = '00000000-0000-4000-8000-0000000000ff' as DiskId;
const id = (name: string): PointId => `00000000-0000-4000-8000-00000000000${name}` as PointId;
const NOTHING = { leaf: null, points: new Set<PointId>() };

/** `a.vhd:b<c`: that file, of that UUID, hanging off that parent. */
function image(text: string): FoundImage {
  const [, name = '', end = '', uuid = name, parent] = /^(\w)(\.new)?(?::(\w))?(?:<(\w))?$/.exec(text) ?? [];
  return {
    name: `${id(name)}.vhd${end}`,
    uuid: id(uuid),
    parent: parent === undefined ? null : id(parent),
    virtualBytes: 2 ** 20,
    blockBytes: 4096,
    timestampMs: 0,
    isLeaf: uuid === 'f',
    hasEnd: true,
    isEmpty: end === '.new',
    hasRunFile: false,
  };
}

function rebuilt(...texts: string[]): { ops: string[]; tree: string[]; leaf: PointId | null | undefined } {
  const disk = rebuildDisk(DISK, texts.map(image), NOTHING);
  const short = (point: string | null): string => point?.slice(-1) ?? '-';
  return {
    ops: (disk?.ops ?? []).map(op =>
      op.kind === 'merge'
        ? `merge ${short(op.point)} ${short(op.child)}`
        : op.kind === 'seal'
          ? `seal ${short(op.point)}`
          : op.kind,
    ),
    tree: (disk?.points ?? []).map(point => `${short(point.id)}<${short(point.parent)}`).sort(),
    leaf: disk?.leaf,
  };
}

describe('T5: an interrupted operation, from the headers', () => {
  it.each([
    ['an edge being turned', ['a', 'a.new<b', 'b<a', 'f<b'], ['copy'], ['a<-', 'b<a']],
    ['names changing hands', ['a:b', 'a.new<b', 'b<a', 'f<b'], ['flip'], ['a<-', 'b<a']],
    ['a merge changing names', ['a', 'b:c<a', 'c<b', 'f<c'], ['merge b c'], ['a<-', 'b<a', 'c<b']],
    ['a merge of the oldest', ['a:b', 'b<a', 'f<b'], ['merge a b'], ['a<-', 'b<a']],
    [
      'a merge beside a leftover',
      ['a', 'a.new<d', 'd<a', 'b:c<d', 'c<b', 'f<c'],
      ['merge b c'],
      ['a<-', 'b<d', 'c<b', 'd<a'],
    ],
    ['a leftover whose edge is gone', ['a', 'a.new<b', 'c<a', 'f<c'], [], ['a<-', 'c<a']],
    [
      'a leftover whose edge hangs elsewhere',
      ['a', 'a.new<b', 'c<a', 'b<c', 'f<b'],
      [],
      ['a<-', 'b<c', 'c<a'],
    ],
  ])('%s', (_, texts, ops, tree) => {
    expect(rebuilt(...texts)).toEqual({ ops, tree, leaf: id('f') });
  });
});

it('T5, T7: of two leaves Now is the one that was written to, and the other is sealed', () => {
  const leaf = (text: string, given: Partial<FoundImage>): FoundImage => ({
    ...image(text),
    isLeaf: true,
    ...given,
  });
  const old = leaf('c<b', { timestampMs: 1, isEmpty: false });
  const unused = leaf('d<a', { timestampMs: 2, isEmpty: true });
  for (const images of [
    [old, unused],
    [unused, old],
  ])
    expect(rebuildDisk(DISK, [image('a'), image('b<a'), ...images], NOTHING)).toMatchObject({
      leaf: id('c'),
      ops: [{ kind: 'seal', point: id('d') }],
    });
});

it('T7: the leaf one went back from is not Now because the mirror is a little older', () => {
  const left = { ...image('c<b'), isEmpty: false };
  const now = { ...image('f<a'), isEmpty: false };
  const remembered = { leaf: id('c'), points: new Set([id('a'), id('b')]) };
  const images = [image('a'), image('b<a'), left];
  expect(rebuildDisk(DISK, [...images, now], remembered)?.leaf).toBe(id('f'));
  // Nobody has written to the other one: it may have come to nothing.
  expect(rebuildDisk(DISK, [...images, { ...now, isEmpty: true }], remembered)?.leaf).toBe(id('c'));
});

it('T5: where the leaf is lost no sealed image is written to in its place', () => {
  for (const [texts, parent] of [
    [['a'], 'a'],
    [['a', 'b<a'], 'a'],
    [['a', 'b<a', 'c<b'], 'a'],
  ] as const)
    expect(rebuildDisk(DISK, texts.map(image), NOTHING)).toMatchObject({
      leaf: null,
      leafParent: id(parent),
      points: { length: texts.length },
    });
});

it('T12: a point without its end gets it again', () => {
  const torn = { ...image('b<a'), hasEnd: false };
  const found = rebuildDisk(DISK, [image('a'), torn, image('f<b')], NOTHING);
  expect(found?.ops).toMatchObject([{ kind: 'seal', point: id('b') }]);
  // Not one whose roles are changing: its operation does that.
  const turning = rebuildDisk(DISK, [image('a'), image('a.new<b'), torn, image('f<b')], NOTHING);
  expect(turning?.ops.map(({ kind }) => kind)).toEqual(['copy']);
});

it('T8: what is being merged away is nobody’s, also where nothing else remembers that', () => {
  const disk = rebuildDisk(DISK, ['a', 'b:c<a', 'c<b', 'f<c'].map(image), NOTHING);
  if (disk === null) throw new Error('nothing whole');
  let made = 0;
  const { changes, nameless } = rebuildRows(new Map([[DISK, { ...disk, leaf: id('f') }]]), readMirror(null), {
    newMomentId: () => `00000000-0000-4000-8000-0000000001${++made}0` as MomentId,
    startedMs: () => 0,
  });
  const points = changes.flatMap(change => ('put' in change && change.put === 'point' ? [change.row] : []));
  expect(points.filter(({ momentId }) => momentId === null).map(point => point.id)).toEqual([id('b')]);
  expect(changes.filter(change => 'put' in change && change.put === 'moment')).toHaveLength(2);
  expect(nameless).toBe(2);
});
