// Packages for one target by electron-builder, and the runtime they are made with: Electron's own, or where that cannot
// be fetched a stand-in.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { findProgram } from '../../electron/platform/process.ts';
import { electronRuntime } from '../electron-runtime.ts';
import { repositoryRoot } from '../layers.ts';
import { runTool, toolPath } from '../scripts/process.ts';
import { nodeOf } from './node-runtime.ts';
import { stageRuntime, type Target } from './stage.ts';
import { appImageTools, fpmProgram, standInElectron } from './stand-ins.ts';

const stage = join(repositoryRoot, 'dist', 'stage');
/** Where new versions are published; a package made without it does not look for any. */
const RELEASES = process.env.EBB_RELEASES_URL ?? '';

export const hostTarget = (): Target => ({
  platform: process.platform as Target['platform'],
  arch: process.arch as Target['arch'],
});

/** `linux-arm64`; null where there is no such target. */
export function targetNamed(name: string): Target | null {
  const [, platform, arch] = /^(linux|darwin|win32)-(x64|arm64)$/.exec(name) ?? [];
  return platform === undefined ? null : ({ platform, arch } as Target);
}

export interface Packed {
  readonly status: number;
  /** Null where it was packed with Electron's own runtime. */
  readonly standInBecause: string | null;
  readonly folder: string;
  /** Installable files. */
  readonly files: readonly string[];
  /** What should have been made too, and why it was not. */
  readonly notMade: readonly string[];
}

interface Made {
  readonly formats: readonly string[];
  readonly env: Record<string, string>;
  readonly notMade: readonly string[];
}

/** As the configuration has them; told in words, or it would make every processor's at once. */
export const FORMATS: Readonly<Record<Target['platform'], readonly string[]>> = {
  linux: ['deb', 'AppImage'],
  darwin: ['dmg', 'zip'],
  win32: ['nsis'],
};

/** With what this machine has. */
function standInFormats(target: Target): Made {
  if (target.platform === 'win32')
    return {
      formats: ['dir'],
      env: {},
      notMade: ["nsis: its compiler's plugins come from outside the npm registry, as Electron does"],
    };
  const formats: string[] = [];
  const env: Record<string, string> = {};
  const notMade: string[] = [];
  if (findProgram('dpkg-deb') === null) notMade.push('deb: dpkg-deb is not here');
  else formats.push('deb');
  const tools = join(stage, 'appimage-tools');
  const { missing } = appImageTools(tools, target);
  if (missing === null) {
    formats.push('AppImage');
    env.APPIMAGE_TOOLS_PATH = tools;
  } else notMade.push(`AppImage: ${missing} is not here (packages squashfs-tools, desktop-file-utils)`);
  return { formats: formats.length === 0 ? ['dir'] : formats, env, notMade };
}

/** The macros are electron-builder's. */
const STAND_IN_NAME = `STAND-IN-${['name', 'version', 'arch'].map(macro => `\${${macro}}`).join('-')}.\${ext}`;
/** Nobody is to download these: they are packed fast, not small. */
const STAND_IN_WORDS = [
  `-c.artifactName=${STAND_IN_NAME}`,
  '-c.deb.compression=gz',
  '-c.appImage.compression=gzip',
  // Windows' icon and names are written by a tool from outside.
  '-c.win.signAndEditExecutable=false',
];
const SYSTEMS = { linux: '--linux', darwin: '--mac', win32: '--win' } as const;

function unpackedIn(output: string, { platform, arch }: Target): string {
  const suffix = arch === 'arm64' ? '-arm64' : '';
  const name = { linux: 'linux', win32: 'win', darwin: 'mac' }[platform];
  const folder = join(repositoryRoot, output, `${name}${suffix}`);
  return platform === 'darwin' ? join(folder, 'Ebb.app') : `${folder}-unpacked`;
}

/** electron-builder reads the manual without a time in its head: two builds are the same bytes. */
function stageManual(staged: string): void {
  writeFileSync(join(stage, 'ebb.1.gz'), gzipSync(readFileSync(join(staged, 'man', 'ebb.1')), { level: 9 }));
}

function wordsFor(target: Target, output: string, standIn: boolean): string[] {
  const { executable } = electronRuntime();
  const host = hostTarget();
  const isHost = target.platform === host.platform && target.arch === host.arch;
  // Another target's own is fetched by electron-builder where the network has it.
  const electronDist = standIn
    ? [standInElectron(join(stage, 'stand-in-electron'), target, nodeOf(target).from)]
    : isHost
      ? [dirname(executable)]
      : [];
  return [
    '--config',
    'build/electron-builder.json',
    `--${target.arch}`,
    ...electronDist.map(folder => `-c.electronDist=${folder}`),
    `-c.directories.output=${output}`,
    `-c.extraMetadata.homepage=${RELEASES === '' ? 'https://ebb.invalid/' : RELEASES}`,
    ...(RELEASES === '' ? [] : ['-c.publish.provider=generic', `-c.publish.url=${RELEASES}`]),
    '--publish=never',
    ...(standIn ? STAND_IN_WORDS : []),
  ];
}

/** Bundles must have been made. `output` is below the repository; `only` one of the formats that could be made. */
export async function pack(target: Target, output: string, only: string | null = null): Promise<Packed> {
  const { executable, reason } = electronRuntime();
  const isStandIn = executable === '';
  const folder = unpackedIn(output, target);
  // A bundle of many programs and a framework, put together and signed by macOS's own tools.
  if (isStandIn && target.platform === 'darwin')
    return { status: 1, standInBecause: null, folder, files: [], notMade: [`dmg, zip: ${reason}`] };
  // One place for every target: the macros of electron-builder's configuration name the machine it runs on.
  const staged = join(stage, 'runtime');
  stageRuntime({ ...target, into: staged });
  stageManual(staged);
  const { formats, env, notMade } = isStandIn
    ? standInFormats(target)
    : { formats: FORMATS[target.platform], env: {} as Record<string, string>, notMade: [] };
  if (findProgram('dpkg-deb') !== null) env.CUSTOM_FPM_PATH = fpmProgram(join(stage, 'fpm'));
  const out = join(repositoryRoot, output);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const { status } = await runTool(
    toolPath('electron-builder'),
    [SYSTEMS[target.platform], ...(only === null ? formats : [only]), ...wordsFor(target, output, isStandIn)],
    env,
  );
  const files = readdirSync(out)
    .filter(name => /\.(?:deb|AppImage|exe|dmg|zip)$/.test(name))
    .map(name => join(out, name));
  return { status, standInBecause: isStandIn ? reason : null, folder, files, notMade };
}
