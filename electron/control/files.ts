// Keeps the files people chose, each under a token: clients never name paths (DESIGN §8). Bounded; a token is
// good for an hour.
import { type FileToken, fileTokenSchema } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import type { Clock, Random } from '../platform/ports.ts';

const TOKENS_MAX = 256;
const LIFE_MS = 3_600_000;

export interface ChosenFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  /** Of its last change, wall time. */
  readonly modifiedMs: number;
}

export interface FilePorts {
  readonly clock: Clock;
  readonly random: Random;
  /** What a plain, readable file is now; null otherwise. */
  readonly look: (path: string) => ChosenFile | null;
  /** Faults: policy.denied. */
  readonly admit: (realPath: string) => void;
}

export class Files {
  readonly #ports: FilePorts;
  readonly #chosen = new Map<FileToken, { readonly file: ChosenFile; readonly untilMs: number }>();

  constructor(ports: FilePorts) {
    this.#ports = ports;
  }

  register(path: string): { file: FileToken; name: string; bytes: number } {
    const found = this.#ports.look(path);
    if (found === null) {
      throw new Fault({
        code: 'file.unreadable',
        what: `${path} is not a file Ebb can read.`,
        safe: 'Nothing was changed.',
        todo: 'Check its name, that it is a plain file, and its permissions.',
      });
    }
    this.#ports.admit(found.path);
    const now = this.#ports.clock.monotonicMs();
    for (const [token, entry] of this.#chosen)
      if (entry.untilMs < now || this.#chosen.size >= TOKENS_MAX) this.#chosen.delete(token);
    const token = fileTokenSchema.parse(this.#ports.random.uuid());
    this.#chosen.set(token, { file: found, untilMs: now + LIFE_MS });
    return { file: token, name: found.name, bytes: found.bytes };
  }

  get(token: FileToken): ChosenFile {
    const entry = this.#chosen.get(token);
    if (entry !== undefined && entry.untilMs >= this.#ports.clock.monotonicMs()) return entry.file;
    throw new Fault({
      code: 'file.unknown-token',
      what: 'The chosen file is not known any more.',
      safe: 'Nothing was changed.',
      todo: 'Choose the file again.',
    });
  }
}
