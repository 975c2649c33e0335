// Composition, the part about setting up VMs: what of it is this computer's (firmware, TPMs, ports, QEMU's
// machine types).
import { bootId } from '../../platform/boot-id.ts';
import { systemClock } from '../../platform/clock.ts';
import { portState } from '../../platform/host-ports.ts';
import { readJson, removeFile, writeJson } from '../../platform/json-file.ts';
import type { EbbPaths } from '../../platform/paths.ts';
import { findProgram, runTool } from '../../platform/process.ts';
import { bytesOf, copyDurably } from '../../platform/vm-files.ts';
import { machineFolders } from '../machines/machine-folders.ts';
import type { Machines } from '../machines/machines.ts';
import { Autostart } from '../setup/autostart.ts';
import { SetupDesk, type SetupPorts } from '../setup/desk.ts';
import { newestMachine } from '../setup/machine-type.ts';
import { VarsChange } from '../setup/vars-change.ts';
import type { Tasks } from '../tasks/tasks.ts';
import { findFirmware } from '../vm/host-parts.ts';
import type { PartsPort } from '../vm/supervisor-port.ts';
import { setClock } from './moments.ts';

export const hostPartsPort: PartsPort = {
  swtpm: () => findProgram('swtpm'),
  firmware: (firmware, varsBytes) => findFirmware(firmware, bytesOf, varsBytes),
  bytesOf,
  copyDurably,
};

export const QEMU = 'qemu-system-x86_64';
const HELP_TIMEOUT_MS = 10_000;

function setupDesk(
  paths: EbbPaths,
  { machines, ready, cpu }: Pick<SetupPorts, 'machines' | 'ready' | 'cpu'>,
  qemu: () => string | null,
  log: (line: string) => void,
): SetupDesk {
  const { home, forgetUefiVars } = machineFolders(paths);
  return new SetupDesk({
    machines,
    ready,
    cpu,
    parts: hostPartsPort,
    portState,
    newestMachine: async () => {
      const program = qemu();
      if (program === null) return null;
      const { stdout } = await runTool(program, ['-machine', 'help'], { timeoutMs: HELP_TIMEOUT_MS });
      return newestMachine(stdout);
    },
    vars: new VarsChange({ readJson, writeJson, removeFile, home, forgetVars: forgetUefiVars, log }),
    setClock,
  });
}

function autostart(
  { dataFolder }: EbbPaths,
  { machines, setup, tasks }: { machines: Machines; setup: SetupDesk; tasks: Tasks },
  log: (line: string) => void,
): Autostart {
  const path = `${dataFolder}/autostart.json`;
  return new Autostart({
    clock: systemClock,
    bootId: bootId(),
    readNote: () => readJson(path),
    writeNote: note => writeJson(path, note),
    vms: () => machines.list().map(({ spec, state }) => ({ ...spec, isRunning: state.pid !== null })),
    start: vmId =>
      new Promise(resolve => {
        if (tasks.isBusy(vmId)) return resolve();
        const title = `Start ${machines.spec(vmId).name}`;
        tasks.start({
          kind: 'vm.start',
          vmId,
          title,
          canCancel: true,
          work: ({ step, signal }) => setup.start(vmId, signal, step).finally(resolve),
        });
      }),
    log,
  });
}

export function setupParts(
  paths: EbbPaths,
  { machines, tasks, ready, cpu }: Pick<SetupPorts, 'machines' | 'ready' | 'cpu'> & { readonly tasks: Tasks },
  log: (line: string) => void,
) {
  const setup = setupDesk(paths, { machines, ready, cpu }, () => findProgram(QEMU), log);
  return { setup, autostarts: autostart(paths, { machines, setup, tasks }, log) };
}
