// Machines of several kinds on the real QEMU: UEFI and TPM, networks, host ports, what lies in odd folders.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findFirmware } from '../../electron/control/vm/host-parts.ts';
import { bytesOf } from '../../electron/platform/vm-files.ts';
import type { MomentId, VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import { type Agent, Ebb, waitFor } from '../support/ebb.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

// What a path may hold and an option list of QEMU's would take apart.
const root = mkdtempSync(join(tmpdir(), 'ebb k,a=b -'));
let ebb: Ebb;
let host: Server;
let hostPort = 0;

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (cause: unknown) => (cause instanceof Fault ? cause.body : cause),
  );
const listen = (port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer(socket => socket.end('from the host\n'));
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
const sh = async (agent: Agent, cmd: string): Promise<string> => (await agent.call('sh', { cmd })).out ?? '';
const hasAddress = (agent: Agent): Promise<unknown> =>
  waitFor('an address', async () => (await sh(agent, 'ip -4 addr show eth0')).includes('10.0.2.15'));
const home = (of: Ebb, vmId: VmId): string => join(of.paths.dataFolder, 'vms', vmId);

beforeAll(async () => {
  host = await listen(0);
  ({ port: hostPort } = host.address() as AddressInfo);
  mkdirSync(join(root, 'd'));
  ebb = await Ebb.start(join(root, 'd'));
});
afterAll(async () => {
  await ebb?.dispose();
  host.close();
  rmSync(root, { recursive: true, force: true });
});

describe('networks', () => {
  let vmId: VmId;
  let guestPort = 0;

  it('L3: a VM named like an option starts in a folder with a comma, an equals sign and a dash; its machine is pinned', async () => {
    ({ vmId } = await ebb.createSample('-accel kvm', { minMib: 112, maxMib: 128, diskMib: 16 }));
    const agent = await ebb.startVm(vmId);
    await hasAddress(agent);
    expect(await sh(agent, `nc -w 20 10.0.2.2 ${hostPort} </dev/null`)).toContain('from the host');
    const { spec } = await ebb.call('vm.get', { vmId });
    expect(spec.machineType).toMatch(/^pc-q35-\d/);
    await ebb.stopVm(vmId);
  });

  it('a host port that another program has is told when it is set, and before the start', async () => {
    const portForwards = [{ protocol: 'tcp' as const, hostPort, guestPort: 7000 }];
    const set = await ebb.call('vm.configure', { vmId, change: { portForwards } });
    expect(set).toMatchObject({ applies: 'now', conflicts: [{ hostPort }] });
    const { taskId } = await ebb.call('vm.start', { vmId });
    expect(await codeOf(ebb.done(taskId))).toMatchObject({
      code: 'network.port-in-use',
      what: expect.stringContaining(`tcp port ${hostPort}`),
    });
    expect((await ebb.state(vmId)).phase).toBe('off');
  });

  it('an isolated guest reaches nothing, and its port forwards reach it', async () => {
    const free = await listen(0);
    guestPort = (free.address() as AddressInfo).port;
    await new Promise(resolve => free.close(resolve));
    const portForwards = [{ protocol: 'tcp' as const, hostPort: guestPort, guestPort: 7000 }];
    await ebb.call('vm.configure', { vmId, change: { network: 'isolated', portForwards, cpus: 2 } });
    const agent = await ebb.startVm(vmId);
    expect(await sh(agent, 'nproc')).toBe('2\n');
    await hasAddress(agent);
    expect(await sh(agent, `nc -w 5 10.0.2.2 ${hostPort} </dev/null`)).not.toContain('from the host');
    await sh(agent, '(echo from the guest | nc -l -p 7000) >/dev/null 2>&1 &');
    const heard = await waitFor('the guest behind its forward', () => hear(guestPort));
    expect(heard).toBe('from the guest\n');
  });

  it('what runs keeps its machine, notes are changed at once, and firmware not before it is off', async () => {
    const set = (change: object) => ebb.call('vm.configure', { vmId, change });
    expect(await set({ cpus: 1 })).toMatchObject({ applies: 'next-start' });
    expect(await set({ notes: 'mind\nthe gap', group: 'lab' })).toMatchObject({ applies: 'now' });
    expect(await codeOf(set({ firmware: 'uefi' }))).toMatchObject({ code: 'vm.wrong-state' });
    const other = await ebb.createSample('other', { minMib: 112, maxMib: 128, diskMib: 16 });
    const portForwards = [{ protocol: 'tcp' as const, hostPort: guestPort, guestPort: 22 }];
    const { conflicts } = await ebb.call('network.conflicts', { vmId: other.vmId, portForwards });
    expect(conflicts).toMatchObject([{ what: expect.stringContaining('the VM "-accel kvm"') }]);
    expect((await ebb.call('network.conflicts', { vmId, portForwards })).conflicts).toEqual([]);
    await ebb.stopVm(vmId);
  });

  it('a TPM cannot be had in a folder with a comma: said in a sentence, and it starts without', async () => {
    await ebb.call('vm.configure', { vmId, change: { hasTpm: true, portForwards: [] } });
    const { taskId } = await ebb.call('vm.start', { vmId });
    expect(await codeOf(ebb.done(taskId))).toMatchObject({
      code: 'host.unsupported',
      what: expect.stringContaining('comma'),
    });
    await ebb.call('vm.configure', { vmId, change: { hasTpm: false } });
  });
});

/** What the other end says at once; null while nobody answers. */
function hear(port: number): Promise<string | null> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', piece => {
      text += piece;
    });
    socket.on('error', () => resolve(null));
    socket.on('close', () => resolve(text === '' ? null : text));
  });
}

describe('UEFI and TPM', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-k='));
  let plain: Ebb;
  let vmId: VmId;

  beforeAll(async () => {
    plain = await Ebb.start(folder);
    ({ vmId } = await plain.createSample('uefi', { minMib: 160, maxMib: 256, diskMib: 16 }));
  });
  afterAll(async () => {
    await plain?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  it('L4: its guest sees both, its variables and its TPM are its own, and swtpm ends with it', async () => {
    await plain.call('vm.configure', { vmId, change: { firmware: 'uefi', hasTpm: true } });
    const agent = await plain.startVm(vmId);
    expect(await sh(agent, 'cat /sys/firmware/efi/fw_platform_size')).toBe('64\n');
    expect(await sh(agent, 'ls /sys/firmware/acpi/tables')).toContain('TPM2');
    const template = findFirmware('uefi', bytesOf, null);
    const vars = readFileSync(join(home(plain, vmId), 'uefi-vars.fd'));
    expect(vars.length).toBe(bytesOf(template?.vars ?? ''));
    // Firmware notes what it can boot from.
    expect(vars.equals(readFileSync(template?.vars ?? ''))).toBe(false);
    expect(statSync(join(home(plain, vmId), 'tpm')).mode & 0o077).toBe(0);
    const { pid } = JSON.parse(
      readFileSync(join(plain.paths.runFolder, `vm-${vmId.slice(0, 13)}`, 'tpm.json'), 'utf8'),
    ) as { pid: number };
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('swtpm');
    await plain.stopVm(vmId);
    await waitFor('swtpm to end', () => bytesOf(`/proc/${pid}/cmdline`) === null || null);
    expect(statSync(join(home(plain, vmId), 'tpm', 'tpm2-00.permall')).size).toBeGreaterThan(0);
    const { id: momentId } = await plain.call('moment.take', { vmId, name: 'p', note: '' });
    const clone = await plain.call('vm.clone', { vmId, momentId, name: 'clone' });
    await plain.done(clone.taskId);
    const own = (id: VmId): Buffer => readFileSync(join(home(plain, id), 'uefi-vars.fd'));
    expect(own(clone.vmId).equals(own(vmId))).toBe(true);
    // A TPM is one machine's alone.
    expect(bytesOf(join(home(plain, clone.vmId), 'tpm'))).toBeNull();
  });

  it('L4, T7: control killed in the middle of going back: the next finishes it, disk, variables and TPM together', async () => {
    const first = await plain.startVm(vmId);
    await sh(first, 'echo then | dd of=/dev/vda conv=sync,fsync');
    const { id: momentId } = await plain.call('moment.take', { vmId, name: 'then', note: '' });
    await sh(first, 'echo later | dd of=/dev/vda conv=sync,fsync');
    await plain.stopVm(vmId);
    const [vars, later] = ['uefi-vars.fd', 'tpm/later'].map(name => join(home(plain, vmId), name)) as [
      string,
      string,
    ];
    const then = readFileSync(vars);
    writeFileSync(vars, Buffer.from(then).fill(1, then.length - 16));
    writeFileSync(later, 'made since');
    const asked = plain.call('moment.go-back', { vmId, momentId }).catch(() => null);
    await new Promise(resolve => setImmediate(resolve));
    // Control works in a process of its own: this one sees the note the instant it is there.
    const deadline = performance.now() + 60_000;
    while (bytesOf(join(home(plain, vmId), 'going-back.json')) === null)
      if (performance.now() > deadline) throw new Error('waited 60 s for the note');
    await plain.killControl();
    await asked;
    expect(readFileSync(vars).equals(then)).toBe(true);
    expect(bytesOf(later)).toBeNull();
    const { moments } = await plain.call('timeline.get', { vmId });
    const kept = moments.find(({ kind }) => kind === 'kept')?.points[0]?.pointId ?? '';
    expect(bytesOf(join(home(plain, vmId), 'moments', kept, 'tpm/later'))).toBe(10);
    expect(bytesOf(join(home(plain, vmId), 'going-back.json'))).toBeNull();
    const second = await plain.startVm(vmId);
    expect(await sh(second, 'head -c 4 /dev/vda')).toBe('then');
    await plain.stopVm(vmId);
  });

  it('Secure Boot: its guest is told that it is on, and so locks itself down', async () => {
    await plain.call('vm.configure', { vmId, change: { firmware: 'uefi-secure', hasTpm: false } });
    expect(bytesOf(join(home(plain, vmId), 'uefi-vars.fd'))).toBeNull();
    const agent = await plain.startVm(vmId);
    expect(await sh(agent, 'dmesg | grep -i "secure boot"')).toContain('Secure boot enabled');
    await plain.stopVm(vmId);
  });
});

describe('the seed of a cloud image', () => {
  it('is a FAT disk of that label, as a foreign reader sees it, and QEMU starts with it', async () => {
    const image = join(root, 'cloud.img');
    writeFileSync(image, Buffer.alloc(1024 * 1024));
    const { file } = await ebb.call('file.register', { path: image });
    const key = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE${'a'.repeat(42)} me`;
    const { vmId, taskId } = await ebb.call('vm.create', {
      name: 'Cloud 9',
      os: 'linux',
      cpus: 1,
      minKib: 131_072,
      maxKib: 131_072,
      source: { kind: 'disk', file, format: 'raw' },
      cloudInit: { user: 'ann', sshKeys: [key], packages: ['nginx'] },
    });
    await ebb.done(taskId);
    const folder = join(home(ebb, vmId), 'seed');
    expect(statSync(folder).mode & 0o077).toBe(0);
    const made = join(root, 'seed.img');
    const escaped = folder.replaceAll(',', ',,');
    const from = ['--image-opts', `driver=vvfat,dir=${escaped},label=cidata,read-only=on`];
    execFileSync('qemu-img', ['convert', '-O', 'raw', ...from, made]);
    const listing = execFileSync('7z', ['l', '-slt', made]).toString();
    expect(listing).toMatch(/Label = cidata/i);
    expect(listing).toContain('Path = user-data');
    // The two files are the first on it.
    const start = Buffer.alloc(2 ** 20);
    const disk = openSync(made, 'r');
    readSync(disk, start);
    closeSync(disk);
    for (const text of ['#cloud-config\n', `"${key}"`, `instance-id: "${vmId}"`])
      expect(start.includes(text)).toBe(true);
    await ebb.done((await ebb.call('vm.start', { vmId })).taskId);
    expect((await ebb.state(vmId)).phase).toBe('running');
    await ebb.stopVm(vmId);
    rmSync(made);
  });

  it('a machine of emulated hardware starts with its disk and its installer', async () => {
    const image = join(root, 'setup.iso');
    writeFileSync(image, Buffer.alloc(1024 * 1024));
    const { file } = await ebb.call('file.register', { path: image });
    const { vmId, taskId } = await ebb.call('vm.create', {
      ...{ name: 'Emulated', os: 'other', cpus: 1, minKib: 65_536, maxKib: 131_072 },
      source: { kind: 'iso', file, diskBytes: 2 ** 30 },
    });
    await ebb.done(taskId);
    expect((await ebb.call('vm.get', { vmId })).spec.devices).toBe('emulated');
    await ebb.done((await ebb.call('vm.start', { vmId })).taskId);
    expect((await ebb.state(vmId)).phase).toBe('running');
    expect(await codeOf(ebb.call('vm.eject', { vmId }))).toMatchObject({ code: 'vm.wrong-state' });
    // L4: memory that knows a CD goes on with an empty drive where that was taken out since.
    const told = { vmId, name: 'with the CD', note: '' };
    await ebb.done((await ebb.call('moment.take-with-memory', told)).taskId);
    await ebb.stopVm(vmId);
    expect(await ebb.call('vm.eject', { vmId })).toEqual({ removedBytes: 1024 * 1024 });
    const { moments } = await ebb.call('timeline.get', { vmId });
    const momentId = moments.find(({ name }) => name === told.name)?.id as MomentId;
    await ebb.done((await ebb.call('moment.go-back', { vmId, momentId, ifRunning: 'refuse' })).taskId);
    expect((await ebb.state(vmId)).phase).toBe('running');
    const { argv } = JSON.parse(readFileSync(join(home(ebb, vmId), 'run.json'), 'utf8'));
    expect(argv.join(' ')).toContain('ide-cd,bus=ide.5,id=cd0');
    expect(argv.join(' ')).not.toContain('installer.iso');
    await ebb.stopVm(vmId);
  });

  it('bad input: an installer that is a folder is no file', async () => {
    expect(await codeOf(ebb.call('file.register', { path: root }))).toMatchObject({
      code: 'file.unreadable',
    });
  });
});
