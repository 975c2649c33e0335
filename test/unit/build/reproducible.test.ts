import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { bundleElectron } from '../../../build/bundle.ts';
import { readLock, shippedHere } from '../../../build/collect-licences.ts';
import { repositoryRoot } from '../../../build/layers.ts';

interface Built {
  readonly folder: string;
  /** As the bundlers tell it. */
  readonly inputs: readonly string[];
}

const dist = join(repositoryRoot, 'dist');
const built: Built[] = [];

async function buildPage(outDir: string): Promise<string[]> {
  const result = await build({
    configFile: join(repositoryRoot, 'build', 'vite.config.ts'),
    logLevel: 'error',
    build: { outDir },
  });
  const outputs = (Array.isArray(result) ? result : [result]) as { output: { moduleIds?: string[] }[] }[];
  return outputs.flatMap(({ output }) => output.flatMap(({ moduleIds = [] }) => moduleIds));
}

async function buildOnce(): Promise<Built> {
  mkdirSync(dist, { recursive: true });
  const folder = mkdtempSync(join(dist, 'again-'));
  const services = await bundleElectron(join(folder, 'electron'));
  return { folder, inputs: [...services, ...(await buildPage(join(folder, 'renderer')))] };
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name));

const hashes = (folder: string): Record<string, string> =>
  Object.fromEntries(
    filesOf(folder)
      .sort()
      .map(file => [relative(folder, file), createHash('sha256').update(readFileSync(file)).digest('hex')]),
  );

/** `node_modules/a/node_modules/b/x.js` is of the package at `node_modules/a/node_modules/b`. */
function packageOf(input: string): string[] {
  const at = input.lastIndexOf('node_modules/');
  if (at < 0) return [];
  const name = /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input.slice(at))?.[0] ?? '';
  const first = input.indexOf('node_modules/');
  return [`${input.slice(first, at)}${name}`];
}

describe('the bundles', () => {
  beforeAll(async () => {
    // A test's own environment would give the page of developers.
    vi.stubEnv('NODE_ENV', 'production');
    built.push(await buildOnce(), await buildOnce());
  }, 120_000);
  afterAll(() => {
    vi.unstubAllEnvs();
    for (const { folder } of built) rmSync(folder, { recursive: true, force: true });
  });

  it('are the same, byte for byte, when built twice', () => {
    const [first, second] = built.map(({ folder }) => hashes(folder));
    expect(Object.keys(first ?? {}).length).toBeGreaterThan(20);
    expect(second).toEqual(first);
  });

  it('name no folder of the machine they were built on', () => {
    const named = filesOf(built[0]?.folder ?? '').filter(file =>
      readFileSync(file).includes(Buffer.from(`${repositoryRoot}/`)),
    );
    expect(named).toEqual([]);
  });

  it('take in no package that the notices leave out', () => {
    const inside = new Set(built[0]?.inputs.flatMap(packageOf));
    expect(inside.size).toBeGreaterThan(8);
    expect([...inside]).toContain('node_modules/react-dom');
    const shipped = shippedHere(readLock());
    expect([...inside].filter(path => !shipped.includes(path))).toEqual([]);
  });
});
