// Images made to harm: small files of other formats that point elsewhere or promise what they do not hold.
const CLUSTER_BITS = 21;
const CLUSTER = 2 ** CLUSTER_BITS;

export interface HostileQcow2 {
  readonly virtualBytes: number | bigint;
  readonly backing?: string;
  readonly dataFile?: boolean;
  /** Every cluster of the disk is the same one of the file: a disk of any size in 16 MiB. */
  readonly allTheSame?: boolean;
  /** Added to the place of the L2 table. */
  readonly l2Skew?: number;
}

/** Version 3, clusters of 2 MiB: header, refcount table, its block, L1, L2, data. */
export function hostileQcow2(image: HostileQcow2): Buffer {
  const perL2 = (CLUSTER / 8) * CLUSTER;
  const l1Entries = Math.max(1, Math.ceil(Number(image.virtualBytes) / perL2));
  const bytes = Buffer.alloc(6 * CLUSTER);
  bytes.write('QFI\xfb', 0, 'latin1');
  bytes.writeUInt32BE(3, 4);
  bytes.writeUInt32BE(CLUSTER_BITS, 20);
  bytes.writeBigUInt64BE(BigInt(image.virtualBytes), 24);
  bytes.writeUInt32BE(Math.min(l1Entries, CLUSTER / 8), 36);
  bytes.writeBigUInt64BE(BigInt(3 * CLUSTER), 40);
  bytes.writeBigUInt64BE(BigInt(CLUSTER), 48);
  bytes.writeUInt32BE(1, 56);
  bytes.writeUInt32BE(4, 96);
  bytes.writeUInt32BE(104, 100);
  if (image.dataFile === true) bytes.writeBigUInt64BE(4n, 72);
  if (image.backing !== undefined) {
    bytes.writeBigUInt64BE(512n, 8);
    bytes.writeUInt32BE(bytes.write(image.backing, 512), 16);
  }
  bytes.writeBigUInt64BE(BigInt(2 * CLUSTER), CLUSTER);
  for (let cluster = 0; cluster < 6; cluster++) bytes.writeUInt16BE(1, 2 * CLUSTER + 2 * cluster);
  if (image.allTheSame !== true) return bytes;
  const copied = 1n << 63n;
  for (let entry = 0; entry < Math.min(l1Entries, CLUSTER / 8); entry++)
    bytes.writeBigUInt64BE(copied | BigInt(4 * CLUSTER + (image.l2Skew ?? 0)), 3 * CLUSTER + entry * 8);
  for (let entry = 0; entry < CLUSTER / 8; entry++)
    bytes.writeBigUInt64BE(copied | BigInt(5 * CLUSTER), 4 * CLUSTER + entry * 8);
  bytes.fill(0xab, 5 * CLUSTER);
  return bytes;
}

/** A descriptor and nothing else: what it lists is what would be read. */
export const vmdkDescriptor = (...lines: string[]): string =>
  [
    '# Disk DescriptorFile',
    'version=1',
    'CID=fffffffe',
    'parentCID=ffffffff',
    'createType="monolithicFlat"',
    '',
    ...lines,
    '',
    '#DDB',
    'ddb.adapterType = "ide"',
    '',
  ].join('\n');

export interface HostileVmdk {
  readonly descriptor: string;
  readonly capacity?: bigint;
  /** The header does not tell of the descriptor: it is where QEMU looks all the same. */
  readonly isHidden?: boolean;
}

export function sparseVmdk({ descriptor, capacity = 2048n, isHidden = false }: HostileVmdk): Buffer {
  const bytes = Buffer.alloc(128 * 1024);
  bytes.write('KDMV', 0);
  bytes.writeUInt32LE(1, 4);
  bytes.writeUInt32LE(3, 8);
  bytes.writeBigUInt64LE(capacity, 12);
  bytes.writeBigUInt64LE(128n, 20);
  bytes.writeBigUInt64LE(isHidden ? 0n : 1n, 28);
  bytes.writeBigUInt64LE(isHidden ? 0n : 20n, 36);
  bytes.writeUInt32LE(512, 44);
  bytes.writeBigUInt64LE(26n, 48);
  bytes.writeBigUInt64LE(21n, 56);
  bytes.writeBigUInt64LE(128n, 64);
  bytes.write('\n \r\n', 73, 'latin1');
  bytes.write(descriptor, 512, 'latin1');
  return bytes;
}

/** Says in a whole VHDX that it has a parent. */
export function withVhdxParent(vhdx: Buffer): Buffer {
  const bytes = Buffer.from(vhdx);
  const parameters = bytes.indexOf(Buffer.from('3767a1ca36fa434db3b633f0aa44e76b', 'hex'));
  const metadata = Math.floor(parameters / 65536) * 65536;
  const at = metadata + bytes.readUInt32LE(parameters + 16);
  bytes.writeUInt32LE(bytes.readUInt32LE(at + 4) | 2, at + 4);
  return bytes;
}
