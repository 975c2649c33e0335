// `ebb vm create`: registers the named file to get a token, then asks control for everything in one call.
import { KINDS, suggestedRange } from '../../../shared/kinds.ts';
import { type MemoryRange, VM_MIN_KIB } from '../../../shared/memory.ts';
import { MIB_KIB } from '../../../shared/units.ts';
import type { VmSource } from '../../../shared/vm.ts';
import { type CloudInit, cloudInitSchema } from '../../../shared/vm-setup.ts';
import { readText } from '../../platform/json-file.ts';
import type { Run, Session } from './session.ts';
import { eitherOf, forwardOf } from './setup.ts';
import type { VM_ROWS } from './table/vms.ts';
import { UsageError } from './values.ts';
import type { Given } from './words.ts';

type Row = (typeof VM_ROWS)['vm create'];
type CreateSession = Session<Given<Row>>;

const SAMPLE_DISK_BYTES = 2 ** 28;
const SAMPLE_MAX_KIB = 512 * MIB_KIB;

async function sourceOf({ client, given, absolute }: CreateSession): Promise<VmSource> {
  const register = async (path: string) =>
    (await client.call('file.register', { path: absolute(path) })).file;
  const diskBytes = given['disk-size'] ?? KINDS[given.os].diskBytes;
  if (given.iso !== undefined) return { kind: 'iso', file: await register(given.iso), diskBytes };
  if (given.disk !== undefined) {
    // The person says the format; it is never guessed: a guest may have forged a raw image's first bytes.
    if (given.format === undefined)
      throw new UsageError("--disk needs --format: Ebb never guesses an image's format.");
    const file = await register(given.disk);
    return { kind: 'disk', file, format: given.format, history: given.history };
  }
  if (given.sample) return { kind: 'sample', diskBytes: given['disk-size'] ?? SAMPLE_DISK_BYTES };
  return { kind: 'empty', diskBytes };
}

/** Bounds left out follow from the kind of system, as far as this computer has the memory. */
async function rangeOf({ client, given }: CreateSession): Promise<MemoryRange> {
  const { os, 'mem-max': maxKib = given.sample ? SAMPLE_MAX_KIB : undefined, 'mem-min': minKib } = given;
  if (maxKib === undefined) {
    const suggested = suggestedRange(os, (await client.call('memory.host', {})).budgetKib);
    return { ...suggested, minKib: minKib ?? suggested.minKib };
  }
  const least = Math.ceil(maxKib / KINDS[os].minPart);
  return { minKib: minKib ?? Math.min(maxKib, Math.max(VM_MIN_KIB, least)), maxKib };
}

function cloudInitOf({ given, absolute }: CreateSession): CloudInit | null {
  const { 'cloud-user': user, 'cloud-key': keys, 'cloud-package': packages } = given;
  if (user === undefined && keys.length === 0 && packages.length === 0) return null;
  if (user === undefined) throw new UsageError('--cloud-key and --cloud-package need --cloud-user NAME.');
  const sshKeys = keys.flatMap(path => readText(absolute(path)).split('\n').filter(isKeyLine));
  if (keys.length > 0 && sshKeys.length === 0)
    throw new UsageError('--cloud-key: there is no public key in that file.');
  const parsed = cloudInitSchema.safeParse({ user, sshKeys, packages });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(
    `--cloud-${CLOUD_WORDS[String(issue?.path[0])] ?? 'user'}: expected ${issue?.message}.`,
  );
}
const CLOUD_WORDS: Readonly<Record<string, string>> = { sshKeys: 'key', packages: 'package' };
const isKeyLine = (line: string): boolean => line.trim() !== '' && !line.startsWith('#');

export const createVm: Run<Row> = async session => {
  const { given, client } = session;
  const hasTpm = eitherOf(given.tpm, given['no-tpm']);
  const { vmId, taskId } = await client.call('vm.create', {
    name: given.NAME,
    os: given.os,
    cpus: given.cpus ?? (given.sample ? 1 : KINDS[given.os].cpus),
    ...(await rangeOf(session)),
    network: given.network ?? 'user',
    portForwards: given.forward.map(forwardOf),
    ...(given.firmware === undefined ? {} : { firmware: given.firmware }),
    ...(hasTpm === undefined ? {} : { hasTpm }),
    group: given.group ?? '',
    notes: given.notes ?? '',
    cloudInit: cloudInitOf(session),
    source: await sourceOf(session),
    balloon: !given['no-balloon'],
  });
  await session.wait(taskId, { vmId });
  const vm = await client.call('vm.get', { vmId });
  return { text: `Created ${vm.spec.name}.`, json: vm };
};
