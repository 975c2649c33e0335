// `npm run -s guest -- others [--only NAME] [--json]`: machines whose guest knows nothing of Ebb, started from an ISO: the
// Debian installer, and without a balloon driver memtest86+ and GRUB's rescue prompt. Each has to come to its first screens, to be left alone by the
// memory manager, and to be switched off; its screen is left in test/artifacts/others to be looked at. On demand: they are
// Debian's packages, which must be installed.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VmId } from '../../../shared/ids.ts';
import { MIB_KIB } from '../../../shared/units.ts';
import { Ebb, waitFor } from '../../support/ebb.ts';
import { pngPixels } from '../../support/png-pixels.ts';
import type { SimOutcome, SuiteOptions } from '../../support/report.ts';

const INSTALLER = '/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64';
const MEMTEST = '/usr/lib/memtest86+/memtest86+x64.iso';
const PACKAGES = 'debian-installer-12-netboot-amd64 memtest86+ grub-pc-bin grub-common xorriso mtools';
const ARTIFACTS = join(import.meta.dirname, '..', '..', 'artifacts', 'others');
/** Of a guest under TCG; it only ends a hang. */
const SCREEN_MS = 900_000;

interface Other {
  readonly name: string;
  readonly maxMib: number;
  /** The path of its ISO, made in that folder where there is none ready. */
  readonly iso: (folder: string) => string;
  /** Of its first screens: bytes of the picture that are not black, at least; of what it says before there are fewer. */
  readonly lit: number;
  /** Its kernel has a balloon driver. */
  readonly hasDriver?: boolean;
}

function grubIso(folder: string, name: string, lines: readonly string[], files: readonly string[]): string {
  const tree = join(folder, `${name}.tree`);
  mkdirSync(join(tree, 'boot', 'grub'), { recursive: true });
  writeFileSync(join(tree, 'boot', 'grub', 'grub.cfg'), lines.map(line => `${line}\n`).join(''));
  for (const file of files) execFileSync('cp', [file, tree]);
  const iso = join(folder, `${name}.iso`);
  execFileSync('grub-mkrescue', ['-o', iso, tree], { stdio: 'ignore' });
  return iso;
}

const OTHERS: readonly Other[] = [
  {
    name: 'debian-installer',
    maxMib: 512,
    iso: folder =>
      grubIso(
        folder,
        'debian',
        ['linux /linux vga=788', 'initrd /initrd.gz', 'boot'],
        [join(INSTALLER, 'linux'), join(INSTALLER, 'initrd.gz')],
      ),
    // Blue all over; before, white letters on black.
    lit: 900_000,
    hasDriver: true,
  },
  { name: 'memtest86', maxMib: 128, iso: () => MEMTEST, lit: 20_000 },
  // Without any configuration GRUB asks what to do.
  { name: 'grub-rescue', maxMib: 128, iso: folder => grubIso(folder, 'grub', [], []), lit: 5000 },
];

/** Bytes of its pixels that are not black. */
const litBytes = (png: Buffer): number =>
  pngPixels(png).reduce((sum, row) => sum + row.reduce((lit, byte) => (byte === 0 ? lit : lit + 1), 0), 0);

async function createFrom(ebb: Ebb, other: Other, folder: string): Promise<VmId> {
  const { file } = await ebb.call('file.register', { path: other.iso(folder) });
  const { vmId, taskId } = await ebb.call('vm.create', {
    name: other.name,
    os: 'other',
    cpus: 1,
    minKib: (other.maxMib / 2) * MIB_KIB,
    maxKib: other.maxMib * MIB_KIB,
    source: { kind: 'iso', file, diskBytes: 2 ** 30 },
    balloon: true,
  });
  await ebb.done(taskId);
  return vmId;
}

async function screenOf(ebb: Ebb, vmId: VmId): Promise<Buffer> {
  const { png } = await ebb.call('vm.screen', { vmId });
  return Buffer.from(png ?? '', 'base64');
}

interface Looked {
  readonly told: Readonly<Record<string, unknown>>;
  readonly wrong: readonly string[];
}

async function look(ebb: Ebb, other: Other, folder: string): Promise<Looked> {
  const vmId = await createFrom(ebb, other, folder);
  const began = performance.now();
  await ebb.done((await ebb.call('vm.start', { vmId })).taskId);
  const screen = await waitFor(
    `the first screen of ${other.name}`,
    async () => {
      const png = await screenOf(ebb, vmId);
      writeFileSync(join(ARTIFACTS, `${other.name}.png`), png);
      return png.length > 0 && litBytes(png) >= other.lit ? png : null;
    },
    SCREEN_MS,
  );
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  // M4: nobody takes from a guest that cannot give.
  const { balloon, actualKib, bootKib } = await waitFor(
    'its balloon to be judged',
    async () => {
      const memory = await ebb.call('memory.show', { vmId });
      return memory.balloon === 'booting' ? null : memory;
    },
    SCREEN_MS,
  );
  const { phase } = await ebb.state(vmId);
  const lit = litBytes(screen);
  await ebb.stopVm(vmId, 'force');
  const wrong = [
    ...(phase === 'running' ? [] : [`${other.name}: is ${phase}`]),
    ...(other.hasDriver || balloon === 'no-driver' ? [] : [`${other.name}: no driver, and is ${balloon}`]),
    ...(other.hasDriver || actualKib === null || actualKib === bootKib
      ? []
      : [`${other.name}: has ${actualKib} of ${bootKib} KiB`]),
  ];
  const told = { name: other.name, phase, balloon, actualKib, bootKib, secondsToScreen: seconds, lit };
  return { told, wrong };
}

export async function run({ say, options }: SuiteOptions): Promise<SimOutcome> {
  const missing = [
    join(INSTALLER, 'linux'),
    MEMTEST,
    '/usr/lib/grub/i386-pc',
    '/usr/bin/xorriso',
    '/usr/bin/mformat',
  ];
  const absent = missing.filter(path => !existsSync(path));
  if (absent.length > 0)
    return {
      runs: 0,
      violations: [],
      switchOffs: [],
      void: [`${absent.join(', ')}: apt install ${PACKAGES}`],
    };
  mkdirSync(ARTIFACTS, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'ebb-t-others-'));
  const ebb = await Ebb.start(join(folder, 'data'));
  const looked: Looked[] = [];
  try {
    for (const other of OTHERS.filter(({ name }) => options.only === undefined || name === options.only)) {
      looked.push(await look(ebb, other, folder));
      say(JSON.stringify(looked.at(-1)));
    }
  } finally {
    await ebb.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    runs: looked.length,
    violations: looked.flatMap(({ wrong }) => wrong),
    switchOffs: [],
    told: looked.map(({ told }) => told),
  };
}
