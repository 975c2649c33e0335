// Long work under policy. The policy is asked when work is ordered and again when it begins: that may be in
// the next control, under another policy, from a journal that somebody has edited.
import { dirname } from 'node:path';
import type { Order } from '../tasks/task-orders.ts';
import type { Policy } from './policy.ts';
import { isBelow } from './resolve.ts';

export interface OrderPorts {
  readonly policy: () => Policy;
  /** The path without links; unchanged where there is no such folder. */
  readonly real: (path: string) => string;
  readonly uploadFolder: string;
  readonly exportsFolder: string;
}

/** Refuses where no VM may be made, or none from this source. */
export function requireSource(
  policy: Policy,
  source: { readonly kind: string; readonly format?: string },
): void {
  policy.require('vm.create');
  policy.requireWord('vm.sources', source.kind);
  if (source.kind === 'disk' && source.format !== undefined)
    policy.requireWord('import.formats', source.format);
}

export class OrderRules {
  readonly #ports: OrderPorts;

  constructor(ports: OrderPorts) {
    this.#ports = ports;
  }

  /** Refuses a file that may not be used. `path` is real: no links. */
  requireFile(path: string): void {
    const policy = this.#ports.policy();
    if (isBelow(this.#ports.real(this.#ports.uploadFolder), path)) policy.require('import.uploads');
    else policy.requireFolder('import.folders', path);
  }

  require(order: Order): void {
    const policy = this.#ports.policy();
    switch (order.what) {
      case 'create':
        requireSource(policy, order.source);
        if ('file' in order.source) this.requireFile(this.#ports.real(order.source.file.path));
        return;
      case 'clone':
        return policy.require('vm.clone');
      case 'insert':
        policy.requireWord('vm.sources', 'iso');
        return this.requireFile(this.#ports.real(order.file.path));
      case 'export':
        return this.#requireExport(order.format, order.path);
      case 'export-delta':
        return this.#requireExport('vhd', order.path);
      case 'import-delta':
        policy.require('import.updates');
        return this.requireFile(this.#ports.real(order.file.path));
      case 'verify':
      case 'compact':
        return;
    }
  }

  #requireExport(format: string, path: string): void {
    const policy = this.#ports.policy();
    policy.requireWord('export.formats', format);
    this.requireOut(dirname(path));
  }

  /** Refuses a folder that files of points may not be written to. The exports folder always may. */
  requireOut(path: string): void {
    const { policy, real, exportsFolder } = this.#ports;
    const folder = real(path);
    if (!isBelow(real(exportsFolder), folder)) policy().requireFolder('export.folders', folder);
  }
}
