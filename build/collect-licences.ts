// The acting side of licences.ts: reads the lock file, our sources and node_modules for it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readModules, repositoryRoot } from './layers.ts';
import { type Lock, notices, shippedPackages, shippedRoots } from './licences.ts';

export const readLock = (): Lock =>
  (JSON.parse(readFileSync(join(repositoryRoot, 'package-lock.json'), 'utf8')) as { packages: Lock })
    .packages;

export const shippedHere = (lock: Lock): string[] =>
  shippedPackages(lock, shippedRoots(lock, readModules(repositoryRoot, ['shared', 'electron', 'renderer'])));

/** Every licence and notice file of a package and of code it vendors; null: the package is not installed. */
export function licenceText(path: string): string | null {
  const folder = join(repositoryRoot, path);
  if (!existsSync(folder)) return null;
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && /^(?:licen[cs]e|copying|notice)(?:\.|$)/i.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .filter(file => !/\/(?:include|node_modules)\//.test(relative(folder, file)) && !/\.[jt]s$/.test(file))
    .sort()
    .map(file => readFileSync(file, 'utf8').trim())
    .join('\n\n');
  return files === '' ? declaredText(join(folder, 'package.json')) : files;
}

/** The MIT text for a package that brings no licence file but declares licence and author; else empty. */
function declaredText(manifest: string): string {
  const { license, author } = JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, unknown>;
  if (license !== 'MIT' || typeof author !== 'string') return '';
  const [, terms = ''] = readFileSync(join(repositoryRoot, 'LICENSE'), 'utf8').split(/^Copyright .*$/m);
  return `The MIT licence, by its package.json.\n\nCopyright (c) ${author}\n\n${terms.trim()}`;
}

export function thirdPartyNotices(): string {
  const lock = readLock();
  return notices(lock, shippedHere(lock), licenceText);
}
