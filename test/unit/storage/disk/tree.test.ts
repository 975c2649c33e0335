// What goes with what: pure, over rows alone.
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../../electron/storage/disk/memory-store.ts';
import { type PointRow, put } from '../../../../electron/storage/disk/state.ts';
import { Tree } from '../../../../electron/storage/disk/tree.ts';
import type { DiskId, MomentId, PointId } from '../../../../shared/ids.ts';

const diskId = 'disk' as DiskId;

/** Each point with what it hangs off; a capital letter is somebody's moment. The leaf hangs off `leafParent`. */
function treeOf(points: Readonly<Record<string, string | null>>, leafParent: string): Tree {
  const store = new MemoryStore();
  const rows = Object.entries(points).map(([id, parent]): PointRow => {
    const momentId = id === id.toUpperCase() ? (id as MomentId) : null;
    return {
      id: id as PointId,
      diskId,
      momentId,
      parent: parent as PointId | null,
      sums: true,
      origin: null,
    };
  });
  const disk = { id: diskId, virtualBytes: 4096, blockBytes: 4096, leaf: 'leaf' as PointId };
  store.commit([
    put('disk', { ...disk, leafParent: leafParent as PointId }),
    ...rows.map(row => put('point', row)),
  ]);
  return new Tree(store);
}
const going = (tree: Tree, id: string): string[] => tree.goingWith(id as PointId, tree.references());
const loose = (tree: Tree): string[] =>
  tree
    .loose()
    .map(({ id }) => id)
    .sort();

describe('what a purge frees', () => {
  it("T8: is with a point whatever of nobody's only it hangs off, and nothing beyond", () => {
    const tree = treeOf({ ROOT: null, b: 'ROOT', a: 'b', OLD: 'a', BRANCH: 'b' }, 'ROOT');
    expect(going(tree, 'OLD')).toEqual(['OLD', 'a']);
    expect(going(tree, 'BRANCH')).toEqual(['BRANCH']);
    expect(going(tree, 'ROOT')).toEqual([]);
    expect(going(treeOf({ ROOT: null, a: 'ROOT', OLD: 'a' }, 'a'), 'OLD')).toEqual(['OLD']);
  });

  it("T8: is all of nobody's that nothing is left to hang off", () => {
    expect(loose(treeOf({ ROOT: null, c: 'ROOT', a: 'c', b: 'c' }, 'ROOT'))).toEqual(['a', 'b', 'c']);
    expect(loose(treeOf({ ROOT: null, c: 'ROOT', a: 'c', B: 'c' }, 'ROOT'))).toEqual(['a']);
  });
});
