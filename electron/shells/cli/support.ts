// `ebb support bundle`: lists the bundle's content, asks, writes one file. Without the service: the logs.
import { gzipSync } from 'node:zlib';
import { Fault } from '../../../shared/result.ts';
import { bytesText } from '../../../shared/units.ts';
import { systemClock } from '../../platform/clock.ts';
import { readText } from '../../platform/json-file.ts';
import { defaultDataFolder, ebbPaths, hostName, userName } from '../../platform/paths.ts';
import { askLine } from '../../platform/standard-streams.ts';
import { writeNewFile } from '../../platform/vm-files.ts';
import { table, timeText } from './output.ts';
import {
  askService,
  type Found,
  type Logs,
  NOTHING_FOUND,
  type Part,
  redactedParts,
} from './support-parts.ts';
import { tar } from './tar.ts';
import { UsageError } from './values.ts';

const LOG_CHARS = 512 * 1024;

function logs(): Logs[] {
  const { controlLog, storageLog, headlessLog } = ebbPaths(defaultDataFolder());
  const named = { control: controlLog, storage: storageLog, headless: headlessLog };
  return Object.entries(named).flatMap(([name, path]) =>
    [`${path}.1`, path].map((file, index) => ({
      name: index === 0 ? `${name}.log.1` : `${name}.log`,
      text: readText(file, LOG_CHARS),
    })),
  );
}

async function found(): Promise<{ readonly found: Found; readonly why: string | null }> {
  try {
    const client = await (await import('./connect.ts')).open();
    try {
      return { found: await askService(client), why: null };
    } finally {
      client.close();
    }
  } catch (cause) {
    return { found: NOTHING_FOUND, why: cause instanceof Fault ? cause.body.what : String(cause) };
  }
}

const aboutPart = (why: string | null): Part => {
  const { platform, arch, version } = process;
  const about = {
    at: new Date(systemClock.wallMs()).toISOString(),
    platform,
    arch,
    node: version,
    serviceAnswers: why === null,
  };
  return { name: 'about.json', about: 'System and time', text: `${JSON.stringify(about, null, 1)}\n` };
};

/** The parts, redacted; of a service that does not answer, its error too, which may hold anything. */
async function bundleParts(): Promise<Part[]> {
  const { found: known, why } = await found();
  if (why !== null)
    console.error(
      'The service does not answer: nobody knows what VMs are called, and their names may stand in the logs.',
    );
  const told = why === null ? [] : [{ name: 'service-error.txt', text: why }];
  return [
    aboutPart(why),
    ...redactedParts(known, [...told, ...logs()], { user: userName(), host: hostName() }),
  ];
}

export interface BundleGiven {
  readonly to: string | undefined;
  readonly yes: boolean;
}

const size = (text: string): number => Buffer.byteLength(text);

/** Returns the sentence written at the end. */
export async function writeBundle({ to, yes }: BundleGiven): Promise<string> {
  const parts = await bundleParts();
  const rows = parts.map(({ name, about, text }) => [name, bytesText(size(text)), about]);
  console.error(table(['FILE', 'SIZE', 'WHAT'], rows));
  console.error(
    'Names, notes, paths, addresses and secrets are taken out. Ids, sizes and times stay. Nothing is sent anywhere.',
  );
  const stamp = timeText(systemClock.wallMs()).replace(/[-: ]/g, '');
  const path = to ?? `ebb-support-${stamp}.tar.gz`;
  if (!yes && !(await askLine(`Write ${path}? [y/N] `, /^(?:y|yes)$/i)))
    throw new UsageError('Nothing was written: say y when asked, or --yes.');
  const files = parts.map(({ name, text }) => ({ name: `ebb-support/${name}`, bytes: Buffer.from(text) }));
  const bytes = gzipSync(tar(files, systemClock.wallMs()));
  writeNewFile(path, bytes);
  return `${path}: ${parts.length} files, ${bytesText(bytes.length)}. Look through it before you give it to anybody: tar tzvf ${path}`;
}
