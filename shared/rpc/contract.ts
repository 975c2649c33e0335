// THE table: every method, topic, schema and error code of the control service. Window, browser, CLI and tests
// all speak exactly this; test/golden/contract.json is its committed copy.
import * as z from 'zod';
import { appInfoSchema, doctorReportSchema } from '../host.ts';
import { fileTokenSchema, momentIdSchema, taskIdSchema, vmIdSchema } from '../ids.ts';
import {
  hostMemorySchema,
  ledgerEntrySchema,
  memoryModeSchema,
  memorySampleSchema,
  startPreviewSchema,
  vmMemorySchema,
} from '../memory.ts';
import { taskSchema } from '../task.ts';
import { timelineSchema } from '../timeline.ts';
import { kibSchema } from '../units.ts';
import { osKindSchema, portForwardSchema, vmNameSchema, vmSourceSchema, vmSummarySchema } from '../vm.ts';
import { defineContract } from './table.ts';
import { timelineMethods } from './timeline-methods.ts';

const none = z.strictObject({});
const byVm = z.strictObject({ vmId: vmIdSchema });
const started = z.object({ taskId: taskIdSchema });
const done = z.object({});

export const contract = defineContract({
  methods: {
    'app.info': {
      kind: 'query',
      params: none,
      result: appInfoSchema,
      errors: [],
      doc: 'Version, process and data folder of the running service.',
    },
    'app.quit': {
      kind: 'command',
      params: none,
      result: done,
      errors: ['vm.wrong-state'],
      doc: 'Ends the control service; refused while VMs run.',
    },
    'doctor.run': {
      kind: 'query',
      params: none,
      result: doctorReportSchema,
      errors: [],
      doc: 'Checks QEMU, acceleration, memory, disk and permissions.',
    },

    'vm.list': {
      kind: 'query',
      params: none,
      result: z.object({ vms: z.array(vmSummarySchema) }),
      errors: [],
      doc: 'All VMs with their states.',
    },
    'vm.get': {
      kind: 'query',
      params: byVm,
      result: vmSummarySchema,
      errors: ['vm.not-found'],
      doc: 'One VM.',
    },
    'vm.create': {
      kind: 'task',
      params: z.strictObject({
        name: vmNameSchema,
        os: osKindSchema,
        cpus: z.int().min(1).max(64),
        minKib: kibSchema,
        maxKib: kibSchema,
        source: vmSourceSchema,
        balloon: z.boolean().default(true),
        portForwards: z.array(portForwardSchema).max(32).default([]),
      }),
      result: z.object({ taskId: taskIdSchema, vmId: vmIdSchema }),
      errors: [
        'vm.name-taken',
        'vm.bad-spec',
        'memory.bad-range',
        'memory.over-host',
        'memory.over-cap',
        'file.unknown-token',
        'import.bad-format',
        'import.changed',
        'import.refused',
        'disk.full',
        'disk.too-large',
        'vhd.corrupt',
        'vhd.parent-missing',
        'vhd.parent-mismatch',
        'file.unreadable',
        'qemu.missing',
        'disk.owned-elsewhere',
        'vm.sample-missing',
      ],
      doc: 'Creates a VM from the sample, an ISO, an existing disk (converted, original untouched) or an empty disk.',
    },
    'vm.clone': {
      kind: 'task',
      params: z.strictObject({ vmId: vmIdSchema, momentId: momentIdSchema, name: vmNameSchema }),
      result: z.object({ taskId: taskIdSchema, vmId: vmIdSchema }),
      errors: [
        'vm.not-found',
        'vm.name-taken',
        'moment.not-found',
        'limit.reached',
        'disk.full',
        'qemu.missing',
        'storage.unavailable',
      ],
      doc: 'A new VM with the disks of a VM as they were at a moment, copied in full; the answer names the new VM.',
    },
    'vm.rename': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, name: vmNameSchema }),
      result: done,
      errors: ['vm.not-found', 'vm.name-taken'],
      doc: 'Renames a VM.',
    },
    'vm.delete': {
      kind: 'task',
      params: byVm,
      result: started,
      errors: ['vm.not-found', 'vm.wrong-state'],
      doc: 'Moves a stopped VM with all its history to the trash folder.',
    },
    'vm.preview-start': {
      kind: 'query',
      params: byVm,
      result: startPreviewSchema,
      errors: ['vm.not-found', 'vm.wrong-state'],
      doc: 'Who would shrink, to what, if this VM started now.',
    },
    'vm.start': {
      kind: 'task',
      params: byVm,
      result: started,
      errors: ['vm.not-found', 'vm.wrong-state', 'memory.not-enough', 'qemu.missing', 'vm.start-failed'],
      doc: 'Starts a VM, or resumes it from suspend.',
    },
    'vm.stop': {
      kind: 'task',
      params: z.strictObject({ vmId: vmIdSchema, how: z.enum(['shutdown', 'force']) }),
      result: started,
      errors: ['vm.not-found', 'vm.wrong-state', 'vm.timeout'],
      doc: 'Shuts the guest down, or ends QEMU at once.',
    },
    'vm.pause': {
      kind: 'command',
      params: byVm,
      result: done,
      errors: ['vm.not-found', 'vm.wrong-state'],
      doc: 'Stops the virtual CPUs.',
    },
    'vm.resume': {
      kind: 'command',
      params: byVm,
      result: done,
      errors: ['vm.not-found', 'vm.wrong-state'],
      doc: 'Lets the virtual CPUs run again.',
    },
    'vm.reset': {
      kind: 'command',
      params: byVm,
      result: done,
      errors: ['vm.not-found', 'vm.wrong-state'],
      doc: 'Presses the reset button.',
    },
    'vm.suspend': {
      kind: 'task',
      params: byVm,
      result: started,
      errors: ['vm.not-found', 'vm.wrong-state', 'disk.full'],
      doc: 'Writes memory to disk and frees it.',
    },

    'memory.host': {
      kind: 'query',
      params: none,
      result: hostMemorySchema,
      errors: [],
      doc: 'The host bar: budget, commitments, every VM.',
    },
    'memory.show': {
      kind: 'query',
      params: byVm,
      result: vmMemorySchema,
      errors: ['vm.not-found'],
      doc: 'Range, target, actual and balloon state of one VM.',
    },
    'memory.set-range': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, minKib: kibSchema, maxKib: kibSchema }),
      result: vmMemorySchema,
      errors: ['vm.not-found', 'memory.bad-range', 'memory.over-host', 'memory.over-cap'],
      doc: 'Sets minimum and maximum; a running VM is replanned at once.',
    },
    'memory.set-balance': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, balanced: z.boolean(), weight: z.int().min(1).max(10000) }),
      result: vmMemorySchema,
      errors: ['vm.not-found'],
      doc: 'Includes or excludes a VM and sets its weight.',
    },
    'memory.set-policy': {
      kind: 'command',
      params: z.strictObject({
        mode: memoryModeSchema.optional(),
        reserveKib: kibSchema.optional(),
        budgetKib: kibSchema.nullable().optional(),
        capKib: kibSchema.nullable().optional(),
      }),
      result: hostMemorySchema,
      errors: ['memory.bad-range', 'memory.over-host'],
      doc: 'Host reserve, overall budget and cap per VM.',
    },
    'memory.ledger': {
      kind: 'query',
      params: z.strictObject({ vmId: vmIdSchema.nullable(), limit: z.int().min(1).max(1000) }),
      result: z.object({ entries: z.array(ledgerEntrySchema) }),
      errors: [],
      doc: 'Why memory moved: newest first.',
    },
    'memory.history': {
      kind: 'query',
      params: z.strictObject({ vmId: vmIdSchema, sinceMs: z.int().min(0) }),
      result: z.object({ samples: z.array(memorySampleSchema).max(5000) }),
      errors: ['vm.not-found'],
      doc: 'Target, actual and in-use over the last ten minutes.',
    },

    ...timelineMethods,

    'task.list': {
      kind: 'query',
      params: none,
      result: z.object({ tasks: z.array(taskSchema) }),
      errors: [],
      doc: 'Tasks under way and recently ended.',
    },
    'task.cancel': {
      kind: 'command',
      params: z.strictObject({ taskId: taskIdSchema }),
      result: done,
      errors: ['task.not-found'],
      doc: 'Asks a task to stop; it ends in a state that is whole.',
    },

    'file.register': {
      kind: 'command',
      params: z.strictObject({ path: z.string().max(4096) }),
      result: z.object({ file: fileTokenSchema, name: z.string(), bytes: z.int().min(0) }),
      errors: ['file.unreadable', 'rpc.denied'],
      doc: 'For local callers (CLI, dialogs): a chosen file becomes a token. Refused to browsers, which upload.',
    },

    'console.open': {
      kind: 'command',
      params: byVm,
      result: done,
      errors: ['vm.not-found', 'vm.wrong-state'],
      doc: "Opens this connection's screen stream of a VM; its bytes arrive on topic console.",
    },
    'console.send': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, base64: z.base64().max(1024 * 1024) }),
      result: done,
      errors: ['vm.not-found', 'vm.wrong-state'],
      doc: 'RFB bytes from the viewer to the VM.',
    },
    'console.close': {
      kind: 'command',
      params: byVm,
      result: done,
      errors: [],
      doc: "Closes this connection's screen stream.",
    },
  },
  topics: {
    vms: {
      kind: 'state',
      keyed: false,
      payload: z.object({ vms: z.array(vmSummarySchema) }),
      doc: 'All VMs and their states.',
    },
    host: {
      kind: 'state',
      keyed: false,
      payload: hostMemorySchema,
      doc: 'The host memory bar and every VM in it.',
    },
    tasks: {
      kind: 'state',
      keyed: false,
      payload: z.object({ tasks: z.array(taskSchema) }),
      doc: 'Tasks under way and recently ended.',
    },
    timeline: {
      kind: 'state',
      keyed: true,
      payload: timelineSchema,
      doc: 'Timeline of one VM, with reversal progress.',
    },
    ledger: {
      kind: 'event',
      keyed: false,
      payload: ledgerEntrySchema,
      doc: 'Every memory move as a sentence, as it happens.',
    },
    console: {
      kind: 'event',
      keyed: true,
      payload: z.object({ base64: z.string(), end: z.boolean() }),
      doc: "RFB bytes from the VM to this connection's viewer. Subscribe before console.open.",
    },
  },
});
export type Contract = typeof contract;
