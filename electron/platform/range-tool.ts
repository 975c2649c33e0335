// Punches and clones ranges of open files, for which Node has no call. One long-lived `xfs_io` (Debian's
// xfsprogs; works on any filesystem with these calls) is fed on stdin. Without it, and whenever anything is
// odd, the answer is false and the caller does without. Files are named /proc/<pid>/fd/<n>: no name to quote,
// and still right after a rename.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { findProgram } from './process.ts';

export interface RangeTool {
  punch(fd: number, offsetBytes: number, lengthBytes: number): Promise<boolean>;
  clone(range: CloneRange): Promise<boolean>;
}

export interface CloneRange {
  readonly sourceFd: number;
  readonly sourceOffset: number;
  readonly fd: number;
  readonly offset: number;
  readonly length: number;
}

/** An xfs_io that died or hung this often is not started again. */
const STARTS_MAX = 3;
const TIMEOUT_MS = 20_000;
/** Lines of one request's errors that are kept. */
const ERRORS_MAX = 16;
/**
 * Errors that mean the filesystem, the kernel or this xfs_io has no such call, in errno's words and in
 * xfs_io's ("foreign file active", `command "reflink" not found`): the call is not tried again.
 */
const UNABLE = /not supported|Inappropriate ioctl|not implemented|cross-device|foreign|not found/i;

interface Request {
  readonly errors: string[];
  readonly settle: (errors: readonly string[] | null) => void;
}

const children = new Set<ChildProcessWithoutNullStreams>();

/** Kills xfs_io with its thread: the thread's files close then, and queued requests would hit others. */
function endWithThread(child: ChildProcessWithoutNullStreams): void {
  if (children.size === 0)
    process.once('exit', () => {
      for (const one of children) one.kill('SIGKILL');
    });
  children.add(child);
}

/** One xfs_io, started on demand. `run` resolves with its complaints, if any; null: it died or hung. */
class Shell {
  readonly #program: string;
  readonly #timeoutMs: number;
  #child: ChildProcessWithoutNullStreams | null = null;
  #starts = 0;
  #marks = 0;
  #text = '';
  readonly #open = new Map<string, Request>();

  constructor(program: string, timeoutMs: number) {
    this.#program = program;
    this.#timeoutMs = timeoutMs;
  }

  /** Each request ends with an unknown command, its mark: the error about it follows the request's own. */
  run(lines: readonly string[]): Promise<readonly string[] | null> {
    const child = this.#child ?? this.#start();
    if (child === null) return Promise.resolve(null);
    return new Promise(resolve => {
      const mark = `mark${++this.#marks}`;
      // Until the process is gone its call may still be under way, so the request is answered only then.
      const late = setTimeout(() => child.kill('SIGKILL'), this.#timeoutMs);
      const settle = (errors: readonly string[] | null): void => {
        clearTimeout(late);
        resolve(errors);
      };
      this.#open.set(mark, { errors: [], settle });
      child.stdin.write(`${[...lines, mark].join('\n')}\n`);
    });
  }

  #start(): ChildProcessWithoutNullStreams | null {
    if (this.#starts++ >= STARTS_MAX) return null;
    const child = spawn(this.#program, [], { cwd: '/', env: { LC_ALL: 'C' } });
    endWithThread(child);
    this.#child = child;
    this.#text = '';
    child.stdout.resume();
    child.stderr.setEncoding('latin1').on('data', (text: string) => this.#hear(text));
    child.stdin.on('error', () => child.kill('SIGKILL'));
    const gone = (): void => this.#gone(child);
    // An `error` may also mean that a signal could not be sent: then the process lives, and so does its call.
    child.on('error', () => child.pid === undefined && gone()).once('close', gone);
    // Our process does not stay alive for xfs_io, only for the deadline of a request.
    child.unref();
    for (const pipe of [child.stdin, child.stdout, child.stderr])
      if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
    return child;
  }

  #hear(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) {
      const [first] = this.#open;
      if (first === undefined) return;
      const [mark, { errors, settle }] = first;
      if (line === `command "${mark}" not found`) {
        this.#open.delete(mark);
        settle(errors);
      } else if (errors.length < ERRORS_MAX) errors.push(line);
    }
  }

  #gone(child: ChildProcessWithoutNullStreams): void {
    if (this.#child !== child) return;
    this.#child = null;
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { settle } of open) settle(null);
  }
}

/** `program`: the path of xfs_io; null: there is none. */
export function xfsIoTool(program: string | null, timeoutMs = TIMEOUT_MS): RangeTool {
  if (program === null) return { punch: () => Promise.resolve(false), clone: () => Promise.resolve(false) };
  const shell = new Shell(program, timeoutMs);
  const unable = new Set<string>();
  const pathOf = (fd: number): string => `/proc/${process.pid}/fd/${fd}`;
  const ask = async (key: string, fd: number, command: string): Promise<boolean> => {
    if (unable.has(key)) return false;
    const errors = await shell.run([`open ${pathOf(fd)}`, command, 'close']);
    if (errors?.some(line => UNABLE.test(line)) === true) unable.add(key);
    return errors?.length === 0;
  };
  return {
    punch: (fd, offsetBytes, lengthBytes) =>
      ask(`punch ${fstatSync(fd).dev}`, fd, `fpunch ${offsetBytes} ${lengthBytes}`),
    clone: ({ sourceFd, sourceOffset, fd, offset, length }) =>
      ask(
        `clone ${fstatSync(fd).dev}`,
        fd,
        `reflink ${pathOf(sourceFd)} ${sourceOffset} ${offset} ${length}`,
      ),
  };
}

let shared: RangeTool | null = null;

/** The range tool of this thread. */
export function rangeTool(): RangeTool {
  shared ??= xfsIoTool(process.platform === 'linux' ? findXfsIo() : null);
  return shared;
}

// A user's PATH lacks the folder it is installed in.
export const findXfsIo = (): string | null =>
  findProgram('xfs_io', `${process.env.PATH ?? ''}:/usr/sbin:/sbin`);
