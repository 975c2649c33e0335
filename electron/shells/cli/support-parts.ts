// What a support bundle contains: from the service only the fields named here, from the logs only their ends,
// and every text without what would reveal the person.
import type { AuditEntry } from '../../../shared/audit.ts';
import { logLine, parseLogLine } from '../../../shared/log.ts';
import { redactor } from '../../../shared/redact.ts';
import type { Client } from '../../../shared/rpc/client.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { MethodResult } from '../../../shared/rpc/table.ts';
import type { Timeline } from '../../../shared/timeline.ts';
import { discOf, type VmSummary } from '../../../shared/vm.ts';

const LEDGER_ENTRIES = 500;
const AUDIT_ENTRIES = 1000;
const PAGE = 200;

export interface Part {
  readonly name: string;
  /** What the part is, in the words of the list. */
  readonly about: string;
  readonly text: string;
}

export interface Found {
  readonly vms: readonly VmSummary[];
  readonly timelines: readonly { readonly vmId: string; readonly timeline: Timeline }[];
  readonly audit: readonly AuditEntry[];
  readonly parts: readonly Part[];
}
export const NOTHING_FOUND: Found = { vms: [], timelines: [], audit: [], parts: [] };

const json = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`;

async function auditEntries(client: Client<Contract>): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for (let beforeSeq: number | null = null; entries.length < AUDIT_ENTRIES; ) {
    const page: MethodResult<Contract, 'audit.list'> = await client.call('audit.list', {
      beforeSeq,
      limit: PAGE,
      all: true,
    });
    entries.push(...page.entries);
    beforeSeq = page.nextBeforeSeq;
    if (beforeSeq === null) break;
  }
  return entries;
}

const vmOf = ({ spec, state }: VmSummary) => ({
  id: spec.id,
  os: spec.os,
  cpus: spec.cpus,
  minKib: spec.minKib,
  maxKib: spec.maxKib,
  weight: spec.weight,
  balanced: spec.balanced,
  balloon: spec.balloon,
  diskBytes: spec.disks.map(({ virtualBytes }) => virtualBytes),
  boot: spec.boot.kind,
  network: spec.network,
  portForwards: spec.portForwards.length,
  phase: state.phase,
  since: state.since,
  accelerator: state.accelerator,
  guestUp: state.guestUp,
  coming: state.coming,
  error: state.error?.code ?? null,
});

const historyOf = ({ vmId, timeline }: Found['timelines'][number]) => ({
  vmId,
  nowBytes: timeline.nowBytes,
  settle: timeline.settle.state,
  points: timeline.moments.map(({ id, parentId, takenAt, kind, allocatedBytes }) => ({
    id,
    parentId,
    takenAt,
    kind,
    allocatedBytes,
  })),
  trash: timeline.trash.length,
});

/** Keeps numbers and booleans of an entry; leaves out every text, which may be a name that people gave. */
const auditOf = ({ seq, at, via, action, vmId, outcome, of, code, from, to, times }: AuditEntry) => {
  const plain = (values: AuditEntry['from']) =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => typeof value !== 'string'));
  return { seq, at, via, action, vmId, outcome, of, code, from: plain(from), to: plain(to), times };
};

/** Collects everything from a service that answers. */
export async function askService(client: Client<Contract>): Promise<Found> {
  const [{ vms }, doctor, host, { tasks }, { entries }, info] = await Promise.all([
    client.call('vm.list', {}),
    client.call('doctor.run', {}),
    client.call('memory.host', {}),
    client.call('task.list', {}),
    client.call('memory.ledger', { vmId: null, limit: LEDGER_ENTRIES }),
    client.call('app.info', {}),
  ]);
  const timelines: Found['timelines'][number][] = [];
  for (const { spec } of vms) {
    // A timeline that cannot be read is in the log.
    const timeline = await client.call('timeline.get', { vmId: spec.id }).catch(() => null);
    if (timeline !== null) timelines.push({ vmId: spec.id, timeline });
  }
  const audit = await auditEntries(client);
  const toldTasks = tasks.map(({ id, kind, vmId, state, startedAt, endedAt, error }) => ({
    id,
    kind,
    vmId,
    state,
    startedAt,
    endedAt,
    error: error?.code ?? null,
  }));
  const why = entries.map(({ at, result, text }) => `${new Date(at).toISOString()} ${result} ${text}`);
  const checks = doctor.checks.map(({ state, title, found }) => `${state} ${title}: ${found}`);
  return {
    vms,
    timelines,
    audit,
    parts: [
      {
        name: 'service.json',
        about: 'Version of the service',
        text: json({ version: info.version, pid: info.pid }),
      },
      { name: 'doctor.txt', about: 'The check of this computer', text: `${checks.join('\n')}\n` },
      { name: 'vms.json', about: 'VMs: sizes and states, no names', text: json(vms.map(vmOf)) },
      {
        name: 'histories.json',
        about: 'Points: times and sizes, no names or notes',
        text: json(timelines.map(historyOf)),
      },
      { name: 'memory.json', about: 'Memory of this computer and of each VM', text: json(host) },
      { name: 'ledger.txt', about: 'Why memory moved', text: `${why.join('\n')}\n` },
      { name: 'tasks.json', about: 'Tasks and how they ended', text: json(toldTasks) },
      { name: 'audit.json', about: 'Who changed what, without names', text: json(audit.map(auditOf)) },
    ],
  };
}

/** The names people gave to things, also to those that are gone, each with its placeholder. */
export function knownNames({ vms, timelines, audit }: Found): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const add = (name: unknown, as: string): void => {
    if (typeof name === 'string' && name.trim() !== '' && !names.has(name)) names.set(name, as);
  };
  for (const [index, { spec }] of vms.entries()) {
    add(spec.name, `<vm-${index + 1}>`);
    add(discOf(spec), '<file>');
  }
  for (const { timeline } of timelines)
    for (const { name, note } of [...timeline.moments, ...timeline.trash]) {
      add(name, '<point>');
      add(note, '<note>');
    }
  for (const { vmName, from, to } of audit) {
    add(vmName, '<vm>');
    for (const values of [from, to]) {
      add(values.name, '<name>');
      add(values.point, '<point>');
      for (const path of [values.path, values.socketPath]) if (typeof path === 'string') add(path, '<path>');
    }
  }
  return names;
}

export interface Logs {
  readonly name: string;
  readonly text: string;
}

/** The parts and the logs, each text without what would reveal the person. */
export function redactedParts(
  found: Found,
  logs: readonly Logs[],
  person: { readonly user: string; readonly host: string },
): Part[] {
  const redact = redactor({ names: knownNames(found), ...person });
  const line = (text: string): string => {
    const record = parseLogLine(text);
    return record === null
      ? redact(text)
      : logLine({ ...record, part: redact(record.part), text: redact(record.text) });
  };
  const told = logs
    .filter(({ text }) => text !== '')
    .map(({ name, text }) => ({
      name: `logs/${name}`,
      about: 'The end of a log, without names, paths and addresses',
      text: text.split('\n').map(line).join('\n'),
    }));
  // JSON parts hold no text of people (see above), and their ids must stay: the logs name them.
  const parts = found.parts.map(part =>
    part.name.endsWith('.json') ? part : { ...part, text: redact(part.text) },
  );
  return [...parts, ...told];
}
