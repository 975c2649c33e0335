import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { socketsIn } from '../../../../electron/control/vm/run-record.ts';
import { specToArgv, withEmptyDrive } from '../../../../electron/control/vm/spec-to-argv.ts';
import type { DiskId, MomentId, PointId, VmId } from '../../../../shared/ids.ts';
import { type VmSpec, vmNameSchema } from '../../../../shared/vm.ts';
import { PLAIN_SETUP } from '../../../../shared/vm-setup.ts';

const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const spec: VmSpec = {
  id: '00000000-0000-4000-8000-000000000001' as VmId,
  name: 'dev',
  os: 'linux',
  cpus: 2,
  minKib: 131072,
  maxKib: 524288,
  weight: 100,
  balanced: true,
  balloon: true,
  disks: [{ id: diskId, virtualBytes: 1 }],
  boot: { kind: 'disk' },
  network: 'user',
  portForwards: [{ protocol: 'tcp', hostPort: 2222, guestPort: 22 }],
  ...PLAIN_SETUP,
  createdAt: 0,
};
const input = {
  spec,
  bootKib: 524288,
  accelerator: 'tcg' as const,
  sockets: socketsIn('/run/x'),
  sample: null,
  isoPath: null,
  firmware: null,
  seedFolder: null,
  overlay: (index: number) => `/vms/x/overlay-${index}.qcow2`,
  incoming: false,
};
const words = specToArgv(input).join(' ');

/** The keys of an option's parts, as QEMU splits them: a doubled comma is one in the value. */
const optionKeys = (word: string): string =>
  word
    .replaceAll(',,', '')
    .split(',')
    .map(part => (part.includes('=') ? part.slice(0, part.indexOf('=')) : ''))
    .join(',');

describe('QEMU arguments', () => {
  it('L3: the device set: balloon, NBD disks that reconnect, stop on error, guest channel, panic, screen, sandbox', () => {
    for (const part of [
      'virtio-balloon-pci,id=balloon0,deflate-on-oom=on,free-page-reporting=on',
      'reconnect-delay=60,discard=unmap,detect-zeroes=unmap',
      'werror=stop,rerror=stop',
      'name=org.ebb.agent',
      'socket,id=qga,path=/run/x/qga,server=on,wait=off',
      'virtserialport,chardev=qga,name=org.qemu.guest_agent.0',
      'pvpanic-pci',
      'unix:/run/x/vnc',
      '-sandbox on',
      'spawn=deny',
      '-no-user-config -nodefaults',
    ]) {
      expect(words).toContain(part);
    }
  });

  it('T13: no VHD file is ever named to QEMU, only NBD exports', () => {
    expect(words).toContain(
      `driver=nbd,node-name=disk0,server.type=unix,server.path=/run/x/disk0,export=${diskId}`,
    );
    expect(words).not.toMatch(/vpc|\.vhd/);
  });

  it('a peek reads its point by NBD alone, cannot write to it, and writes to a file of its own', () => {
    const point = '00000000-0000-4000-8000-000000000009' as PointId;
    const peek = {
      vmId: spec.id,
      momentId: point as string as MomentId,
      momentName: 'then',
      points: [point],
    };
    const looking = specToArgv({ ...input, spec: { ...spec, peek } });
    const backends = looking.filter((_, index) => looking[index - 1] === '-blockdev');
    expect(backends).toEqual([
      `driver=nbd,node-name=point0,server.type=unix,server.path=/run/x/disk0,export=${point},reconnect-delay=60,read-only=on`,
      'driver=file,node-name=overlay0,filename=/vms/x/overlay-0.qcow2,discard=unmap',
      'driver=qcow2,node-name=disk0,file=overlay0,backing=point0,discard=unmap,detect-zeroes=unmap',
    ]);
  });

  it('M6: -m is what was leased, not the maximum', () => {
    expect(specToArgv({ ...input, bootKib: 300 * 1024 }).join(' ')).toContain('-m 300M');
  });

  it('L2: the CPU model is pinned per accelerator', () => {
    expect(words).toContain('-accel tcg,thread=multi,tb-size=32 -cpu max');
    expect(specToArgv({ ...input, accelerator: 'kvm' }).join(' ')).toContain('-accel kvm -cpu host');
  });

  it('L3: port forwards listen on loopback alone, and only the stated ones', () => {
    expect(words).toContain('hostfwd=tcp:127.0.0.1:2222-:22');
    expect(specToArgv({ ...input, spec: { ...spec, network: 'none' } }).join(' ')).not.toContain('-netdev');
  });

  it('L4: the same inputs give the same words, so that saved memory meets the same machine', () => {
    expect(specToArgv(input)).toEqual(
      specToArgv({ ...input, spec: structuredClone(spec), sockets: socketsIn('/run/x') }),
    );
  });

  it('L3: a comma in a path stays in its option', () => {
    expect(specToArgv({ ...input, sockets: socketsIn('/run/a,b') }).join(' ')).toContain(
      'server.path=/run/a,,b/disk0',
    );
  });

  it('pins the machine, and gives emulated hardware and local time to systems that want them', () => {
    const of = (change: Partial<VmSpec>): string =>
      specToArgv({ ...input, spec: { ...spec, ...change } }).join(' ');
    expect(words).toContain('-machine q35 ');
    expect(of({ machineType: 'pc-q35-7.2' })).toContain('-machine pc-q35-7.2 ');
    expect(words).toContain('virtio-blk-pci,drive=disk0');
    expect(words).toContain('virtio-net-pci');
    expect(words).not.toContain('-rtc');
    const windows = of({ os: 'windows', devices: 'emulated' });
    expect(windows).toContain('ide-hd,bus=ide.0,drive=disk0,id=vd0,werror=stop,rerror=stop');
    expect(windows).toContain('e1000e,netdev=net0');
    expect(windows).toContain('-rtc base=localtime');
    expect(of({ os: 'other', devices: 'emulated' })).toContain('e1000,netdev=net0');
  });

  it('every SATA drive has a port of its own, and an installer comes after the disks', () => {
    const disksOf = (count: number) => Array.from({ length: count }, () => ({ id: diskId, virtualBytes: 1 }));
    const of = (change: Partial<VmSpec>): string =>
      specToArgv({
        ...input,
        isoPath: '/iso',
        spec: { ...spec, boot: { kind: 'iso', isoName: 'i' }, ...change },
      }).join(' ');
    const ports = (line: string): string[] => line.match(/bus=(?:ide|sata1)\.\d/g) ?? [];
    for (const count of [1, 5, 8]) {
      const line = of({ devices: 'emulated', disks: disksOf(count) });
      expect(new Set(ports(line)).size).toBe(count + 1);
      expect(line.includes('ahci,id=sata1')).toBe(count > 5);
      expect(line).toContain(`ide-cd,bus=ide.5,drive=iso,id=cd0,bootindex=${count}`);
      expect(line).toContain(`bootindex=${count - 1} `);
    }
    expect(ports(of({}))).toEqual(['bus=ide.5']);
    expect(of({})).toContain('id=vd0,werror=stop,rerror=stop,bootindex=0');
  });

  it('L4: with an empty drive it is the same machine, without the file', () => {
    const from = (isoPath: string) =>
      specToArgv({ ...input, isoPath, spec: { ...spec, boot: { kind: 'iso', isoName: 'i' } } });
    const full = from('/a,node-name=iso,b/i');
    const empty = withEmptyDrive(full);
    const line = empty.join(' ');
    expect(line).toContain(' -device ide-cd,bus=ide.5,id=cd0,bootindex=1 ');
    expect(line).not.toMatch(/drive=iso|node-name=iso/);
    // Two block devices, each with its option's name.
    expect(empty).toHaveLength(full.length - 4);
    expect(full.filter(word => !empty.includes(word)).filter(word => !word.startsWith('ide-cd'))).toEqual([
      'driver=file,node-name=iso-file,filename=/a,,node-name=iso,,b/i,read-only=on',
      'driver=raw,node-name=iso,file=iso-file,read-only=on',
    ]);
    expect(withEmptyDrive(specToArgv(input))).toEqual(specToArgv(input));
  });

  it('an isolated network reaches nothing, and its forwards stay', () => {
    const isolated = specToArgv({ ...input, spec: { ...spec, network: 'isolated' } }).join(' ');
    expect(isolated).toContain('user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:2222-:22');
    expect(words).not.toContain('restrict');
  });

  it('UEFI: code read-only and shared, variables of its own; Secure Boot keeps them from the guest', () => {
    const firmware = { code: '/usr/a,b/CODE.fd', vars: '/home/uefi-vars.fd' };
    const of = (kind: VmSpec['firmware']): string =>
      specToArgv({ ...input, firmware, spec: { ...spec, firmware: kind } }).join(' ');
    expect(of('uefi')).toContain('-machine q35,pflash0=firmware,pflash1=uefi-vars ');
    expect(of('uefi')).toContain('filename=/usr/a,,b/CODE.fd,read-only=on');
    expect(of('uefi')).toContain('driver=file,node-name=uefi-vars-file,filename=/home/uefi-vars.fd ');
    expect(of('uefi')).not.toMatch(/smm|secure/);
    expect(of('uefi-secure')).toContain('pflash1=uefi-vars,smm=on ');
    expect(of('uefi-secure')).toContain('driver=cfi.pflash01,property=secure,value=on');
    expect(words).not.toContain('pflash');
  });

  it('a TPM and a seed are there only where they are wanted', () => {
    const both = specToArgv({ ...input, seedFolder: '/home/a,b/seed', spec: { ...spec, hasTpm: true } }).join(
      ' ',
    );
    expect(both).toContain(
      'socket,id=tpm-channel,path=/run/x/tpm -tpmdev emulator,id=tpm0,chardev=tpm-channel',
    );
    expect(both).toContain('driver=vvfat,node-name=seed,dir=/home/a,,b/seed,label=cidata,read-only=on');
    expect(words).not.toMatch(/tpm|vvfat/);
  });

  it('L3: no name and no path begins an option of its own', () => {
    const text = fc.string({ minLength: 1 });
    const name = text.filter(value => vmNameSchema.safeParse(value).success);
    fc.assert(
      fc.property(name, text, (given, path) => {
        const made = (vmName: string, folder: string): string[] =>
          specToArgv({
            ...input,
            spec: { ...spec, name: vmName, hasTpm: true, boot: { kind: 'iso', isoName: 'i' } },
            sockets: socketsIn(`/${folder}`),
            isoPath: `/${folder}/i`,
            firmware: { code: `/${folder}/c`, vars: `/${folder}/v` },
            seedFolder: `/${folder}/seed`,
          });
        // QEMU takes the path of its pid file as it is.
        const keys = (argv: string[]): string[] =>
          argv.map((word, at) => (argv[at - 1] === '-pidfile' ? '' : optionKeys(word)));
        expect(keys(made(given, path))).toEqual(keys(made('dev', 'x')));
      }),
    );
  });
});
