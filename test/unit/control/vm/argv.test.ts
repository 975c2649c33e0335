import { describe, expect, it } from 'vitest';
import { socketsIn } from '../../../../electron/control/vm/run-record.ts';
import { specToArgv } from '../../../../electron/control/vm/spec-to-argv.ts';
import type { DiskId, VmId } from '../../../../shared/ids.ts';
import type { VmSpec } from '../../../../shared/vm.ts';

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
  createdAt: 0,
};
const input = {
  spec,
  bootKib: 524288,
  accelerator: 'tcg' as const,
  sockets: socketsIn('/run/x'),
  sample: null,
  isoPath: null,
  incoming: false,
};
const words = specToArgv(input).join(' ');

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
});
