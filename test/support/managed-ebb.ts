// A whole Ebb under a policy of its own: control started with one more policy folder, as only a command line can, and every
// door to it. The files belong to whoever runs the tests, which the added folder allows.
import { type ChildProcess, execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockHolder } from '../../electron/platform/lock-owner.ts';
import { spawnNodeService } from '../../electron/platform/node-service.ts';
import { ebbPaths, makeFolders } from '../../electron/platform/paths.ts';
import type { PolicyKey } from '../../shared/policy/keys.ts';
import type { PolicyReport } from '../../shared/policy/report.ts';
import { Fault } from '../../shared/result.ts';
import type { Client } from '../../shared/rpc/client.ts';
import type { Contract } from '../../shared/rpc/contract.ts';
import { browser } from './browsers.ts';
import { Ebb, waitFor } from './ebb.ts';
import { startGateway } from './gateway.ts';
import { policyText, type Settings } from './policies.ts';
import { openPage, type SignedIn, signInTo } from './web-clients.ts';

const MAIN = new URL('../../electron/control/main.ts', import.meta.url);
const CLI = join(import.meta.dirname, '../../electron/shells/cli/main.ts');

export interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

export class ManagedEbb {
  readonly folder = mkdtempSync(join(tmpdir(), 'ebb-m-'));
  readonly policies = mkdtempSync(join(tmpdir(), 'ebb-pol-'));
  ebb!: Ebb;
  #gateway: { readonly url: string; readonly gateway: ChildProcess } | null = null;

  static async start(settings: Settings | null = null): Promise<ManagedEbb> {
    const made = new ManagedEbb();
    for (const layer of ['managed', 'recommended']) mkdirSync(join(made.policies, layer), { mode: 0o755 });
    if (settings !== null) made.put(settings);
    await made.startControl();
    return made;
  }

  /** As a person would start it, but for the folder. */
  async startControl(): Promise<void> {
    const paths = ebbPaths(this.folder);
    makeFolders(paths);
    const args = ['--data', this.folder, '--policy', this.policies];
    await spawnNodeService({ module: MAIN, args, logPath: paths.controlLog });
    // Not by its socket: one that was killed may still answer there for a moment, and the next would be another's.
    await waitFor('control', () => lockHolder(paths.controlLock));
    this.ebb = await Ebb.start(this.folder);
  }

  /** SIGKILL; `between`, and another life under the same folder. */
  async restart(between: () => void = () => undefined): Promise<void> {
    const pid = this.ebb.controlPid();
    process.kill(pid, 'SIGKILL');
    await waitFor('control to be gone', () => this.ebb.controlPid() === 0 || null);
    between();
    await this.startControl();
  }

  path(name = '50-lab.json', layer = 'managed'): string {
    return join(this.policies, layer, name);
  }

  /** As any tool puts a file in place: whole. */
  write(text: string, path = this.path()): void {
    writeFileSync(`${path}.new`, text, { mode: 0o644 });
    chmodSync(`${path}.new`, 0o644);
    renameSync(`${path}.new`, path);
  }

  put(settings: Settings, path = this.path()): void {
    this.write(policyText(settings, { organization: 'Lab IT', contact: 'it@example.edu' }), path);
  }

  /** Until control says so. */
  reported(what: string, isSo: (report: PolicyReport) => boolean): Promise<PolicyReport> {
    return waitFor(what, async () => {
      const report = await this.ebb.call('policy.show', {});
      return isSo(report) ? report : null;
    });
  }

  async apply(settings: Settings): Promise<void> {
    this.put(settings);
    const keys = Object.keys(settings) as PolicyKey[];
    await this.reported('the policy to be in force', ({ rows }) => {
      const managed = rows.filter(({ isManaged }) => isManaged).map(({ key }) => key);
      return managed.length === keys.length && keys.every(key => managed.includes(key));
    });
  }

  async lift(): Promise<void> {
    rmSync(this.path(), { force: true });
    await this.reported('the policy to be gone', ({ rows }) => rows.every(({ isManaged }) => !isManaged));
  }

  cli(...args: string[]): Promise<Said> {
    const env = { ...process.env, EBB_DATA: this.folder };
    return new Promise(resolve =>
      execFile(process.execPath, [CLI, ...args], { env }, (error, out, err) =>
        resolve({ exit: error === null ? 0 : Number(error.code), out, err }),
      ),
    );
  }

  /** Over the socket that browsers' gateway uses. */
  browser(): Promise<Client<Contract>> {
    return browser(this.ebb);
  }

  /** At the real gateway, which outlives control. */
  async signedIn(): Promise<SignedIn> {
    this.#gateway ??= await startGateway(this.folder);
    const { token } = await this.ebb.call('headless.link', { role: 'administer' });
    return signInTo(new URL(this.#gateway.url).origin, token);
  }
  async page(): Promise<Client<Contract>> {
    return openPage(await this.signedIn());
  }

  async dispose(): Promise<void> {
    this.#gateway?.gateway.kill();
    await this.lift().catch(() => undefined);
    await this.ebb.dispose();
    rmSync(this.policies, { recursive: true, force: true });
  }
}

/** The key a refusal names; null where it was none of policy. */
export async function deniedKey(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (!(error instanceof Fault) || error.body.code !== 'policy.denied') throw error;
    return String(error.body.data?.key);
  }
}
