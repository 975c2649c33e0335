// Makes the packages of one target with electron-builder, around Electron's own runtime, or around a stand-in
// where that cannot be fetched.
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
/** Where new versions are published; a package made without this address looks for none. */
const RELEASES = process.env.EBB_RELEASES_URL ?? '';

export const hostTarget = (): Target => ({
  platform: process.platform as Target['platform'],
  arch: process.arch as Target['arch'],
});

/** The target named like `linux-arm64`; null: there is no such target. */
export function targetNamed(name: string): Target | null {
  const [, platform, arch] = /^(linux|darwin|win32)-(x64|arm64)$/.exec(name) ?? [];
  return platform === undefined ? null : ({ platform, arch } as Target);
}

export interface Packed {
  readonly status: number;
  /** Why a stand-in was packed; null: the package has Electron's own runtime. */
  readonly standInBecause: string | null;
  readonly folder: string;
  /** Installable files. */
  readonly files: readonly string[];
  /** Formats that should have been made too, and why they were not. */
  readonly notMade: readonly string[];
}

interface Made {
  readonly formats: readonly string[];
  readonly env: Record<string, string>;
  readonly notMade: readonly string[];
}

/** The formats in electron-builder.json, named on its command line: else it makes every processor's. */
export const FORMATS: Readonly<Record<Target['platform'], readonly string[]>> = {
  linux: ['deb', 'AppImage'],
  darwin: ['dmg', 'zip'],
  win32: ['nsis'],
};

/** The formats that can be made around a stand-in with the tools of this machine. */
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
/** Stand-in packages are not for download, so they are packed fast, not small. */
const STAND_IN_WORDS = [
  `-c.artifactName=${STAND_IN_NAME}`,
  '-c.deb.compression=gz',
  '-c.appImage.compression=gzip',
  // The tool that writes Windows' icon and names comes from outside the npm registry.
  '-c.win.signAndEditExecutable=false',
];
const SYSTEMS = { linux: '--linux', darwin: '--mac', win32: '--win' } as const;

function unpackedIn(output: string, { platform, arch }: Target): string {
  const suffix = arch === 'arm64' ? '-arm64' : '';
  const name = { linux: 'linux', win32: 'win', darwin: 'mac' }[platform];
  const folder = join(repositoryRoot, output, `${name}${suffix}`);
  return platform === 'darwin' ? join(folder, 'Ebb.app') : `${folder}-unpacked`;
}

/** Compresses the manual without a timestamp in its header, so that two builds give the same bytes. */
function stageManual(staged: string): void {
  writeFileSync(join(stage, 'ebb.1.gz'), gzipSync(readFileSync(join(staged, 'man', 'ebb.1')), { level: 9 }));
}

function wordsFor(target: Target, output: string, standIn: boolean): string[] {
  const { executable } = electronRuntime();
  const host = hostTarget();
  const isHost = target.platform === host.platform && target.arch === host.arch;
  // electron-builder fetches the runtime of another target, where the network has it.
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

/** The bundles must exist. `output` is relative to the repository; `only`: make this one format. */
export async function pack(target: Target, output: string, only: string | null = null): Promise<Packed> {
  const { executable, reason } = electronRuntime();
  const isStandIn = executable === '';
  const folder = unpackedIn(output, target);
  // No stand-in for a macOS bundle: its programs and framework are assembled and signed by macOS's tools.
  if (isStandIn && target.platform === 'darwin')
    return { status: 1, standInBecause: null, folder, files: [], notMade: [`dmg, zip: ${reason}`] };
  // One folder for all targets: macros in electron-builder's configuration name the machine it runs on.
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
