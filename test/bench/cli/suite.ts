// `npm run -s bench -- cli [--quick] [--json]`: what a person waits for after `ebb vm list`, the service running, beside
// virsh list where libvirt is, and beside the least a Node program can take. The bundle is what is measured.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bundleElectron } from '../../../build/bundle.ts';
import { repositoryRoot } from '../../../build/layers.ts';
import { Ebb } from '../../support/ebb.ts';
import { type BenchRow, median, type SuiteOptions } from '../../support/report.ts';

const GOAL_MS = 150;
const MAIN = join(repositoryRoot, 'dist', 'electron', 'shells', 'cli', 'main.js');

interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const isThere = ({ command, args }: Program): boolean => spawnSync(command, args).status === 0;

function timed({ command, args }: Program, env: NodeJS.ProcessEnv): number {
  const from = performance.now();
  const { status, stderr } = spawnSync(command, args, { env });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr}`);
  return performance.now() - from;
}

function peers(say: (line: string) => void): Program[] {
  const virsh = { name: 'virsh list', command: 'virsh', args: ['list', '--all'] };
  const others = [
    { name: 'node -e 0', command: process.execPath, args: ['-e', '0'] },
    { name: 'qemu-img --version', command: 'qemu-img', args: ['--version'] },
  ];
  if (isThere(virsh)) return [virsh, ...others];
  say('virsh list: skipped, no libvirt service answers here');
  return others.filter(isThere);
}

/** Alternating, so that what else the machine does meets all alike. */
export async function run({ quick, say }: SuiteOptions): Promise<{ rows: BenchRow[] }> {
  await bundleElectron();
  const ebb = await Ebb.start();
  const env = { ...process.env, EBB_DATA: ebb.paths.dataFolder };
  const ours: Program = { name: 'ebb vm list', command: process.execPath, args: [MAIN, 'vm', 'list'] };
  const others = peers(say);
  const found = new Map([ours, ...others].map(program => [program, [] as number[]]));
  for (let round = 0; round < (quick ? 9 : 31); round++)
    for (const [program, list] of found) list.push(timed(program, env));
  await ebb.dispose();
  const mine = found.get(ours) ?? [];
  const middle = median(mine);
  return {
    rows: others.map(peer => {
      const theirs = median(found.get(peer) ?? []);
      return {
        work: 'ebb vm list, cold: ms (less is better)',
        peer: peer.name,
        ours: middle,
        theirs,
        ratio: middle / theirs,
        spread: (Math.max(...mine) - Math.min(...mine)) / middle,
        target: `≤ ${GOAL_MS} ms`,
        met: middle <= GOAL_MS,
      };
    }),
  };
}
