// What is kept beside a moment's points, on real files.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MomentParts, momentParts } from '../../../../electron/control/compose/moments.ts';
import type { ExtrasShelf } from '../../../../electron/control/moments/extras.ts';
import type { EbbPaths } from '../../../../electron/platform/paths.ts';
import type { MomentId, PointId, VmId } from '../../../../shared/ids.ts';
import { Fault } from '../../../../shared/result.ts';
import type { Timeline } from '../../../../shared/timeline.ts';
import { specOf } from '../../../support/memory-world.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const pointId = '00000000-0000-4000-8000-000000000002' as PointId;
let data: string;
let home: string;
let shelf: ExtrasShelf;

const openShelf = (): ExtrasShelf =>
  momentParts(
    {
      paths: { dataFolder: data, runFolder: data } as EbbPaths,
      log: () => undefined,
      exit: () => undefined,
      pid: 1,
    },
    {} as MomentParts,
  ).shelf;
const keep = (): void => {
  const draft = shelf.draft(vmId);
  shelf.copyState(vmId, draft);
  const spec = specOf(1);
  shelf.keep(vmId, pointId, draft, {
    consistency: 'off',
    memoryBytes: null,
    hasScreen: false,
    record: null,
    spec,
  });
};

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'ebb-t-'));
  home = join(data, 'vms', vmId);
  mkdirSync(join(home, 'tpm'), { recursive: true });
  writeFileSync(join(home, 'uefi-vars.fd'), 'variables then');
  writeFileSync(join(home, 'tpm', 'permanent'), 'secrets then');
  shelf = openShelf();
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

describe('what is kept of a moment beside its points', () => {
  it('L4: firmware variables and what its TPM holds come back with it, whole', () => {
    keep();
    writeFileSync(join(home, 'uefi-vars.fd'), 'variables now');
    writeFileSync(join(home, 'tpm', 'permanent'), 'secrets now');
    writeFileSync(join(home, 'tpm', 'later'), 'was not there then');
    shelf.restoreState(vmId, pointId);
    expect(readFileSync(join(home, 'uefi-vars.fd'), 'utf8')).toBe('variables then');
    expect(readFileSync(join(home, 'tpm', 'permanent'), 'utf8')).toBe('secrets then');
    expect(readdirSync(home).sort()).toEqual(['moments', 'tpm', 'uefi-vars.fd']);
    expect(readdirSync(join(home, 'tpm'))).toEqual(['permanent']);
  });

  it('L4: a moment of a VM that was not started yet brings none of them, for the next start to make; one taken by storage alone leaves them', () => {
    const made = (): boolean[] => ['tpm', 'uefi-vars.fd'].map(name => existsSync(join(home, name)));
    rmSync(join(home, 'tpm'), { recursive: true });
    rmSync(join(home, 'uefi-vars.fd'));
    keep();
    mkdirSync(join(home, 'tpm'));
    writeFileSync(join(home, 'tpm', 'permanent'), 'made since');
    writeFileSync(join(home, 'uefi-vars.fd'), 'made since');
    shelf.restoreState(vmId, '00000000-0000-4000-8000-00000000000f' as PointId);
    expect(made()).toEqual([true, true]);
    shelf.restoreState(vmId, pointId);
    expect(made()).toEqual([false, false]);
  });

  it('L4: a shelf that could not be read is not taken for an empty one', () => {
    keep();
    shelf = openShelf();
    renameSync(join(home, 'moments'), join(home, 'away'));
    writeFileSync(join(home, 'moments'), '');
    expect(() => shelf.has(vmId, pointId)).toThrow(Fault);
    rmSync(join(home, 'moments'));
    renameSync(join(home, 'away'), join(home, 'moments'));
    expect(shelf.has(vmId, pointId)).toBe(true);
  });

  it('is known to the next control; what was being made, and what belongs to no point any more, is swept', async () => {
    keep();
    shelf.draft(vmId);
    shelf = openShelf();
    const momentId = '00000000-0000-4000-8000-000000000003' as MomentId;
    const timeline = {
      vmId,
      moments: [{ id: momentId, points: [{ pointId }] }],
      trash: [],
    } as unknown as Timeline;
    expect(shelf.tell(timeline).moments[0]?.extras).toMatchObject({ consistency: 'off' });
    await shelf.sweep(timeline);
    expect(readdirSync(join(home, 'moments'))).toEqual([pointId]);
    await shelf.sweep({ ...timeline, moments: [] });
    expect(existsSync(join(home, 'moments', pointId))).toBe(false);
  });
});
