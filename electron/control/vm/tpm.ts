// A VM's TPM: an swtpm process beside its QEMU, with its state in the VM's folder. swtpm ends by itself when
// QEMU disconnects, so the next control only has to end one whose QEMU never connected.
import * as z from 'zod';
import { Fault } from '../../../shared/result.ts';
import { tpmFolder } from './home-files.ts';
import { noTpm } from './host-parts.ts';
import { socketsIn } from './run-record.ts';
import type { SupervisorPorts, VmFolders } from './supervisor-port.ts';
import { until } from './wait.ts';

const SOCKET_UP = { timeoutMs: 10_000, stepMs: 20 };
const GONE = { timeoutMs: 5_000, stepMs: 20 };
const processSchema = z.object({ pid: z.int().positive(), started: z.string().min(1) });

const notePath = ({ run }: VmFolders): string => `${run}/tpm.json`;

export async function startTpm(folders: VmFolders, ports: SupervisorPorts): Promise<void> {
  const program = ports.parts.swtpm();
  if (program === null) throw noTpm('The VM and its disks are untouched.');
  await endTpm(folders, ports);
  const { tpm: socket } = socketsIn(folders.run);
  if (`${folders.home}${socket}`.includes(',')) throw commaInPath(folders.home);
  ports.makePrivateFolder(tpmFolder(folders));
  const log = `${folders.home}/tpm.log`;
  const args = ['socket', '--tpm2', '--terminate'];
  args.push('--tpmstate', `dir=${tpmFolder(folders)},mode=0600`, '--ctrl', `type=unixio,path=${socket}`);
  const { id } = await ports.spawn(program, args, log);
  ports.writeJson(notePath(folders), id);
  const isUp = await until(ports.clock, SOCKET_UP, () => {
    if (!ports.isAlive(id)) return 'ended';
    return ports.parts.bytesOf(socket) === null ? null : 'up';
  });
  if (isUp === 'up') return;
  const words = ports.readText(log).trim().slice(-600);
  throw new Fault({
    code: 'vm.start-failed',
    what: `The VM's TPM (swtpm) did not start. ${words === '' ? 'It left no message.' : `It said: ${words}`}`,
    safe: "The VM's disks, points and TPM state are untouched.",
    todo: "Run `ebb doctor`; the whole log is tpm.log in the VM's folder.",
  });
}

/** swtpm cannot escape a comma in an option: what follows it in the path would be read as more options. */
const commaInPath = (home: string): Fault =>
  new Fault({
    code: 'host.unsupported',
    what: `A VM with a TPM cannot run from ${home}: its path has a comma.`,
    safe: 'The VM and its disks are untouched.',
    todo: "Move Ebb's data to a folder without one (EBB_DATA), or leave the TPM out.",
  });

/** Ends an swtpm whose QEMU never connected, or died without disconnecting. */
export async function endTpm(folders: VmFolders, ports: SupervisorPorts): Promise<void> {
  const noted = processSchema.safeParse(ports.readJson(notePath(folders)));
  if (noted.success && ports.isAlive(noted.data)) {
    ports.end(noted.data, 'SIGTERM');
    await until(ports.clock, GONE, () => (ports.isAlive(noted.data) ? null : true));
    ports.end(noted.data, 'SIGKILL');
  }
  for (const path of [notePath(folders), socketsIn(folders.run).tpm]) ports.removeFile(path);
}
