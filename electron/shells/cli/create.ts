// `ebb vm create`: a file named becomes a token, then everything is asked of control at once.
import { VM_MIN_KIB } from '../../../shared/memory.ts';
import { portForwardSchema, type VmSource } from '../../../shared/vm.ts';
import type { Run, Session } from './session.ts';
import type { VM_ROWS } from './table/vms.ts';
import { UsageError } from './values.ts';
import type { Given } from './words.ts';

type Row = (typeof VM_ROWS)['vm create'];
type CreateSession = Session<Given<Row>>;

const GIB = 2 ** 30;
const SAMPLE_DISK_BYTES = GIB / 4;

async function sourceOf({ client, given, absolute }: CreateSession): Promise<VmSource> {
  const register = async (path: string) =>
    (await client.call('file.register', { path: absolute(path) })).file;
  const diskBytes = given['disk-size'] ?? 4 * GIB;
  if (given.iso !== undefined) return { kind: 'iso', file: await register(given.iso), diskBytes };
  if (given.disk !== undefined) {
    // Said by the person, never guessed: a raw image's first bytes are the guest's to write.
    if (given.format === undefined)
      throw new UsageError("--disk needs --format: Ebb never guesses an image's format.");
    const file = await register(given.disk);
    return { kind: 'disk', file, format: given.format, history: given.history };
  }
  if (given.sample) return { kind: 'sample', diskBytes: given['disk-size'] ?? SAMPLE_DISK_BYTES };
  return { kind: 'empty', diskBytes };
}

function forwardOf(text: string) {
  const [protocol, hostPort, guestPort, ...rest] = text.split(':');
  const parsed = portForwardSchema.safeParse({
    protocol,
    hostPort: Number(hostPort),
    guestPort: Number(guestPort),
  });
  if (parsed.success && rest.length === 0) return parsed.data;
  throw new UsageError(`--forward: "${text}" is not PROTOCOL:HOST:GUEST; write it like tcp:2222:22.`);
}

export const createVm: Run<Row> = async session => {
  const { given, client } = session;
  const maxKib = given['mem-max'];
  const { vmId, taskId } = await client.call('vm.create', {
    name: given.NAME,
    os: given.os,
    cpus: given.cpus,
    minKib: given['mem-min'] ?? Math.max(VM_MIN_KIB, Math.ceil(maxKib / 4)),
    maxKib,
    portForwards: given.forward.map(forwardOf),
    source: await sourceOf(session),
    balloon: !given['no-balloon'],
  });
  await session.wait(taskId, { vmId });
  const vm = await client.call('vm.get', { vmId });
  return { text: `Created ${vm.spec.name}.`, json: vm };
};
