// Moments of guests that run: with file systems at rest, and with all they are doing.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { MomentId, VmId } from '../../shared/ids.ts';
import { type Agent, type Ebb, waitFor } from '../support/ebb.ts';
import { startFromFixtures } from '../support/fixtures.ts';

const CLI = join(import.meta.dirname, '../../electron/shells/cli/main.ts');
const MOUNTED = '/run/m';

// Guests under TCG on a loaded machine: conditions are waited for, this only ends a hang.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let ebb: Ebb;
let agent: Agent;
let vmId: VmId;

const sh = async (cmd: string): Promise<string> => {
  const { status, out = '' } = await agent.call('sh', { cmd });
  if (status !== '0') throw new Error(`${cmd}: ${status}: ${out}`);
  return out.trim();
};
const run = (program: string, ...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'latin1' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${status}: ${stdout}${stderr}`);
  return stdout;
};
const cli = (...words: string[]): string => {
  process.env.EBB_DATA = ebb.paths.dataFolder;
  return run(process.execPath, CLI, ...words);
};
const home = (): string => join(ebb.paths.dataFolder, 'vms', vmId);
const shelf = (): string[] => (existsSync(`${home()}/moments`) ? readdirSync(`${home()}/moments`) : []);

/** Its first disk at a moment, as a file that is removed afterwards. */
async function withImage<T>(momentId: MomentId, look: (path: string) => T): Promise<T> {
  const wanted = join(tmpdir(), `ebb-t-moment-${process.pid}.raw`);
  const { taskId, path } = await ebb.call('moment.export', { vmId, momentId, format: 'raw', path: wanted });
  await ebb.done(taskId);
  try {
    return look(path);
  } finally {
    rmSync(path, { force: true });
  }
}

/** Made on the host: the guest has no mke2fs. */
async function makeFileSystem(): Promise<void> {
  const path = join(tmpdir(), `ebb-t-ext2-${process.pid}`);
  run('mke2fs', '-q', '-t', 'ext2', '-b', '1024', path, '16M');
  const packed = gzipSync(readFileSync(path)).toString('base64');
  rmSync(path);
  await sh(
    `echo ${packed} | base64 -d | gunzip > /dev/vda; mkdir -p ${MOUNTED}; mount -t ext2 /dev/vda ${MOUNTED}`,
  );
}

beforeAll(async () => {
  ebb = await startFromFixtures();
  ({ vmId } = await ebb.vmNamed('history'));
  agent = await ebb.startVm(vmId);
});
afterAll(async () => {
  await ebb?.dispose();
});

describe('a moment of a guest that runs', () => {
  it('with an agent: what its programs wrote is on the disk, its file systems are whole, and it writes on', async () => {
    await makeFileSystem();
    await sh(`(while :; do date >> ${MOUNTED}/log; usleep 20000; done) >/dev/null 2>&1 &`);
    await sh(`dd if=/dev/urandom of=${MOUNTED}/fresh bs=1024 count=512`);
    const sum = (await sh(`md5sum < ${MOUNTED}/fresh`)).split(' ')[0];
    const taken = await ebb.call('moment.take', { vmId, name: 'at rest', note: '' });
    expect(taken.extras).toMatchObject({ consistency: 'frozen', memoryBytes: null, hasScreen: true });
    const lines = Number(await sh(`wc -l < ${MOUNTED}/log`));
    await waitFor(
      'the guest to write on',
      async () => Number(await sh(`wc -l < ${MOUNTED}/log`)) > lines || null,
    );
    await withImage(taken.id, image => {
      expect(run('e2fsck', '-fn', image)).not.toMatch(/not cleanly unmounted/i);
      run('debugfs', '-R', `dump /fresh ${image}.fresh`, image);
      expect(run('md5sum', `${image}.fresh`)).toContain(sum);
      rmSync(`${image}.fresh`);
    });
    const restored = join(tmpdir(), `ebb-t-restored-${process.pid}`);
    mkdirSync(restored);
    expect(cli('point', 'files', 'history', 'at rest')).toMatch(/fresh +512 KiB/);
    cli('point', 'restore-files', 'history', 'at rest', 'fresh', '--to', restored);
    expect(run('md5sum', `${restored}/fresh`)).toContain(sum);
    rmSync(restored, { recursive: true });
    const { png } = await ebb.call('moment.screen', { vmId, momentId: taken.id });
    expect(
      Buffer.from(png ?? '', 'base64')
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
    const picture = join(tmpdir(), `ebb-t-picture-${process.pid}.png`);
    cli('vm', 'screenshot', 'history', picture, '--point', 'at rest');
    expect(readFileSync(picture).toString('base64')).toBe(png);
    rmSync(picture);
    expect(JSON.parse(cli('vm', 'show', 'history', '--json')).guest.hostName).toBeTruthy();
  });

  it('one that was frozen when control died is thawed by the next', async () => {
    const socket = join(ebb.paths.runFolder, `vm-${vmId.slice(0, 13)}`, 'qga');
    const freeze = `
      const s = require('node:net').connect(${JSON.stringify(socket)});
      s.write('{"execute":"guest-fsfreeze-freeze"}\\n');
      s.on('data', bytes => { console.log(String(bytes)); process.exit(0) });`;
    await ebb.killControl(() => {
      expect(run(process.execPath, '-e', freeze)).toMatch(/"return": 1/);
      // As control notes it before it freezes anything.
      run('sh', '-c', `echo '{"kind":"frozen","wasRunning":true}' > ${home()}/barrier.json`);
    });
    // This test's own channel into the guest has outlived control: QEMU serves one client of it at a time.
    await waitFor('the note to go', () => !existsSync(`${home()}/barrier.json`) || null);
    const lines = Number(await sh(`wc -l < ${MOUNTED}/log`));
    await waitFor(
      'the guest to write on',
      async () => Number(await sh(`wc -l < ${MOUNTED}/log`)) > lines || null,
    );
  });

  it('with its memory: going back resumes it there, as often as one likes; its memory goes with it', async () => {
    await sh('echo then > /run/state');
    const { taskId } = await ebb.call('moment.take-with-memory', { vmId, name: 'working', note: '' });
    await ebb.done(taskId);
    const { moments } = await ebb.call('timeline.get', { vmId });
    const taken = moments.find(({ name }) => name === 'working');
    expect(taken?.extras).toMatchObject({ consistency: 'memory' });
    expect(taken?.extras?.memoryBytes).toBeGreaterThan(2 ** 20);
    expect((await ebb.state(vmId)).phase).toBe('running');
    const momentId = taken?.id as MomentId;
    const atThen = (await sh(`cat ${MOUNTED}/log`)).length;
    for (const round of [1, 2]) {
      await sh(`echo later > /run/state; echo ${round} > ${MOUNTED}/later; sync`);
      const back = await ebb.call('moment.go-back', { vmId, momentId, ifRunning: 'force' });
      await ebb.done(back.taskId);
      agent = await ebb.agent(vmId);
      expect(await sh('cat /run/state')).toBe('then');
      expect(await sh(`ls ${MOUNTED}`)).not.toContain('later');
      await waitFor(
        'what it was doing to go on',
        async () => (await sh(`cat ${MOUNTED}/log`)).length > atThen || null,
      );
    }
    const pointId = taken?.points[0]?.pointId ?? '';
    const saved = statSync(`${home()}/moments/${pointId}/memory`);
    console.log(`memory of a moment: ${Math.round(saved.size / 2 ** 20)} MiB of 256 MiB`);
    await ebb.call('moment.delete', { vmId, momentId });
    expect(shelf()).toContain(pointId);
    await ebb.call('trash.purge', { vmId });
    expect(shelf()).not.toContain(pointId);
  });
});

describe('a guest that is suspended', () => {
  it('L4: its memory is packed, and one that an earlier Ebb saved as it came resumes as well', async () => {
    await sh('echo kept > /run/suspended');
    const [memory, record] = ['memory', 'record.json'].map(name => join(home(), 'suspended', name)) as [
      string,
      string,
    ];
    for (const packing of ['zstd', undefined]) {
      await ebb.done((await ebb.call('vm.suspend', { vmId })).taskId);
      const saved = JSON.parse(readFileSync(record, 'utf8')) as { packing?: string };
      expect(saved.packing).toBe('zstd');
      const plain = zstdDecompressSync(readFileSync(memory));
      expect(plain.toString('latin1', 0, 4)).toBe('QEVM');
      console.log(
        `suspended: ${Math.round(statSync(memory).size / 2 ** 20)} MiB packed, ${Math.round(plain.length / 2 ** 20)} MiB as it comes`,
      );
      if (packing === undefined) {
        // As states were before they said how they lie.
        writeFileSync(memory, plain);
        writeFileSync(record, JSON.stringify({ ...saved, packing }));
      }
      agent = await ebb.startVm(vmId);
      expect(await sh('cat /run/suspended')).toBe('kept');
    }
  });
});

describe('a look at a moment', () => {
  const mark = `${MOUNTED}/mark`;
  const mountedIn = async (guest: Agent, cmd: string): Promise<string> => {
    const { status, out = '' } = await guest.call('sh', {
      cmd: `mkdir -p ${MOUNTED}; mount -t ext2 /dev/vda ${MOUNTED} 2>/dev/null; ${cmd}`,
    });
    if (status !== '0') throw new Error(`${cmd}: ${status}: ${out}`);
    return out.trim();
  };
  const peeks = async (): Promise<VmId[]> =>
    (await ebb.call('vm.list', {})).vms.filter(({ spec }) => spec.peek !== null).map(({ spec }) => spec.id);
  const folderOf = (id: VmId): string => join(ebb.paths.dataFolder, 'vms', id);
  let momentId: MomentId;
  let there: Agent;

  const peek = async (): Promise<VmId> => {
    const started = await ebb.call('moment.peek', { vmId, momentId });
    await ebb.done(started.taskId);
    return started.vmId;
  };

  it('T4: boots what was, beside the present; neither sees what the other writes', async () => {
    await sh(`echo then > ${mark}; sync`);
    momentId = (await ebb.call('moment.take', { vmId, name: 'then', note: '' })).id;
    await sh(`echo now > ${mark}; sync`);
    const id = await peek();
    expect(await peeks()).toEqual([id]);
    there = await ebb.agent(id);
    expect(await mountedIn(there, `cat ${mark}; echo there > ${mark}; sync; cat ${mark}`)).toBe(
      'then\nthere',
    );
    expect(await sh(`cat ${mark}`)).toBe('now');
    for (const ask of [
      () => ebb.call('moment.take', { vmId: id, name: 'of a look', note: '' }),
      () => ebb.call('vm.suspend', { vmId: id }),
      () => ebb.call('vm.delete', { vmId: id }),
      () => ebb.call('timeline.get', { vmId: id }),
    ])
      await expect(ask()).rejects.toMatchObject({ body: { code: 'vm.wrong-state' } });
  });

  it('M9, T8, T11: control and storage that die find it again, and what it reads is not purged', async () => {
    const [id] = await peeks();
    expect(id).toBeDefined();
    process.kill(await ebb.storagePid(), 'SIGKILL');
    await mountedIn(there, `echo 3 > /proc/sys/vm/drop_caches; md5sum ${MOUNTED}/fresh`);
    await ebb.killControl(() => undefined);
    expect(await peeks()).toEqual([id]);
    await ebb.call('moment.delete', { vmId, momentId });
    expect(await ebb.call('trash.purge', { vmId })).toMatchObject({ freedBytes: 0 });
    expect(
      await mountedIn(there, `echo 3 > /proc/sys/vm/drop_caches; cat ${mark}; wc -c < ${MOUNTED}/fresh`),
    ).toBe('there\n524288');
  });

  it('nothing of it is kept: not when it ends, and not when control ended before it did', async () => {
    const [id] = await peeks();
    if (id === undefined) throw new Error('there is no peek');
    await ebb.stopVm(id);
    expect(await peeks()).toEqual([]);
    expect(existsSync(folderOf(id))).toBe(false);
    await ebb.call('moment.restore', { vmId, momentId });
    await withImage(momentId, image => {
      expect(run('debugfs', '-R', 'cat /mark', image)).toBe('then\n');
    });
    const second = await peek();
    expect(second).not.toBe(id);
    const { pid } = await ebb.state(second);
    await ebb.killControl(() => process.kill(pid ?? 0, 'SIGKILL'));
    await waitFor('it to be gone', async () => (await peeks()).length === 0 || null);
    expect(existsSync(folderOf(second))).toBe(false);
    expect((await ebb.state(vmId)).phase).toBe('running');
  });
});
