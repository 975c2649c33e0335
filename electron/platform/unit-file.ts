// Puts a unit into the folder where systemd looks for the services of an account.
import { lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Fault } from '../../shared/result.ts';
import { hostFault } from './host-fault.ts';

/** Whole or not at all. `mark`: how our units begin; a file that begins otherwise is not ours, and stays. */
export function putUserUnit(name: string, text: string, mark: string, env = process.env): string {
  const folder = join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'systemd', 'user');
  const path = join(folder, name);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !(found.isFile() && readFileSync(path, 'utf8').startsWith(mark)))
    throw new Fault({
      code: 'host.permission',
      what: `${path} is there already and was not written by Ebb.`,
      safe: 'It stays as it is.',
      todo: 'Move it away, or print the unit with --unit and put it where you like.',
    });
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${path}.new`, text, { mode: 0o644 });
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw hostFault('writing', path, cause);
  }
  return path;
}
