// `npm run dist [-- linux-x64 linux-arm64 win32-x64 …]`: makes packages for these targets, or for this
// machine, and checks each before it is released. `npm run dist -- verify PACKAGE…` checks a deb, an AppImage
// or an unpacked folder of any system. Electron's runtime comes from outside the npm registry; where it
// cannot be fetched, a stand-in is packed in its place and named as one (DESIGN §2).
import { buildAll } from '../build-all.ts';
import { judgePackage, targetOf } from '../package/judge.ts';
import { judgeLinux } from '../package/judge-linux.ts';
import { hostTarget, pack, targetNamed } from '../package/pack.ts';
import type { Target } from '../package/stage.ts';
import { unpacked } from '../package/unpack.ts';
import { readPackage } from '../package/unpacked.ts';
import { projectVersion } from '../version.ts';

interface Judged {
  readonly complaints: string[];
  readonly target: string;
  readonly holds: string;
}

function judgeFolder(folder: string): Judged {
  const content = readPackage(folder);
  const mib = content.runtime.reduce((sum, { bytes }) => sum + bytes.length, 0) / 2 ** 20;
  return {
    complaints: judgePackage(content),
    target: targetOf(content),
    holds: `${content.asar.length} files in the archive, ${content.runtime.length} in the runtime (${mib.toFixed(1)} MiB), fuses ${content.fuseWire}`,
  };
}

function judgeFile(file: string): Judged {
  return unpacked(file, (folder, around) => {
    const inside = judgeFolder(folder);
    return {
      ...inside,
      complaints: [...inside.complaints, ...judgeLinux(around, projectVersion(), inside.target)],
      holds: `${inside.holds}, ${around.files.length} files around it`,
    };
  });
}

/** `expected`: the target it was made for. */
function verify(what: string, expected: string | null = null): boolean {
  const { complaints, target, holds } = /\.(?:deb|AppImage)$/.test(what)
    ? judgeFile(what)
    : judgeFolder(what);
  if (expected !== null && expected !== target) complaints.push(`it is for ${target}, not ${expected}`);
  for (const line of complaints) console.error(`dist: ${line}`);
  console.log(`dist: ${what}: for ${target}, ${complaints.length} complaints; ${holds}`);
  return complaints.length === 0;
}

async function make(target: Target): Promise<boolean> {
  const name = `${target.platform}-${target.arch}`;
  const { status, standInBecause, folder, files, notMade } = await pack(target, `dist/packages/${name}`);
  if (standInBecause !== null)
    console.log(
      `dist: ${name} is packed with a STAND-IN for the Electron runtime (${standInBecause}): it shows what goes into a package and opens no window; the services and ebb in it are whole.`,
    );
  for (const line of notMade) console.log(`dist: ${name}: NOT MADE: ${line}`);
  return status === 0 && [folder, ...files].map(what => verify(what, name)).every(Boolean);
}

async function main(words: readonly string[]): Promise<boolean> {
  if (words[0] === 'verify')
    return words
      .slice(1)
      .map(what => verify(what))
      .every(Boolean);
  const targets = words.map(targetNamed);
  const unknown = words.find((_, at) => targets[at] === null);
  if (unknown !== undefined) {
    console.error(
      `dist: ${unknown} is none of linux-x64, linux-arm64, darwin-x64, darwin-arm64, win32-x64, win32-arm64`,
    );
    return false;
  }
  await buildAll({ always: true });
  const made: boolean[] = [];
  for (const target of words.length === 0 ? [hostTarget()] : targets)
    if (target !== null) made.push(await make(target));
  return made.every(Boolean);
}

process.exit((await main(process.argv.slice(2))) ? 0 : 1);
