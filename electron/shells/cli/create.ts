// `ebb vm create`: exactly one source, every number checked before anything is asked of control.
import { VM_MIN_KIB } from '../../../shared/memory.ts';
import { type DiskFormat, diskFormatSchema, osKindSchema, type VmSource } from '../../../shared/vm.ts';
import { parseBytes, parseCount, parseMemory, UsageError, type Words } from './arguments.ts';
import { argument, type Command, type Output, option, type Session } from './session.ts';

const KINDS = ['sample', 'iso', 'disk', 'empty'] as const;

/** The one source asked for; none or several are refused, for a forgotten word must not make another VM than meant. */
export function chosenKind({ options }: Words): (typeof KINDS)[number] {
  const chosen = KINDS.filter(kind => options[kind] !== undefined);
  const [kind] = chosen;
  if (kind === undefined)
    throw new UsageError('Say what it starts from: --sample, --iso FILE, --disk FILE or --empty.');
  if (chosen.length > 1)
    throw new UsageError(`Only one of ${chosen.map(name => `--${name}`).join(' and ')} can be meant.`);
  return kind;
}

/** The format is said by the user, never guessed: a raw image's first bytes are the guest's to write. */
function formatOf(session: Session): DiskFormat {
  const format = diskFormatSchema.safeParse(option(session, 'format'));
  if (format.success) return format.data;
  throw new UsageError(
    `--disk needs --format, one of ${diskFormatSchema.options.join(', ')}: Ebb never guesses an image's format.`,
  );
}

async function sourceOf(session: Session): Promise<VmSource> {
  const kind = chosenKind(session.words);
  const diskBytes = parseBytes(
    option(session, 'disk-size') ?? (kind === 'sample' ? '256M' : '4G'),
    '--disk-size',
  );
  const register = async () =>
    (
      await session.client.call('file.register', {
        path: session.absolute(argumentOf(session, kind)),
      })
    ).file;
  if (kind === 'iso') return { kind, file: await register(), diskBytes };
  if (kind === 'disk') {
    const format = formatOf(session);
    return { kind, file: await register(), format, history: session.words.options.history === true };
  }
  return { kind, diskBytes };
}

function argumentOf(session: Session, name: string): string {
  const path = option(session, name);
  if (path === undefined || path === '') throw new UsageError(`--${name} needs a file.`);
  return path;
}

async function create(session: Session): Promise<Output> {
  const name = argument(session, 2, 'NAME');
  const maxKib = parseMemory(option(session, 'mem-max') ?? '512M', '--mem-max');
  const minText = option(session, 'mem-min');
  const minKib =
    minText === undefined ? Math.max(VM_MIN_KIB, Math.ceil(maxKib / 4)) : parseMemory(minText, '--mem-min');
  const os = osKindSchema.safeParse(option(session, 'os') ?? 'linux');
  if (!os.success) throw new UsageError(`--os is one of ${osKindSchema.options.join(', ')}.`);
  const cpus = parseCount(option(session, 'cpus') ?? '1', '--cpus', 1, 64);
  const { vmId, taskId } = await session.client.call('vm.create', {
    name,
    os: os.data,
    cpus,
    minKib,
    maxKib,
    source: await sourceOf(session),
    balloon: session.words.options['no-balloon'] !== true,
  });
  await session.wait(taskId);
  const vm = await session.client.call('vm.get', { vmId });
  return { text: `Created ${vm.spec.name}.`, json: vm };
}

export const CREATE_COMMAND: Command = {
  usage:
    'NAME (--sample | --iso FILE | --disk FILE --format FORMAT [--history] | --empty) [--disk-size 4G] [--mem-min 128M] [--mem-max 512M] [--cpus 1] [--os linux] [--no-balloon]',
  help: 'Create a VM from the sample, an installer, an existing disk (copied, the original untouched; --history: a point for each VHD of its chain) or nothing',
  run: create,
};
