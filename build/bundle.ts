// Bundles services, shells and CLI into dist/electron, each under its source's relative name: a module beside
// its caller in the source is beside it in the bundle too. better-sqlite3 (native) and electron stay out.
import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { contract } from '../shared/rpc/contract.ts';
import { contractHash } from '../shared/rpc/hash.ts';
import { repositoryRoot } from './layers.ts';
import { projectVersion } from './version.ts';

const source = join(repositoryRoot, 'electron');
const distFolder = join(repositoryRoot, 'dist', 'electron');

/** Every process and thread starts at a main.ts or a worker.ts. */
const entryPoints = (): string[] =>
  readdirSync(source, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && /^(?:main|worker|.+-worker)\.ts$/.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name));

const common: BuildOptions = {
  bundle: true,
  metafile: true,
  outbase: source,
  platform: 'node',
  target: 'node24',
  // The last three are optional: the packages that look for them go on without.
  external: ['electron', 'better-sqlite3', 'bufferutil', 'utf-8-validate', 'supports-color'],
  sourcemap: 'linked',
  legalComments: 'linked',
  logLevel: 'warning',
};

/** A sandboxed preload must be one CommonJS file. */
export async function bundlePreload(outfile: string): Promise<void> {
  const { outbase: _, ...rest } = common;
  await build({
    ...rest,
    entryPoints: [join(source, 'shells', 'desktop', 'preload.ts')],
    format: 'cjs',
    outfile,
  });
}

/** Bundled CommonJS packages (ws) load Node's modules with `require`, which ES modules lack. */
const REQUIRE =
  "import { createRequire as ebbRequire } from 'node:module';const require = ebbRequire(import.meta.url);";

const versioned = (version: string): Record<string, string> => ({
  EBB_BUILD_VERSION: JSON.stringify(version),
});

/** Splits the CLI into chunks, each loaded when a command needs it: every call of `ebb` is a fresh start. */
async function bundleCli(entry: string, out: string, version: string): Promise<string[]> {
  const folder = dirname(entry);
  const { metafile } = await build({
    ...common,
    entryPoints: [entry],
    outdir: join(out, relative(source, folder)),
    outbase: folder,
    format: 'esm',
    splitting: true,
    chunkNames: '[name]-[hash]',
    define: { ...versioned(version), EBB_CONTRACT_HASH: JSON.stringify(contractHash(contract)) },
  });
  return Object.keys(metafile?.inputs ?? {});
}

/** Resolves with the files that were bundled, relative to the working folder. */
export async function bundleElectron(out = distFolder, version = projectVersion()): Promise<string[]> {
  rmSync(out, { recursive: true, force: true });
  const entries = entryPoints();
  const isCli = (entry: string): boolean => relative(source, entry) === join('shells', 'cli', 'main.ts');
  const { metafile } = await build({
    ...common,
    outdir: out,
    entryPoints: entries.filter(entry => !isCli(entry)),
    format: 'esm',
    banner: { js: REQUIRE },
    define: versioned(version),
  });
  const inputs = Object.keys(metafile?.inputs ?? {});
  for (const entry of entries.filter(isCli)) inputs.push(...(await bundleCli(entry, out, version)));
  await bundlePreload(join(out, 'shells', 'desktop', 'preload.cjs'));
  copyFileSync(
    join(repositoryRoot, 'build', 'icons', 'icon.png'),
    join(out, 'shells', 'desktop', 'icon.png'),
  );
  return inputs;
}
