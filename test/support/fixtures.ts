// Guests that are up already: booted once a run and suspended; a test gets a copy of the whole data folder and resumes
// the ones it wants. Only tests about starting boot.
import { existsSync, mkdirSync, mkdtempSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from '../../electron/platform/process.ts';
import { type Agent, Ebb } from './ebb.ts';

export const FIXTURE_GUESTS = {
  alpha: { minMib: 112, maxMib: 320, diskMib: 256 },
  beta: { minMib: 112, maxMib: 320, diskMib: 256 },
  history: { minMib: 128, maxMib: 256, diskMib: 640 },
} as const;
type Guests = Readonly<
  Record<string, { readonly minMib: number; readonly maxMib: number; readonly diskMib: number }>
>;

/** Set by the run (test/support/run-folder.ts), which removes it. */
export const runFolder = (): string => {
  const folder = process.env.EBB_TEST_RUN;
  if (folder === undefined)
    throw new Error('EBB_TEST_RUN is not set: build/vitest.config.ts names the set-up');
  return folder;
};

/** Files run one after another in the guest suite: nobody else makes it meanwhile. */
async function madeOnce(guests: Guests, name: string): Promise<string> {
  const made = join(runFolder(), name);
  if (existsSync(made)) return made;
  const began = performance.now();
  const making = join(runFolder(), 'making');
  mkdirSync(making);
  const ebb = await Ebb.start(making);
  const agents: Agent[] = [];
  for (const [guest, options] of Object.entries(guests)) {
    const { vmId } = await ebb.createSample(guest, options);
    agents.push(await ebb.startVm(vmId));
    await ebb.done((await ebb.call('vm.suspend', { vmId })).taskId);
  }
  await ebb.quit();
  renameSync(making, made);
  // A suite leaves one JSON document on standard output.
  console.error(
    `fixtures: ${agents.length} guests booted and saved in ${((performance.now() - began) / 1000).toFixed(1)} s`,
  );
  return made;
}

/** An Ebb of its own whose VMs are these, all suspended; `name`: of those guests in this run. */
export async function startFromFixtures(guests: Guests = FIXTURE_GUESTS, name = 'guests'): Promise<Ebb> {
  return startFromCopy(await madeOnce(guests, name));
}

/** An Ebb of its own over a copy of a data folder that nobody uses. */
export async function startFromCopy(from: string): Promise<Ebb> {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-t-'));
  const { code, stderr } = await runTool(
    'cp',
    ['-a', '--sparse=always', '--reflink=auto', `${from}/.`, folder],
    { timeoutMs: 300_000 },
  );
  if (code !== 0) throw new Error(`copying the fixtures: ${stderr}`);
  return Ebb.start(folder);
}
