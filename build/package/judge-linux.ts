// Checks what an unpacked deb or AppImage has around the program: the files that make menus, links, disk
// files and `ebb` known to the system, and nothing else. Pure: files in, complaints out.
import { PNG_SIZES } from '../icons.ts';

export interface PlacedFile {
  readonly path: string;
  /** The permission bits. */
  readonly mode: number;
  readonly text: string;
}
export interface LinuxPackage {
  readonly kind: 'deb' | 'AppImage';
  /** The files outside the program's own folder. */
  readonly files: readonly PlacedFile[];
  /** The control file of a deb; empty for an AppImage. */
  readonly control: string;
}

const HOME = 'opt/Ebb/';
const EXECUTABLE = 'ebb-desktop';
const share = (path: string): string => `usr/share/${path}`;
const icon = (size: number): string => share(`icons/hicolor/${size}x${size}/apps/${EXECUTABLE}.png`);
const COMMON = [share(`mime/packages/${EXECUTABLE}.xml`), ...PNG_SIZES.map(icon)];
const NEEDED = {
  deb: [
    'usr/bin/ebb',
    share(`applications/${EXECUTABLE}.desktop`),
    share('man/man1/ebb.1.gz'),
    share('doc/ebb/copyright'),
    ...COMMON,
  ],
  AppImage: ['AppRun', '.DirIcon', `${EXECUTABLE}.desktop`, `${EXECUTABLE}.png`, ...COMMON],
};
const PROGRAMS = ['usr/bin/ebb', 'AppRun'];
const STARTS = { deb: `/${HOME}${EXECUTABLE} %U`, AppImage: 'AppRun %U' };

/** Whether a path is outside the program's own files, which judge.ts checks. */
export const isOutside = (kind: LinuxPackage['kind'], path: string): boolean =>
  kind === 'deb' ? !path.startsWith(HOME) : NEEDED.AppImage.includes(path) || path.startsWith('usr/');
export const programFolder = (kind: LinuxPackage['kind']): string => (kind === 'deb' ? HOME : '');

const fieldOf = (text: string, name: string, mark: string): string =>
  new RegExp(`^${name}${mark}(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';

const PROCESSORS: Readonly<Record<string, string>> = { 'linux-x64': 'amd64', 'linux-arm64': 'arm64' };

function judgeControl(control: string, version: string, target: string): string[] {
  const field = (name: string): string => fieldOf(control, name, ':');
  const is = (name: string, pattern: RegExp): string[] =>
    pattern.test(field(name)) ? [] : [`the control file says ${name}: ${field(name)}`];
  return [
    ...(field('Version') === version ? [] : [`the control file says Version: ${field('Version')}`]),
    ...(field('Architecture') === PROCESSORS[target]
      ? []
      : [`the control file says Architecture: ${field('Architecture')} of what is for ${target}`]),
    ...is('Package', /^ebb$/),
    ...is('Depends', /\bqemu-system-x86\b/),
    ...is('Maintainer', /.+<.+>/),
    ...is('Description', /.{20}/),
    ...is('Homepage', /^https:/),
  ];
}

function judgeEntry(kind: LinuxPackage['kind'], text: string): string[] {
  const expected = {
    // Without the --no-sandbox of electron-builder's older AppImages.
    Exec: STARTS[kind],
    Icon: EXECUTABLE,
    // The class Electron gives its windows, so that the desktop counts them to this entry.
    StartupWMClass: EXECUTABLE,
    MimeType: 'application/x-vhd-disk;x-scheme-handler/ebb;',
  };
  return Object.entries(expected).flatMap(([name, value]) => {
    const said = fieldOf(text, name, '=');
    return said === value ? [] : [`the desktop entry says ${name}=${said}, not ${value}`];
  });
}

/** `target`: the system and processor of the program inside. */
export function judgeLinux(
  { kind, files, control }: LinuxPackage,
  version: string,
  target: string,
): string[] {
  const named = (path: string): PlacedFile | undefined => files.find(file => file.path === path);
  const entry = NEEDED[kind].find(path => path.endsWith('.desktop')) ?? '';
  const types = named(share(`mime/packages/${EXECUTABLE}.xml`))?.text ?? '';
  return [
    ...NEEDED[kind].filter(path => named(path) === undefined).map(path => `the ${kind} lacks ${path}`),
    ...files
      .filter(({ path }) => !NEEDED[kind].includes(path))
      .map(({ path }) => `the ${kind} holds ${path}`),
    ...files
      .filter(({ mode }) => (mode & 0o6022) !== 0)
      .map(({ path, mode }) => `${path} is ${mode.toString(8)}`),
    ...files
      .filter(({ path, mode }) => PROGRAMS.includes(path) && (mode & 0o111) !== 0o111)
      .map(({ path }) => `${path} is no program`),
    ...judgeEntry(kind, named(entry)?.text ?? ''),
    ...(types.includes('*.vhd"') ? [] : ['disks (*.vhd) are not made known']),
    ...(kind === 'deb' ? judgeControl(control, version, target) : []),
  ];
}
