// A VM's spec as QEMU's arguments (L3). Pure: the same inputs give the same words, which are stored with a suspended
// state (L4). Facts: QEMU 7.2; disks only by NBD (T13), firmware and devices stated, nothing by default.

import { KINDS } from '../../../shared/kinds.ts';
import { MIB_KIB } from '../../../shared/units.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import { escaped } from './escape.ts';

export type Accelerator = 'kvm' | 'tcg';

/** Sockets of a VM: all in its private run folder, short names (a socket path holds 107 bytes). */
export interface VmSockets {
  readonly qmp: string;
  readonly vnc: string;
  /** The sample guest's own agent. */
  readonly agent: string;
  /** QEMU's guest agent (qemu-ga), which most guests have or can have. */
  readonly qga: string;
  readonly serial: string;
  /** The TPM's control channel. */
  readonly tpm: string;
  /** Written by QEMU itself: its pid is found even if control died before it noted what it spawned. */
  readonly pidFile: string;
  readonly disk: (index: number) => string;
}

export interface ArgvInput {
  readonly spec: VmSpec;
  /** What the memory manager leased (M6). */
  readonly bootKib: number;
  readonly accelerator: Accelerator;
  readonly sockets: VmSockets;
  readonly sample: { readonly kernel: string; readonly initrd: string } | null;
  readonly isoPath: string | null;
  /** The files of UEFI firmware; null for a BIOS, which QEMU brings. */
  readonly firmware: { readonly code: string; readonly vars: string } | null;
  /** A folder with what a cloud image asks for; null: it is no cloud image. */
  readonly seedFolder: string | null;
  /** The file that a peek's writes to a disk go to. */
  readonly overlay: (index: number) => string;
  /** QEMU waits for a stream of saved memory. */
  readonly incoming: boolean;
}

/** How long a guest waits while storage is away: longer than a restart of it, shorter than its patience. */
const RECONNECT_SECONDS = 60;

function cpu(input: ArgvInput): string[] {
  const { accelerator, spec } = input;
  // The model is pinned per accelerator (L2): `host` exists under KVM only. 32 MiB of translated code is enough for
  // a small guest and is memory nobody can balloon away.
  return accelerator === 'kvm'
    ? ['-accel', 'kvm', '-cpu', 'host', '-smp', String(spec.cpus)]
    : ['-accel', 'tcg,thread=multi,tb-size=32', '-cpu', 'max', '-smp', String(spec.cpus)];
}

/** QEMU's name of the channel to the agent inside (qemu-ga). */
export const AGENT_CHARDEV = 'qga';

/** QEMU's name of a disk's backend. */
export const diskNode = (index: number): string => `disk${index}`;

const RELEASES = 'discard=unmap,detect-zeroes=unmap';

/** T13: a disk only by NBD. A peek reads its point by NBD and writes to an overlay of its own. */
function backend({ spec, sockets, overlay }: ArgvInput, index: number, id: string): string[] {
  const nbd = (node: string, name: string, rest: string): string[] => [
    '-blockdev',
    `driver=nbd,node-name=${node},server.type=unix,server.path=${escaped(sockets.disk(index))},export=${name},reconnect-delay=${RECONNECT_SECONDS},${rest}`,
  ];
  if (spec.peek === null) return nbd(diskNode(index), id, RELEASES);
  return [
    ...nbd(`point${index}`, spec.peek.points[index] ?? id, 'read-only=on'),
    '-blockdev',
    `driver=file,node-name=overlay${index},filename=${escaped(overlay(index))},discard=unmap`,
    '-blockdev',
    `driver=qcow2,node-name=${diskNode(index)},file=overlay${index},backing=point${index},${RELEASES}`,
  ];
}

/** Ports of q35's controller and of each further one. A port has one drive, and QEMU does not pick ports. */
const SATA_PORTS = 6;
const CD_PORT = SATA_PORTS - 1;
const MORE_PORTS = 'sata1';
const sataPort = (index: number): string =>
  index < CD_PORT ? `ide.${index}` : `${MORE_PORTS}.${index - CD_PORT}`;

function disks({ spec, ...input }: ArgvInput): string[] {
  // Emulated: SATA, which firmware and installers know.
  const isSata = spec.devices === 'emulated';
  const device = (index: number): string => (isSata ? `ide-hd,bus=${sataPort(index)}` : 'virtio-blk-pci');
  // Disks before an installer: an empty disk starts nothing, and an installed one is not installed again.
  const order = (index: number): string => (spec.boot.kind === 'sample' ? '' : `,bootindex=${index}`);
  return [
    ...(isSata && spec.disks.length > CD_PORT ? ['-device', `ahci,id=${MORE_PORTS}`] : []),
    ...spec.disks.flatMap(({ id }, index) => [
      ...backend({ spec, ...input }, index, id),
      '-device',
      `${device(index)},drive=${diskNode(index)},id=vd${index},werror=stop,rerror=stop${order(index)}`,
    ]),
  ];
}

function boot(input: ArgvInput): string[] {
  const { spec, sample, isoPath } = input;
  if (spec.boot.kind === 'sample' && sample !== null) {
    const words = 'console=ttyS0 console=tty0 quiet panic=-1 no_timer_check';
    return ['-kernel', sample.kernel, '-initrd', sample.initrd, '-append', words];
  }
  if (spec.boot.kind !== 'iso' || isoPath === null) return [];
  return [
    '-blockdev',
    `driver=file,node-name=iso-file,filename=${escaped(isoPath)},read-only=on`,
    '-blockdev',
    'driver=raw,node-name=iso,file=iso-file,read-only=on',
    '-device',
    `ide-cd,bus=ide.${CD_PORT},drive=iso,id=cd0,bootindex=${spec.disks.length}`,
    // Escape, or F2 under UEFI, offers a menu, from which the installer can be started once more.
    '-boot',
    'menu=on',
  ];
}

/** The same machine (L4) with an empty CD drive, because its medium is not there any more. */
export function withEmptyDrive(argv: readonly string[]): string[] {
  const isMedium = (word: string | undefined): boolean =>
    word !== undefined && /^driver=(file,node-name=iso-file|raw,node-name=iso),/.test(word);
  return argv
    .filter((word, at) => !isMedium(word) && !(word === '-blockdev' && isMedium(argv[at + 1])))
    .map(word => (word.startsWith('ide-cd,') ? word.replace(',drive=iso,', ',') : word));
}

/** Firmware and its variables as flash, their format stated: never QEMU's guess of one (DESIGN §8). */
function firmware({ firmware: files, spec }: ArgvInput): string[] {
  if (files === null) return [];
  const flash = (name: string, path: string, isFixed: boolean): string[] => [
    '-blockdev',
    `driver=file,node-name=${name}-file,filename=${escaped(path)}${isFixed ? ',read-only=on' : ''}`,
    '-blockdev',
    `driver=raw,node-name=${name},file=${name}-file${isFixed ? ',read-only=on' : ''}`,
  ];
  // Only system management mode may write the variables; otherwise a guest could turn Secure Boot off.
  const secure = ['-global', 'driver=cfi.pflash01,property=secure,value=on'];
  return [
    ...flash('firmware', files.code, true),
    ...flash('uefi-vars', files.vars, false),
    ...(spec.firmware === 'uefi-secure' ? secure : []),
    '-global',
    'ICH9-LPC.disable_s3=1',
  ];
}

function machine({ spec, firmware: files }: ArgvInput): string {
  const flash = files === null ? '' : ',pflash0=firmware,pflash1=uefi-vars';
  return `${spec.machineType ?? 'q35'}${flash}${spec.firmware === 'uefi-secure' ? ',smm=on' : ''}`;
}

function tpm({ spec, sockets }: ArgvInput): string[] {
  if (!spec.hasTpm) return [];
  return [
    '-chardev',
    `socket,id=tpm-channel,path=${escaped(sockets.tpm)}`,
    '-tpmdev',
    'emulator,id=tpm0,chardev=tpm-channel',
    '-device',
    'tpm-crb,tpmdev=tpm0',
  ];
}

/** A FAT disk that QEMU makes of the folder, as a virtio disk: kernels made for clouds have no other drivers. */
function seed({ seedFolder }: ArgvInput): string[] {
  if (seedFolder === null) return [];
  return [
    '-blockdev',
    `driver=vvfat,node-name=seed,dir=${escaped(seedFolder)},label=cidata,read-only=on`,
    '-device',
    'virtio-blk-pci,drive=seed,id=seed0',
  ];
}

function network({ spec }: ArgvInput): string[] {
  if (spec.network === 'none') return [];
  // Loopback only: a forward must not open the guest to the host's network (DESIGN §8).
  const forwards = spec.portForwards.map(
    ({ protocol, hostPort, guestPort }) => `,hostfwd=${protocol}:127.0.0.1:${hostPort}-:${guestPort}`,
  );
  const card = spec.devices === 'virtio' ? 'virtio-net-pci' : KINDS[spec.os].emulatedNetwork;
  const restrict = spec.network === 'isolated' ? ',restrict=on' : '';
  return ['-netdev', `user,id=net0${restrict}${forwards.join('')}`, '-device', `${card},netdev=net0,id=nic0`];
}

export function specToArgv(input: ArgvInput): string[] {
  const { spec, sockets } = input;
  const socket = (id: string, path: string): string[] => [
    '-chardev',
    `socket,id=${id},path=${escaped(path)},server=on,wait=off`,
  ];
  return [
    '-name',
    `${escaped(spec.name)},debug-threads=on`,
    '-machine',
    machine(input),
    ...(KINDS[spec.os].clock === 'localtime' ? ['-rtc', 'base=localtime'] : []),
    '-pidfile',
    sockets.pidFile,
    '-no-user-config',
    '-nodefaults',
    ...cpu(input),
    '-m',
    `${Math.floor(input.bootKib / MIB_KIB)}M`,
    '-display',
    'none',
    '-vnc',
    // With the key `vnc=`: without it, a path with an equals sign would be read as a key and a value.
    `vnc=unix:${escaped(sockets.vnc)}`,
    '-device',
    'VGA,id=vga0',
    '-device',
    'qemu-xhci,id=usb0',
    '-device',
    'usb-tablet,id=tablet0',
    ...socket('qmp', sockets.qmp),
    '-mon',
    'chardev=qmp,mode=control',
    ...socket('serial', sockets.serial),
    '-serial',
    'chardev:serial',
    '-device',
    'virtio-serial-pci,id=vserial0',
    ...socket('agent', sockets.agent),
    '-device',
    'virtserialport,chardev=agent,name=org.ebb.agent,id=agentport',
    ...socket(AGENT_CHARDEV, sockets.qga),
    '-device',
    `virtserialport,chardev=${AGENT_CHARDEV},name=org.qemu.guest_agent.0,id=qgaport`,
    ...(spec.balloon
      ? ['-device', 'virtio-balloon-pci,id=balloon0,deflate-on-oom=on,free-page-reporting=on']
      : []),
    '-device',
    'pvpanic-pci,id=pvpanic0',
    '-action',
    'panic=pause',
    '-device',
    'virtio-rng-pci,id=rng0',
    ...firmware(input),
    ...tpm(input),
    ...disks(input),
    ...seed(input),
    ...network(input),
    ...boot(input),
    ...(input.incoming ? ['-incoming', 'defer', '-S'] : []),
    '-sandbox',
    'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny',
  ];
}
