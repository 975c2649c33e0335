// What a VM's folder says of it: read as a stranger's file, written without ever refusing a change.
import { describe, expect, it } from 'vitest';
import { Deleted, type DeletedPorts, nameAmong } from '../../../../electron/control/machines/deleted.ts';
import { SpecFiles } from '../../../../electron/control/machines/spec-files.ts';
import { type FolderSays, readVmJson, vmJsonOf } from '../../../../electron/control/machines/vm-json.ts';
import { askOf } from '../../../../electron/control/policy/guard.ts';
import type { Policy } from '../../../../electron/control/policy/policy.ts';
import type { Catalog } from '../../../../electron/control/store/catalog.ts';
import { Fault } from '../../../../shared/result.ts';
import type { CallContext } from '../../../../shared/rpc/server.ts';
import { type VmSpec, vmNameSchema } from '../../../../shared/vm.ts';
import { makeVm } from '../../../support/fake-world.ts';
import { managed, unrestricted } from '../../../support/policies.ts';
import { newVmId } from '../../../support/storage-process.ts';

const spec: VmSpec = makeVm({ name: 'dev', os: 'linux', phase: 'off', min: 1, max: 2 }, 1e13).summary.spec;
const full = new Fault({ code: 'disk.full', what: 'full', safe: '', todo: '' });
const onDisk = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('vm.json', () => {
  it('says all that the catalog does', () => {
    expect(readVmJson(onDisk(vmJsonOf(spec)))).toEqual({ spec });
  });

  it.each([
    ['no file, or no JSON', undefined, 'none'],
    ['another kind of file', { name: 'x' }, 'damaged'],
    ['a list', [], 'damaged'],
    ['another version', { ebb: 'vm', version: 2, spec: {} }, 'version'],
  ])('%s says nothing', (_, raw, why) => {
    expect(readVmJson(raw)).toEqual({ spec: null, why });
  });

  const [disk] = spec.disks;
  it.each<[string, object]>([
    ['a way out of the folder', { boot: { kind: 'iso', isoName: '../../x/installer.iso' } }],
    ['an absolute path', { boot: { kind: 'iso', isoName: '/etc/passwd' } }],
    ['an id that is a path', { id: '../x' }],
    ['a disk id that is a path', { disks: [{ id: '../x', virtualBytes: 1 }] }],
    ['one disk twice', { disks: [disk, disk] }],
    ['a disk of any size', { disks: [{ ...disk, virtualBytes: 2 ** 52 }] }],
    ['nine disks', { disks: Array.from({ length: 9 }, () => disk) }],
    ['a name with an option of QEMU', { name: 'x,accel=tcg' }],
    ['more processors than there are', { cpus: 65 }],
    ['a range upside down', { minKib: 2048, maxKib: 1024 }],
    ['memory below nothing', { minKib: -1 }],
    ['a machine type of its own', { machineType: 'pc-q35-7.2,x=y' }],
    ['a port that is none', { portForwards: [{ protocol: 'tcp', hostPort: 0, guestPort: 22 }] }],
    ['notes without end', { notes: 'x'.repeat(4001) }],
    ['a peek', { peek: { vmId: spec.id, momentId: spec.id, momentName: 'x', points: [] } }],
    ['a field of its own', { argv: ['-device', 'x'] }],
  ])('a stranger who writes %s is not believed', (_, change) => {
    const file = vmJsonOf(spec);
    expect(readVmJson(onDisk({ ...file, spec: { ...file.spec, ...change } }))).toEqual({
      spec: null,
      why: 'damaged',
    });
  });
});

describe('noting a spec', () => {
  const noting = (says: FolderSays, put: (spec: VmSpec) => void, hasHome = true) => {
    const logged: string[] = [];
    const folders = { hasHome: () => hasHome, says: () => says, putSpec: put };
    return { files: new SpecFiles(folders, line => logged.push(line)), logged };
  };

  it('a full disk refuses no change: the catalog has it', () => {
    const { files, logged } = noting({ spec: null, why: 'none' }, () => {
      throw full;
    });
    const rows: VmSpec[] = [];
    files.noted({ put: row => rows.push(row) } as Partial<Catalog> as Catalog).put(spec);
    expect(rows).toEqual([spec]);
    expect(logged).toEqual([expect.stringContaining('full')]);
  });

  it('writes only what is not there yet, only into a folder that is there, and of no peek', () => {
    const written: VmSpec[] = [];
    const put = (row: VmSpec): void => void written.push(row);
    noting({ spec }, put).files.note({ ...spec });
    noting({ spec: null, why: 'none' }, put, false).files.note(spec);
    const peek = {
      vmId: spec.id,
      momentId: spec.id,
      momentName: 'x',
      points: [],
    } as unknown as VmSpec['peek'];
    noting({ spec: null, why: 'none' }, put).files.note({ ...spec, peek });
    expect(written).toEqual([]);
    noting({ spec: { ...spec, cpus: 1 } }, put).files.note({ ...spec, cpus: 3 });
    expect(written).toEqual([{ ...spec, cpus: 3 }]);
  });
});

describe('taking back', () => {
  /** The trash has it twice; the list has what `others` names. */
  function trash(policy: Policy, others: readonly string[], moves: () => void) {
    const list = others.map(name => ({ ...spec, id: newVmId(), name }));
    const moved: string[] = [];
    const deleted = new Deleted({
      folders: {
        trashed: () => [`${spec.id}-5`, `${spec.id}-7`, 'notes.txt', `${spec.id}`],
        trashedSays: () => ({ spec }),
        hasHome: () => false,
        fromTrash: (name: string) => {
          expect(list.at(-1)?.id).toBe(spec.id);
          moves();
          moved.push(name);
        },
      },
      files: { note: () => undefined },
      machines: {
        list: () => list.map(row => ({ spec: row })),
        spec: () => list.at(-1),
        checkNew: () => undefined,
        add: (row: VmSpec) => list.push(row),
        forget: () => list.pop(),
        open: () => Promise.reject(full),
      },
      policy: () => policy,
      keptMs: () => 10,
      log: () => undefined,
    } as unknown as DeletedPorts);
    return { deleted, list, moved };
  }

  it('takes what was deleted last under an id, also where its disks do not open now', async () => {
    const { deleted, list, moved } = trash(unrestricted, ['dev'], () => undefined);
    expect(deleted.list()).toEqual([{ vmId: spec.id, name: 'dev', deletedAt: 7, goesAt: 17 }]);
    expect(await deleted.takeBack(spec.id)).toEqual({ ...spec, name: 'dev 2' });
    expect([moved, list.length]).toEqual([[`${spec.id}-7`], 2]);
  });

  it('a folder that does not move leaves no row, and the fault says why', async () => {
    const { deleted, list } = trash(unrestricted, [], () => {
      throw full;
    });
    await expect(deleted.takeBack(spec.id)).rejects.toBe(full);
    expect(list).toEqual([]);
  });

  it("IT's number of VMs holds, and who may not delete may take back", async () => {
    const { deleted, list, moved } = trash(managed({ 'vm.count': { max: 1 } }), ['other'], () => undefined);
    await expect(deleted.takeBack(spec.id)).rejects.toMatchObject({ body: { code: 'policy.denied' } });
    expect([list.length, moved]).toEqual([1, []]);
    const keeps = managed({ 'vm.delete': { value: false } });
    const ask = askOf(
      () => keeps,
      () => null,
    );
    const context = { caller: { kind: 'local', role: 'administer' } } as unknown as CallContext;
    expect(() => ask('vm.delete', { vmId: spec.id }, context)).toThrow(Fault);
    expect(() => ask('vm.restore', { vmId: spec.id }, context)).not.toThrow();
  });

  it.each(['dev', 'x'.repeat(60), '💾'.repeat(30), `${'y'.repeat(55)}💾💾`])(
    'under a name that no VM has, and one may have: %s',
    name => {
      const names = [name];
      for (let count = 0; count < 3; count++) {
        const free = nameAmong(name, names);
        expect(names).not.toContain(free);
        expect(vmNameSchema.parse(free)).toBe(free);
        names.push(free);
      }
    },
  );
});
