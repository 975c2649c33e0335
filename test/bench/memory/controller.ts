// What the controller costs with four VMs, at rest and busy, over simulated time: QMP commands counted where they leave the
// session, what the ledger grows by in a real database, processor time. QEMU's end, sockets and /proc are left out.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openMemoryJournal } from '../../../electron/control/memory/journal.ts';
import { MemoryManager } from '../../../electron/control/memory/manager.ts';
import { QmpSession } from '../../../electron/control/qmp/session.ts';
import { Guest } from '../../../electron/control/vm/guest.ts';
import { SimClock, settled } from '../../sim/memory/clock.ts';
import { SimGuest } from '../../sim/memory/guest.ts';
import { type Curve, load, steady, workday } from '../../sim/memory/loads.ts';
import { overheadMib } from '../../sim/memory/running.ts';
import { specOf } from '../../sim/memory/specs.ts';
import { FakeQmp } from '../../support/fake-qemu.ts';
import { uuid } from '../../support/memory-world.ts';
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { Seeded } from '../../support/seeded.ts';

const MIB = 1024;
const VMS = 4;
const TOTAL_MIB = 16_384;
const HOST_MIB = 3000;
const STEP_MS = 250;
const EPOCH_MS = 1_700_000_000_000;
const DAY_S = 86_400;

interface Cost {
  readonly commandsPerMin: number;
  readonly ledgerMibPerDay: number;
  readonly cpuPercent: number;
}

/** QEMU's answers, of a simulated guest. */
function answerOf(guest: SimGuest, asked: { readonly execute: string }): unknown {
  const { actualKib, stats, driverReady } = guest.sample(EPOCH_MS);
  const bytes = (kib: number | null | undefined): number => (kib ?? -1) * MIB;
  switch (asked.execute) {
    case 'query-status':
      return { status: 'running', running: true };
    case 'x-query-virtio-status':
      return { status: { statuses: driverReady ? ['VIRTIO_CONFIG_S_DRIVER_OK: ready'] : [] } };
    case 'query-balloon':
      return { actual: bytes(actualKib) };
    case 'balloon':
      guest.ask((asked as unknown as { arguments: { value: number } }).arguments.value / 2 ** 20);
      return {};
    case 'qom-get':
      return {
        stats: {
          'stat-total-memory': bytes(stats?.totalKib),
          'stat-free-memory': bytes(stats?.freeKib),
          'stat-available-memory': bytes(stats?.availableKib),
          'stat-disk-caches': bytes(stats?.cachesKib),
          'stat-swap-in': bytes(stats?.swapInKib),
          'stat-swap-out': bytes(stats?.swapOutKib),
          'stat-major-faults': stats?.majorFaults ?? -1,
        },
        'last-update': Math.floor((stats?.updatedAtMs ?? 0) / 1000),
      };
    default:
      return {};
  }
}

function guestOf(n: number, curve: Curve, random: Seeded): SimGuest {
  const spec = specOf(n, { minMib: 1024, maxMib: 6144 });
  const setup = {
    spec,
    bootMib: 6144,
    startMib: 2000,
    kind: 'normal' as const,
    bootSeconds: 0,
    swapMib: 1024,
    overheadMib: Math.floor(overheadMib(6144)),
    load: load(curve, 200),
    random,
  };
  return new SimGuest(setup, 0, true);
}

async function costOf(curves: readonly Curve[], seconds: number, folder: string): Promise<Cost> {
  const [clock, random] = [new SimClock(), new Seeded(1)];
  const db = new Database(join(folder, 'catalog.db'));
  const guests = curves.map((curve, index) => guestOf(index + 1, curve, random));
  const held = (): number => guests.reduce((sum, guest) => sum + guest.residentMib, HOST_MIB);
  const manager = new MemoryManager({
    clock,
    random: { uuid: () => uuid(random.next()), bytes: length => new Uint8Array(length) },
    journal: openMemoryJournal(db),
    host: () => ({
      totalKib: TOTAL_MIB * MIB,
      availableKib: Math.round((TOTAL_MIB - held()) * MIB),
      ownKib: 0,
      stalled: null,
    }),
    log: line => {
      throw new Error(line);
    },
  });
  const wires: FakeQmp[] = [];
  for (const guest of guests) {
    const wire = new FakeQmp();
    wires.push(wire);
    const qmp = await QmpSession.open(wire, clock);
    wire.answer = asked => answerOf(guest, asked);
    const residentKib = (): number => Math.round(guest.residentMib * MIB);
    const port = new Guest({
      vmId: guest.id,
      pid: wires.length,
      qmp,
      hasBalloon: true,
      residentKib,
      freshResidentKib: async () => residentKib(),
      agent: () => null,
    });
    manager.adopt(guest.setup.spec, guest.setup.bootMib * MIB, port);
  }
  manager.begin();
  const asked = (): number => wires.reduce((sum, wire) => sum + wire.asked.length, 0);
  let [before, cpuMs] = [0, 0];
  const warmMs = 60_000;
  while (clock.monotonicMs() < warmMs + seconds * 1000) {
    for (const guest of guests) guest.step(STEP_MS / 1000, clock.monotonicMs() / 1000);
    const cpu = process.cpuUsage();
    await clock.advance(STEP_MS);
    await settled();
    const { user, system } = process.cpuUsage(cpu);
    if (clock.monotonicMs() <= warmMs) {
      before = asked();
      db.exec('DELETE FROM memory_ledger WHERE seq < (SELECT max(seq) FROM memory_ledger)');
    } else cpuMs += (user + system) / 1000;
  }
  manager.stop();
  const sql =
    'SELECT coalesce(sum(length(body) + length(vms) + length(coalesce(input, 0))), 0) AS bytes FROM memory_ledger';
  const { bytes } = db.prepare<[], { bytes: number }>(sql).get() ?? { bytes: 0 };
  db.close();
  return {
    commandsPerMin: ((asked() - before) * 60) / seconds,
    ledgerMibPerDay: (bytes * DAY_S) / seconds / 2 ** 20,
    cpuPercent: cpuMs / seconds / 10,
  };
}

const reported = (work: string, ours: number): BenchRow => ({
  work,
  peer: 'none',
  ours,
  theirs: ours,
  ratio: 1,
  spread: 0,
  target: 'reported',
  met: true,
});

export async function controller({ seed, quick }: SuiteOptions): Promise<BenchRow[]> {
  const seconds = quick ? 600 : 3600;
  const random = new Seeded(seed);
  const day = { low: 500, high: 5200, holdS: [30, 150], riseMibPerS: 120, seconds: seconds + 60 } as const;
  const loads: Readonly<Record<string, readonly Curve[]>> = {
    'at rest': Array.from({ length: VMS }, () => steady(1200)),
    busy: Array.from({ length: VMS }, () => workday(random, day)),
  };
  const rows: BenchRow[] = [];
  for (const [name, curves] of Object.entries(loads)) {
    const folder = mkdtempSync(join(tmpdir(), 'ebb-bench-memory-'));
    try {
      const cost = await costOf(curves, seconds, folder);
      rows.push(
        reported(`controller, ${VMS} VMs ${name}: QMP commands a minute`, cost.commandsPerMin),
        reported(`controller, ${VMS} VMs ${name}: ledger, MiB a day`, cost.ledgerMibPerDay),
        reported(`controller, ${VMS} VMs ${name}: processor, % of a core, sockets left out`, cost.cpuPercent),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return rows;
}
