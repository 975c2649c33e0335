// `npm run dist`: packages for this machine's system, judged before they are let out. `npm run dist -- verify FOLDER`
// judges an unpacked package, of whatever system. The Electron runtime comes from outside the npm registry; where it
// cannot be had, an unpacked folder with a stand-in is made and judged, and is said to be that (DESIGN §2).
import { buildAll } from '../build-all.ts';
import { judgePackage } from '../package/judge.ts';
import { pack } from '../package/pack.ts';
import { readPackage } from '../package/unpacked.ts';

function verify(folder: string): boolean {
  const content = readPackage(folder);
  const complaints = judgePackage(content);
  for (const line of complaints) console.error(`dist: ${line}`);
  const mib = content.runtime.reduce((sum, { bytes }) => sum + bytes.length, 0) / 2 ** 20;
  console.log(
    `dist: ${folder}: ${complaints.length} complaints; ${content.asar.length} files in the archive, ` +
      `${content.runtime.length} in the runtime (${mib.toFixed(1)} MiB), fuses ${content.fuseWire}`,
  );
  return complaints.length === 0;
}

async function main(argv: readonly string[]): Promise<boolean> {
  if (argv[0] === 'verify') return verify(argv[1] ?? '');
  await buildAll({ always: true });
  const { status, standInBecause, folder } = await pack(argv);
  if (status !== 0) return false;
  if (standInBecause !== null)
    console.log(
      `dist: packed with a STAND-IN for the Electron runtime (${standInBecause}): ${folder} shows what goes into a package and opens no window. deb, AppImage, dmg and NSIS were not made.`,
    );
  return verify(folder);
}

process.exit((await main(process.argv.slice(2))) ? 0 : 1);
