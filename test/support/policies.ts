// Policies for tests: texts of files, and what is in force of them.
import { Policy } from '../../electron/control/policy/policy.ts';
import { type LayerFolder, readingOf } from '../../electron/control/policy/reading.ts';
import { resolvePolicy, type UserValues } from '../../electron/control/policy/resolve.ts';
import { type Layer, POLICY_VERSION } from '../../shared/policy/file.ts';
import type { PolicyKey } from '../../shared/policy/keys.ts';

export type Settings = Readonly<Partial<Record<PolicyKey, Readonly<Record<string, unknown>>>>>;

export const policyText = (settings: Settings, head: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ policyVersion: POLICY_VERSION, ...head, settings }, null, 2);

/** Files by path, "managed/a.json". */
export function foldersOf(files: Readonly<Record<string, string>>): LayerFolder[] {
  return (['managed', 'recommended'] as const).map((layer: Layer) => ({
    layer,
    path: `/p/${layer}`,
    problem: '',
    files: Object.keys(files)
      .filter(name => name.startsWith(`${layer}/`))
      .sort()
      .map(name => ({ path: `/p/${name}`, text: files[name] ?? '', problem: '' })),
  }));
}

export function policyOf(
  files: Readonly<Record<string, string>>,
  user: UserValues = {},
  defaults: UserValues = {},
): Policy {
  const { spoken } = readingOf(foldersOf(files), {});
  return new Policy(resolvePolicy({ spoken, user, defaults }));
}

export const managed = (settings: Settings): Policy => policyOf({ 'managed/a.json': policyText(settings) });
export const unrestricted = managed({});
