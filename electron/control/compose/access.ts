// Composition, the part about people who come from elsewhere.
import { basename } from 'node:path';
import type { VmId } from '../../../shared/ids.ts';
import { systemClock } from '../../platform/clock.ts';
import { systemPolicyFolder } from '../../platform/policy-files.ts';
import { systemRandom } from '../../platform/random.ts';
import { lookAtFile } from '../../platform/vm-files.ts';
import { AccessDesk } from '../access/desk.ts';
import { accessHandlers } from '../access/handlers.ts';
import { noBrowsers, noNetwork } from '../access/refusals.ts';
import { openAccessStore } from '../access/store.ts';
import type { Audit } from '../audit/audit.ts';
import { sha256 } from '../audit/handlers.ts';
import { Downloads } from '../points/downloads.ts';
import type { PolicyDesk } from '../policy/desk.ts';
import type { OrderRules } from '../policy/order-rules.ts';
import type { Catalog } from '../store/catalog.ts';
import type { Tasks } from '../tasks/tasks.ts';
import type { ControlInput } from './compose.ts';

export function accessParts(catalog: Catalog, policy: PolicyDesk, audit: Audit, log: ControlInput['log']) {
  const requireNetwork = (): void => {
    if (policy.policy.may('headless.network')) return;
    // Where a policy file forbids it, the refusal says why; where none speaks of it, how to permit it.
    if (policy.policy.keys['headless.network'].valueBy === null)
      throw noNetwork(`${systemPolicyFolder()}/managed`);
    policy.policy.require('headless.network');
  };
  const access = new AccessDesk({
    store: openAccessStore(catalog.db),
    clock: systemClock,
    random: systemRandom,
    hash: sha256,
    requireBrowsers: () => {
      if (!policy.policy.may('headless.access')) throw noBrowsers(policy.policy);
    },
    requireNetwork,
    warn: text => log(text, 'warn'),
  });
  return { access, accessing: accessHandlers(access, audit, requireNetwork) };
}

export const downloadsOf = (
  { tasks, rules, desk, audit }: { tasks: Tasks; rules: OrderRules; desk: PolicyDesk; audit: Audit },
  nameOf: (vmId: VmId) => string,
) =>
  new Downloads({
    clock: systemClock,
    random: systemRandom,
    made: taskId => tasks.made(taskId),
    look: lookAtFile,
    require: order => {
      desk.policy.require('export.downloads');
      rules.require(order);
    },
    denied: (user, { vmId, path }, code) => {
      const by = user === '' ? {} : { by: user };
      const about = { via: 'browser', ...by, action: 'moment.download', vmId, vmName: nameOf(vmId) } as const;
      audit.denied({ ...about, from: {}, to: { file: basename(path).slice(0, 255) } }, code);
    },
  });
