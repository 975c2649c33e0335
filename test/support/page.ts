// The browser's way in, in processes that can be killed: the headless shell, and a page that is open in it.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CallParams } from '../../shared/rpc/client.ts';
import type { Contract } from '../../shared/rpc/contract.ts';
import type { MethodName, MethodResult } from '../../shared/rpc/table.ts';
import { waitFor } from './ebb.ts';

export interface PageCall {
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
}
export interface PageAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

const SHELL = join(import.meta.dirname, '../../electron/shells/headless/main.ts');
const PAGE = join(import.meta.dirname, 'page-process.ts');
const QUIET = '--disable-warning=ExperimentalWarning';

/** Killed, and gone: as long as its parent has not heard of its end a process is still there. */
function killed(child: ChildProcess): Promise<void> {
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  child.kill('SIGKILL');
  return ended;
}

export class HeadlessShell {
  readonly #child: ChildProcess;
  readonly origin: string;
  /** Of the browser that signed in: its pages share it. */
  readonly cookie: string;

  private constructor(child: ChildProcess, origin: string, cookie: string) {
    this.#child = child;
    this.origin = origin;
    this.cookie = cookie;
  }

  static async start(dataFolder: string): Promise<HeadlessShell> {
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    const child = spawn(process.execPath, [QUIET, SHELL, '--data', dataFolder], { stdio: [...stdio] });
    let printed = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    const link = await waitFor('the link', () => /http:\/\/\S+(?=\n)/.exec(printed)?.[0]);
    const { origin, hash } = new URL(link);
    const body = JSON.stringify({ token: hash.replace('#token=', '') });
    const answer = await fetch(`${origin}/session`, { method: 'POST', headers: { origin }, body });
    const cookie = answer.headers.get('set-cookie')?.split(';')[0];
    if (cookie === undefined) throw new Error(`signing in: ${answer.status}`);
    return new HeadlessShell(child, origin, cookie);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  end(): Promise<void> {
    return killed(this.#child);
  }
}

export class Page {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: PageAnswer) => void>();
  #nextId = 1;

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error('a page without a standard output');
    createInterface({ input: child.stdout }).on('line', line => {
      const answer = JSON.parse(line) as PageAnswer;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    child.once('exit', () => {
      for (const [id, answer] of this.#waiting) answer({ id, error: 'the page has ended' });
    });
  }

  static async open({ origin, cookie }: HeadlessShell): Promise<Page> {
    const child = spawn(process.execPath, [QUIET, PAGE, origin, cookie], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const page = new Page(child);
    await page.#answer(0);
    return page;
  }

  async #answer(id: number): Promise<unknown> {
    const { result, error } = await new Promise<PageAnswer>(resolve => this.#waiting.set(id, resolve));
    if (error !== undefined) throw new Error(error);
    return result;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  call<M extends MethodName<Contract>>(
    method: M,
    params: CallParams<Contract, M>,
  ): Promise<MethodResult<Contract, M>> {
    const id = this.#nextId++;
    const said: PageCall = { id, method, params };
    this.#child.stdin?.write(`${JSON.stringify(said)}\n`);
    return this.#answer(id) as Promise<MethodResult<Contract, M>>;
  }

  end(): Promise<void> {
    return killed(this.#child);
  }
}
