// Turns the files found in policy folders into rules. A file that can no longer be trusted or read counts as
// it last was. Pure.
import * as z from 'zod';
import {
  FILE_BYTES_MAX,
  hasErrors,
  type Layer,
  type PolicyFile,
  type Problem,
  readPolicyFile,
} from '../../../shared/policy/file.ts';
import type { PolicyFileState } from '../../../shared/policy/report.ts';
import type { FoundFile, FoundFolder } from '../../platform/policy-files.ts';
import type { Spoken } from './resolve.ts';

export interface LayerFolder extends FoundFolder {
  readonly layer: Layer;
  /** The restrained user can write to this folder: its files may narrow, but permit nothing. */
  readonly isOwn?: boolean;
}

/** Text by path: what files said when they were last whole. */
export type LastGood = Readonly<Record<string, string>>;

/** Parses what was kept; what cannot be read counts as nothing. */
export function lastGoodOf(kept: unknown): LastGood {
  const known = z.record(z.string(), z.string().max(FILE_BYTES_MAX)).safeParse(kept);
  return known.success ? known.data : {};
}

export interface Reading {
  readonly spoken: readonly Spoken[];
  readonly files: readonly PolicyFileState[];
  readonly lastGood: LastGood;
  /** Paths in `lastGood` that may permit: this control read them. The restrained user can write the rest. */
  readonly trusted: ReadonlySet<string>;
  readonly organization: string;
  readonly contact: string;
}

interface Heard {
  readonly state: PolicyFileState;
  readonly file: PolicyFile | null;
  /** What to keep in `lastGood`; null: nothing. */
  readonly text: string | null;
  readonly mayPermit: boolean;
}

/** What was known before. */
interface Before {
  readonly lastGood: LastGood;
  readonly trusted: ReadonlySet<string>;
}

const error = (what: string): Problem => ({ line: 0, severity: 'error', what: what.slice(0, 500) });

function hear({ path, text, problem }: FoundFile, { layer, isOwn }: LayerFolder, before: Before): Heard {
  const lastGood = before.lastGood[path];
  const mayPermit = isOwn !== true;
  const read =
    text === null
      ? { file: null, problems: [error(`Not trusted: ${problem}.`)] }
      : readPolicyFile(text, layer);
  const { file } = read;
  const problems = read.problems.slice(0, 200);
  if (file !== null && !hasErrors(problems))
    return { state: { path, layer, state: 'in-force', problems }, file, text, mayPermit };
  const kept = lastGood === undefined ? null : readPolicyFile(lastGood, layer).file;
  if (kept !== null) {
    const told = { state: { path, layer, state: 'last-good', problems }, file: kept } as const;
    return { ...told, text: lastGood ?? null, mayPermit: mayPermit && before.trusted.has(path) };
  }
  // No whole text of this file is known: what of it can be understood counts.
  const state = file === null ? 'refused' : 'in-part';
  return { state: { path, layer, state, problems }, file, text: null, mayPermit };
}

/** What the files of a folder say; of a folder that is not trusted any more, what they last said. */
function heardFolder(folder: LayerFolder, before: Before): Heard[] {
  const { path, layer, files, problem } = folder;
  if (problem === '') return files.map(file => hear(file, folder, before));
  const known = Object.keys(before.lastGood).filter(
    file => file.startsWith(`${path}/`) || file.startsWith(`${path}\\`),
  );
  const whole: Heard = {
    state: { path, layer, state: 'refused', problems: [error(`Not trusted: ${problem}.`)] },
    file: null,
    text: null,
    mayPermit: false,
  };
  return [whole, ...known.sort().map(file => hear({ path: file, text: null, problem }, folder, before))];
}

/** `folders` in order of authority. `trusted`: as in `Reading`, from what this control read before. */
export function readingOf(
  folders: readonly LayerFolder[],
  lastGood: LastGood,
  trusted: ReadonlySet<string> = new Set(),
): Reading {
  const heard = folders.flatMap(folder => heardFolder(folder, { lastGood, trusted }));
  const spoken = heard.flatMap(({ state: { path, layer }, file, mayPermit }) => {
    const { organization = '', contact = '' } = file ?? {};
    const source = { path, layer, organization, contact, mayPermit };
    return (file?.rules ?? []).map(rule => ({ ...rule, source }));
  });
  const named = heard.find(({ state, file }) => state.layer === 'managed' && file?.organization);
  const asked = heard.find(({ state, file }) => state.layer === 'managed' && file?.contact);
  return {
    spoken,
    files: heard.map(({ state }) => state).slice(0, 400),
    lastGood: Object.fromEntries(
      heard.flatMap(({ state, text }) => (text === null ? [] : [[state.path, text]])),
    ),
    trusted: new Set(
      heard.flatMap(({ state, text, mayPermit }) => (text !== null && mayPermit ? [state.path] : [])),
    ),
    organization: named?.file?.organization ?? '',
    contact: asked?.file?.contact ?? '',
  };
}
