// Composition, the part about IT policy: where its files are, and who hears when it changes.

import { orThrow } from '../../../shared/result.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { Topics } from '../../../shared/rpc/topics.ts';
import { systemClock } from '../../platform/clock.ts';
import { readJson, writeJson } from '../../platform/json-file.ts';
import {
  readAddedFolder,
  readPolicyFolder,
  realFolder,
  systemPolicyFolder,
} from '../../platform/policy-files.ts';
import type { Audit } from '../audit/audit.ts';
import type { Machines } from '../machines/machines.ts';
import type { PeekDesk } from '../machines/peek.ts';
import { checkPolicy } from '../memory/budget.ts';
import type { MemoryManager } from '../memory/manager.ts';
import type { PointServer } from '../points/point-server.ts';
import { PolicyDesk } from '../policy/desk.ts';
import { type Ask, askOf } from '../policy/guard.ts';
import { builtIn, memoryPolicyOf, requireMemoryChange, userValues } from '../policy/memory-rules.ts';
import { OrderRules } from '../policy/order-rules.ts';
import { type LastGood, type LayerFolder, lastGoodOf } from '../policy/reading.ts';
import type { ConsoleStreams } from '../screens/console-streams.ts';
import type { SerialLines } from '../serial/lines.ts';
import type { Catalog, StoredMemoryPolicy } from '../store/catalog.ts';
import { policyAudited } from './audit.ts';
import type { ControlInput } from './compose.ts';

const LAYERS = ['managed', 'recommended'] as const;

/**
 * The policy folders: always the system's. One more folder, from the command line that starts control, can
 * only add rules: of two rules the stricter wins, and the system's where neither is; a folder that is not an
 * administrator's permits nothing (headless.network). So whoever starts control by hand loosens nothing.
 */
function look(extra: string | undefined): LayerFolder[] {
  const found = (folder: string, read: (path: string) => Omit<LayerFolder, 'layer'>): LayerFolder[] =>
    LAYERS.map(layer => ({ layer, ...read(`${folder}/${layer}`) }));
  return [
    ...found(systemPolicyFolder(), path => readPolicyFolder(path)),
    ...(extra === undefined ? [] : found(extra, path => readAddedFolder(path))),
  ];
}

export function policyDesk(
  { paths, log, policyFolder }: ControlInput,
  catalog: Catalog,
  totalKib: number,
): PolicyDesk {
  const path = `${paths.dataFolder}/policy-last-good.json`;
  return new PolicyDesk({
    clock: systemClock,
    look: () => look(policyFolder),
    lastGood: {
      read: (): LastGood => lastGoodOf(readJson(path)),
      write: texts => writeJson(path, texts),
    },
    user: () => userValues(catalog.memoryPolicy() ?? {}),
    defaults: () => builtIn(totalKib),
    log,
  });
}

const orderRules = ({ paths }: ControlInput, desk: PolicyDesk): OrderRules =>
  new OrderRules({
    policy: () => desk.policy,
    real: realFolder,
    uploadFolder: paths.uploadFolder,
    exportsFolder: `${paths.dataFolder}/exports`,
  });

export interface PolicyListeners {
  readonly desk: PolicyDesk;
  readonly memory: MemoryManager;
  readonly machines: Machines;
  readonly topics: Topics<Contract>;
  readonly totalKib: number;
  readonly log: (line: string) => void;
}

/** Brings what runs within the limits at once. */
export function applyPolicy({ desk, memory, machines, topics, totalKib, log }: PolicyListeners): void {
  const { policy } = desk;
  const set = memory.setPolicy(memoryPolicyOf(policy, totalKib));
  if (!set.ok) log(`policy: ${set.refusal.what}`);
  machines.hearAll();
  if (!policy.may('memory.free')) memory.free(0, 0);
  topics.publish('policy', null, desk.report());
}

/** Ends what was opened while it was allowed, and is not any more: without this it would go on. */
export const endForbidden =
  (
    desk: Pick<PolicyDesk, 'policy'>,
    parts: {
      readonly consoles: Pick<ConsoleStreams, 'endOfBrowsers'>;
      readonly serials: Pick<SerialLines, 'endOfBrowsers'>;
      readonly pointServer: Pick<PointServer, 'endAll'>;
      readonly peeks: Pick<PeekDesk, 'endAll'>;
    },
  ) =>
  (): void => {
    const { policy } = desk;
    for (const part of policy.may('headless.console') ? [] : [parts.consoles, parts.serials])
      part.endOfBrowsers();
    if (!policy.may('export.serve')) parts.pointServer.endAll();
    if (!policy.may('history.goBack')) void parts.peeks.endAll();
  };

/** From now on all parts hear of every change of the policy. */
export function bindPolicy(
  input: ControlInput,
  {
    figures,
    audit,
    ...told
  }: Omit<PolicyListeners, 'totalKib'> & {
    readonly figures: () => { readonly totalKib: number };
    readonly audit: Audit;
  },
) {
  const bound = { ...told, totalKib: figures().totalKib };
  bound.desk.onChange(() => applyPolicy(bound));
  bound.desk.onChange(policyAudited(audit, bound.desk));
  return { rules: orderRules(input, bound.desk), bound };
}

/** Takes what people set: durable and in force when it returns. Faults: policy.denied, memory.bad-range. */
export function setMemoryPolicy(
  { desk, memory, totalKib }: Pick<PolicyListeners, 'desk' | 'memory' | 'totalKib'>,
  catalog: Catalog,
  change: { readonly [N in keyof StoredMemoryPolicy]?: StoredMemoryPolicy[N] | undefined },
): void {
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  requireMemoryChange(desk.policy, given);
  orThrow(checkPolicy({ ...memory.policy, ...given }, totalKib));
  catalog.putMemoryPolicy({ ...catalog.memoryPolicy(), ...given });
  desk.userChanged();
}

/** Asks the policy about every call, whoever makes it; logs what is refused. */
export const policyAsk = (
  { desk, log }: Pick<PolicyListeners, 'desk' | 'log'>,
  catalog: Pick<Catalog, 'get'>,
): Ask =>
  askOf(
    () => desk.policy,
    vmId => catalog.get(vmId) ?? null,
    (method, error) => log(`refused ${method}: ${String(error)}`),
  );
