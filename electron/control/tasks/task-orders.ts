// Orders: long work as plain data, enough for this control or the next one to do it. An order that comes from
// the journal is parsed here.
import { basename } from 'node:path';
import * as z from 'zod';
import { diskIdSchema, type PointId, pointIdSchema, vmIdSchema } from '../../../shared/ids.ts';
import type { TaskKind } from '../../../shared/task.ts';
import { exportFormatSchema } from '../../../shared/timeline.ts';
import { diskFormatSchema, vmSpecSchema } from '../../../shared/vm.ts';
import { cloudInitSchema } from '../../../shared/vm-setup.ts';
import type { Clock } from '../../platform/ports.ts';
import type { StorageClient } from '../../storage/client.ts';
import type { Cloner } from '../machines/clone.ts';
import type { Drives } from '../machines/drives.ts';
import type { Machines } from '../machines/machines.ts';
import { compactHistory } from '../points/compact.ts';
import type { DeltaExporter } from '../points/delta-export.ts';
import type { DeltaImporter } from '../points/delta-import.ts';
import type { PointWriter } from '../points/point-writer.ts';
import type { HistoryChecks } from '../points/verify.ts';
import type { OrderRules } from '../policy/order-rules.ts';
import type { Work } from './tasks.ts';

const vmId = vmIdSchema;
const fileSchema = z.object({
  path: z.string(),
  name: z.string(),
  bytes: z.number(),
  modifiedMs: z.number(),
});
const imageSchema = z.object({
  file: fileSchema,
  format: diskFormatSchema,
  virtualBytes: z.number(),
  dataBytes: z.number(),
  uuid: z.string().optional(),
});
const sourceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['sample', 'empty']), diskBytes: z.number() }),
  z.object({ kind: z.literal('iso'), file: fileSchema, diskBytes: z.number() }),
  z.object({
    kind: z.literal('disk'),
    file: fileSchema,
    format: diskFormatSchema,
    history: z.boolean().optional(),
  }),
]);

const orderSchema = z.discriminatedUnion('what', [
  z.object({
    what: z.literal('create'),
    spec: vmSpecSchema,
    image: imageSchema.nullable(),
    source: sourceSchema,
    cloudInit: cloudInitSchema.nullable().default(null),
  }),
  z.object({
    what: z.literal('clone'),
    from: vmSpecSchema,
    momentName: z.string(),
    spec: vmSpecSchema,
    copies: z.array(z.object({ pointId: pointIdSchema, diskId: diskIdSchema })).readonly(),
    linked: z.boolean(),
  }),
  z.object({
    what: z.literal('export'),
    vmId,
    pointId: pointIdSchema,
    format: exportFormatSchema,
    path: z.string(),
  }),
  z.object({
    what: z.literal('export-delta'),
    vmId,
    from: pointIdSchema,
    to: pointIdSchema,
    path: z.string(),
  }),
  z.object({
    what: z.literal('import-delta'),
    vmId,
    file: fileSchema,
    parent: pointIdSchema,
    name: z.string(),
    note: z.string(),
    origin: z.string(),
  }),
  z.object({ what: z.literal('insert'), vmId, file: fileSchema, discId: z.uuid() }),
  z.object({ what: z.literal('verify'), vmId }),
  z.object({ what: z.literal('compact'), vmId }),
]);
export type Order = Readonly<z.infer<typeof orderSchema>>;

export interface OrderParts {
  readonly machines: Machines;
  readonly cloner: Cloner;
  readonly drives: Drives;
  readonly pointWriter: PointWriter;
  readonly deltaExporter: DeltaExporter;
  readonly deltaImporter: DeltaImporter;
  readonly checks: HistoryChecks;
  readonly storage: StorageClient;
  readonly clock: Clock;
  readonly rules: OrderRules;
}

export const KIND_OF = {
  create: 'vm.create',
  clone: 'vm.clone',
  insert: 'vm.insert',
  export: 'moment.export',
  'export-delta': 'moment.export',
  'import-delta': 'moment.import-delta',
  verify: 'vm.verify',
  compact: 'vm.compact',
} as const satisfies Readonly<Record<Order['what'], TaskKind>>;

/** The work asks the policy when it begins: the policy may have changed since the order was given. */
export function workOf(order: Order, parts: OrderParts): Work {
  const work = allowedWork(order, parts);
  return async run => {
    parts.rules.require(order);
    await work(run);
  };
}

function allowedWork(order: Order, parts: OrderParts): Work {
  switch (order.what) {
    case 'create':
      return run => parts.machines.create(order, order.source, run);
    case 'clone':
      return run => parts.cloner.create(order, run);
    case 'insert':
      return run => parts.drives.insert(order, run);
    case 'export':
      return run => parts.pointWriter.write(order, run);
    case 'export-delta':
      return run => parts.deltaExporter.write(order, run);
    case 'import-delta':
      return run => parts.deltaImporter.run(order, run);
    case 'verify':
      return run => parts.checks.run(order.vmId, run);
    case 'compact':
      return run => compactHistory(parts, order.vmId, run);
  }
}

/** The points that an order reads. None: it reads none, or an Ebb of another version wrote it. */
export function pointsReadBy(order: unknown): PointId[] {
  const { success, data } = orderSchema.safeParse(order);
  if (!success) return [];
  switch (data.what) {
    case 'clone':
      return data.copies.map(({ pointId }) => pointId);
    case 'export':
      return [data.pointId];
    case 'export-delta':
      return [data.from, data.to];
    case 'import-delta':
      return [data.parent];
    case 'create':
    case 'insert':
    case 'verify':
    case 'compact':
      return [];
  }
}

export type ExportOrder = Extract<Order, { readonly what: 'export' | 'export-delta' }>;

/** Null: the order makes no file, or an Ebb of another version wrote it. */
export function exportIn(order: unknown): ExportOrder | null {
  const { data } = orderSchema.safeParse(order);
  return data?.what === 'export' || data?.what === 'export-delta' ? data : null;
}

/** The name of the file that an order makes; null: it makes none. */
export function fileOf(order: unknown): string | null {
  const path = exportIn(order)?.path;
  return path === undefined ? null : basename(path).slice(0, 255);
}

/** Null: an Ebb of another version wrote the order, and this one cannot read it. */
export function workAgain(order: unknown, parts: OrderParts): Work | null {
  const known = orderSchema.safeParse(order);
  return known.success ? workOf(known.data, parts) : null;
}
