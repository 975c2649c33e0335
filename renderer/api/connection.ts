// The one connection of the page: opens it, opens it again, and mirrors every topic into the stores. Nothing
// else writes the stores of server state.
import type { VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import { type CallParams, type Client, connectClient } from '../../shared/rpc/client.ts';
import { type Contract, contract } from '../../shared/rpc/contract.ts';
import type { MethodName, MethodResult } from '../../shared/rpc/table.ts';
import type { Timeline } from '../../shared/timeline.ts';
import { isKept, type VmSummary } from '../../shared/vm.ts';
import { noteTask } from '../state/own-tasks.ts';
import { LEDGER_MAX, mirrorHost, serviceStore } from '../state/service.ts';
import { cleanAll } from '../view/clean.ts';
import { lossOf } from '../view/faults.ts';
import { calmly, whileSeen } from './seen.ts';
import { exchangeToken, NotSignedIn, openChannel } from './session.ts';

export type EbbClient = Client<Contract>;

const RETRY_MS = [300, 600, 1200, 2500, 5000];
const ASK_MS = 400;
/** The host's figures are mirrored no more often: nobody reads faster. */
const HOST_MS = 250;
/** Timelines are small; a limit all the same. */
const TIMELINES_MAX = 200;

let client: EbbClient | null = null;
const timelines = new Map<VmId, () => void>();
/** How many timelines of each VM have arrived, by the topic or as an answer. */
const heardOf = new Map<VmId, number>();

export const currentClient = (): EbbClient | null => client;

/** Refusals and faults arrive as `Fault`; a closed connection too. */
export async function call<M extends MethodName<Contract>>(
  method: M,
  params: CallParams<Contract, M>,
): Promise<MethodResult<Contract, M>> {
  if (client === null) {
    throw new Fault({
      code: 'rpc.unavailable',
      what: 'The window is not connected to the Ebb service.',
      safe: 'VMs keep running without it. Nothing was changed.',
      todo: 'Wait until the window is connected again, then repeat this.',
    });
  }
  const result = cleanAll(await client.call(method, params));
  noteTask(result);
  return result;
}

function followTimelines(connected: EbbClient, vms: readonly VmSummary[]): void {
  const kept = vms.map(({ spec }) => spec).filter(isKept);
  const wanted = new Set(kept.slice(0, TIMELINES_MAX).map(({ id }) => id));
  for (const [vmId, stop] of timelines) {
    if (wanted.has(vmId)) continue;
    stop();
    timelines.delete(vmId);
    serviceStore.setState(state => ({ timelines: without(state.timelines, vmId) }));
  }
  for (const vmId of wanted) {
    if (timelines.has(vmId)) continue;
    timelines.set(
      vmId,
      connected.subscribe('timeline', vmId, timeline => keepTimeline(vmId, cleanAll(timeline))),
    );
    // The timeline is also asked for, once the list is drawn: a service that just started may not have
    // published it yet, and the newest published one may be from before its database was lost.
    setTimeout(() => {
      if (client === connected && timelines.has(vmId)) askTimeline(vmId).catch(() => undefined);
    }, ASK_MS);
  }
}

function keepTimeline(vmId: VmId, timeline: Timeline): void {
  heardOf.set(vmId, (heardOf.get(vmId) ?? 0) + 1);
  serviceStore.setState(state => ({
    timelines: { ...state.timelines, [vmId]: timeline },
    timelineErrors: without(state.timelineErrors, vmId),
  }));
}

/** Asks for a timeline, also one that could not be read before. A value from the topic meanwhile is newer. */
export async function askTimeline(vmId: VmId): Promise<void> {
  const before = heardOf.get(vmId);
  try {
    const timeline = await call('timeline.get', { vmId });
    if (heardOf.get(vmId) === before) keepTimeline(vmId, timeline);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    // The topic may have told a value from before the database was lost: it keeps the newest it had.
    if (heardOf.get(vmId) === before || lossOf(error.body) !== null)
      serviceStore.setState(state => ({
        timelineErrors: { ...state.timelineErrors, [vmId]: error.body },
      }));
  }
}

const without = <T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> =>
  key in record ? Object.fromEntries(Object.entries(record).filter(([name]) => name !== key)) : record;

/** Mirrors every topic into the stores; returns the function that ends it. */
function mirror(connected: EbbClient): () => void {
  const stops = [
    connected.subscribe('vms', null, told => {
      const { vms } = cleanAll(told);
      serviceStore.setState({ vms });
      followTimelines(connected, vms);
    }),
    connected.subscribe(
      'host',
      null,
      calmly(HOST_MS, host => mirrorHost(host, Date.now())),
    ),
    connected.subscribe('ranges', null, ({ ranges }) =>
      serviceStore.setState({
        ranges: Object.fromEntries(ranges.map(({ vmId, ...undo }) => [vmId, undo])),
      }),
    ),
    connected.subscribe('policy', null, policy => serviceStore.setState({ policy })),
    connected.subscribe('histories', null, ({ histories }) =>
      serviceStore.setState({ histories: Object.fromEntries(histories.map(one => [one.vmId, one])) }),
    ),
    connected.subscribe('audit', null, ({ seq }) => serviceStore.setState({ auditSeq: seq })),
    connected.subscribe('tasks', null, told => serviceStore.setState({ tasks: cleanAll(told).tasks })),
    connected.subscribe('ledger', null, entry =>
      serviceStore.setState(state => ({
        ledger: [cleanAll(entry), ...state.ledger.filter(known => known.seq !== entry.seq)].slice(
          0,
          LEDGER_MAX,
        ),
      })),
    ),
  ];
  return () => {
    for (const stop of [...stops, ...timelines.values()]) stop();
    timelines.clear();
  };
}

/** State topics arrive by themselves once published; asking as well fills the screen at once. */
async function fill(connected: EbbClient): Promise<void> {
  const [info, { vms }, host, { entries }, { tasks }] = await Promise.all([
    connected.call('app.info', {}),
    call('vm.list', {}),
    connected.call('memory.host', {}),
    call('memory.ledger', { vmId: null, limit: LEDGER_MAX }),
    call('task.list', {}),
  ]);
  serviceStore.setState(state => ({
    info,
    vms: state.vms ?? vms,
    tasks: state.tasks.length > 0 ? state.tasks : tasks,
    ledger: entries,
  }));
  if (serviceStore.getState().host === null) mirrorHost(host, Date.now());
  followTimelines(connected, vms);
}

async function connectOnce(): Promise<void> {
  const connected = connectClient(contract, await openChannel());
  await connected.ready;
  client = connected;
  const ended = new Promise<void>(resolve => connected.onClose(resolve));
  timelines.clear();
  // The stores may hold old values from before the break: the topics overwrite them.
  serviceStore.setState({ connection: 'connected', problem: null });
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const stop = whileSeen(() => {
    serviceStore.setState(state => ({ samples: {}, looks: state.looks + 1 }));
    const stopMirror = mirror(connected);
    // If the connection ends while `fill` runs, its errors do not matter.
    Promise.race([fill(connected), ended]).catch(fail);
    return stopMirror;
  });
  try {
    await Promise.race([ended, failed]);
  } finally {
    stop();
    connected.close();
  }
  client = null;
  serviceStore.setState({ connection: 'reconnecting' });
}

/** Runs as long as the page lives. */
export async function keepConnected(): Promise<void> {
  const notIn = await exchangeToken();
  for (let attempt = 0; ; attempt += 1) {
    try {
      await connectOnce();
      attempt = -1;
    } catch (error) {
      client = null;
      const mismatch = error instanceof Fault && error.body.code === 'rpc.version-mismatch';
      const connection =
        error instanceof NotSignedIn ? 'signed-out' : mismatch ? 'incompatible' : 'reconnecting';
      serviceStore.setState(state => ({
        connection: connection === 'reconnecting' && state.vms === null ? 'connecting' : connection,
        problem:
          error instanceof Fault ? error.body : error instanceof NotSignedIn ? (notIn ?? error.why) : null,
      }));
      // Only a new link helps, and that loads a new page.
      if (connection === 'signed-out') return;
    }
    const wait = RETRY_MS[Math.min(Math.max(attempt, 0), RETRY_MS.length - 1)] ?? 5000;
    await new Promise(resolve => setTimeout(resolve, wait));
  }
}
