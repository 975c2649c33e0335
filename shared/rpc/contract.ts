// THE table: every method, topic, schema and error code of the control service. Window, browser, CLI and tests
// all speak exactly this; test/golden/contract.json is its committed copy.
import * as z from 'zod';
import {
  accessLinkSchema,
  accessNameSchema,
  accessSessionSchema,
  accessTokenSchema,
  LINKS_MAX,
  roleSchema,
  SESSIONS_MAX,
  sessionIdSchema,
  TOKENS_MAX,
  tokenIdSchema,
} from '../access.ts';
import {
  AUDIT_LINES_MAX,
  AUDIT_PAGE_MAX,
  auditEntrySchema,
  auditHeadSchema,
  auditOutcomeSchema,
  auditPlaceSchema,
  auditReportSchema,
} from '../audit.ts';
import {
  cleanUpSchema,
  freesSchema,
  historyPreviewSchema,
  historyStateSchema,
  scheduleSchema,
} from '../history.ts';
import { appInfoSchema, doctorReportSchema } from '../host.ts';
import {
  diskIdSchema,
  downloadTicketSchema,
  fileTokenSchema,
  momentIdSchema,
  taskIdSchema,
  vmIdSchema,
} from '../ids.ts';
import {
  freePreviewSchema,
  hostMemorySchema,
  ledgerEntrySchema,
  memoryModeSchema,
  memoryReplaySchema,
  memorySampleSchema,
  rangeUndoSchema,
  rangeUndosSchema,
  startPreviewSchema,
  vmMemorySchema,
} from '../memory.ts';
import { FILES_MAX, fileListSchema, insidePathSchema } from '../point-files.ts';
import { policyReportSchema } from '../policy/report.ts';
import { TASKS_WAITED_FOR_MAX, taskSchema } from '../task.ts';
import {
  exportFormatSchema,
  momentCostSchema,
  momentSchema,
  pointDifferenceSchema,
  rescuedSchema,
  settleOrderSchema,
  timelineSchema,
} from '../timeline.ts';
import { bytesSchema, kibSchema, timeMsSchema } from '../units.ts';
import { verifyReportSchema } from '../verify.ts';
import {
  deletedVmSchema,
  guestInfoSchema,
  osKindSchema,
  vmNameSchema,
  vmSourceSchema,
  vmSummarySchema,
} from '../vm.ts';
import {
  cloudInitSchema,
  firmwareSchema,
  groupSchema,
  hostPartsSchema,
  networkModeSchema,
  notesSchema,
  portConflictSchema,
  portForwardsSchema,
  setupChangeSchema,
} from '../vm-setup.ts';
import { CLOSING, OPENING, WRITING } from './error-groups.ts';
import { defineContract } from './table.ts';

const none = z.strictObject({});
const byVm = z.strictObject({ vmId: vmIdSchema });
/** A PNG in Base64; null: there is no picture. */
const pictureSchema = z.object({
  png: z
    .string()
    .max(6 * 2 ** 20)
    .nullable(),
});
/** A small PNG in Base64, at most 160 × 100; null: there is no picture. */
const thumbnailSchema = z.object({
  png: z
    .string()
    .max(96 * 1024)
    .nullable(),
});
const newMoment = z.strictObject({
  vmId: vmIdSchema,
  name: z.string().trim().max(200),
  note: z.string().max(4000),
});
const byMoment = z.strictObject({ vmId: vmIdSchema, momentId: momentIdSchema });
/** `diskId` null: the VM's first disk. `volume` null: its largest partition; without any, the whole disk. */
const ofFiles = {
  vmId: vmIdSchema,
  momentId: momentIdSchema,
  diskId: diskIdSchema.nullable().default(null),
  volume: z.int().min(0).nullable().default(null),
};
const consoleSchema = z.enum(['screen', 'serial']);
const started = z.object({ taskId: taskIdSchema });
const done = z.object({});

/** A call that a peek refuses (peek-guard.ts): it has no settings and no history. */
const OF_KEPT = ['vm.not-found', 'vm.wrong-state'] as const;
/** Storage opens the VM for the call, unless too many are open. */
const OF_DISKS = [...OF_KEPT, ...OPENING] as const;
const OF_POINT = [...OF_DISKS, 'moment.not-found'] as const;
const OF_QEMU = ['vm.died', 'vm.timeout', 'qemu.refused'] as const;
const OF_RANGE = ['memory.bad-range', 'memory.over-host', 'memory.over-cap'] as const;
const READING = ['disk.io', 'host.permission'] as const;

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
    'app.power': {
      kind: 'command',
      params: z.strictObject({ isOnBattery: z.boolean() }),
      result: done,
      errors: [],
      doc: 'What this computer runs on, from a shell that knows; also told when it wakes up.',
    },
    'app.updates': {
      kind: 'query',
      params: none,
      result: z.object({
        mayLook: z.boolean(),
        mayInstall: z.boolean(),
        /** Titles of the tasks the update waits for. */
        waitsFor: z.array(z.string().max(200)).max(TASKS_WAITED_FOR_MAX),
      }),
      errors: [],
      doc: 'Whether a shell may look for a newer Ebb, and put it in place now: policy, and no task in the middle of its work.',
    },
    'doctor.run': {
      kind: 'query',
      params: none,
      result: doctorReportSchema,
      errors: READING,
      doc: 'Checks QEMU, acceleration, memory, disk and permissions.',
    },

    'policy.show': {
      kind: 'query',
      params: none,
      result: policyReportSchema,
      errors: [],
      doc: 'What IT set for this computer: every key, what is in force, who says so, and what is wrong with files.',
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
        portForwards: portForwardsSchema.default([]),
        network: networkModeSchema.default('user'),
        /** Left out: what the VM's kind of system wants. */
        firmware: firmwareSchema.optional(),
        hasTpm: z.boolean().optional(),
        group: groupSchema.default(''),
        notes: notesSchema.default(''),
        /** For a cloud image: its first user, that user's SSH keys, and the packages to install. */
        cloudInit: cloudInitSchema.nullable().default(null),
      }),
      result: z.object({ taskId: taskIdSchema, vmId: vmIdSchema }),
      errors: [
        'limit.reached',
        'vm.name-taken',
        'vm.bad-spec',
        ...OF_RANGE,
        'file.unknown-token',
        'file.unreadable',
        'import.bad-format',
        'import.changed',
        'import.refused',
        'vhd.corrupt',
        'vhd.parent-missing',
        'vhd.parent-mismatch',
        'disk.owned-elsewhere',
        'disk.too-large',
        ...WRITING,
        'qemu.missing',
        'host.unsupported',
      ],
      doc: 'Creates a VM from the sample, an ISO, an existing disk (converted, original untouched) or an empty disk.',
    },
    'vm.clone': {
      kind: 'task',
      params: z.strictObject({
        vmId: vmIdSchema,
        momentId: momentIdSchema,
        name: vmNameSchema,
        /** By reflink: both VMs share blocks until either writes them. Only where the file system can. */
        linked: z.boolean().default(false),
      }),
      result: z.object({ taskId: taskIdSchema, vmId: vmIdSchema }),
      errors: [...OF_POINT, 'vm.name-taken'],
      doc: 'A new VM with the disks of a VM as they were at a moment, copied in full or linked: independent of it in either case; the answer names the new VM.',
    },
    'vm.add': {
      kind: 'task',
      params: z.strictObject({ path: z.string().min(1).max(4096), move: z.boolean().default(false) }),
      result: z.object({
        taskId: taskIdSchema,
        vmId: vmIdSchema,
        /** False: the folder is moved. A move between two disks is a copy. */
        isCopied: z.boolean(),
      }),
      errors: [
        'vm.wrong-state',
        'limit.reached',
        'import.bad-format',
        'import.refused',
        'disk.owned-elsewhere',
        ...OF_RANGE,
        ...WRITING,
      ],
      doc: 'For local callers: the folder of a VM that an Ebb made, here or elsewhere, becomes a VM with its points. Without saved memory.',
    },
    'vm.rename': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, name: vmNameSchema }),
      result: done,
      errors: [...OF_KEPT, 'vm.name-taken', ...WRITING],
      doc: 'Renames a VM.',
    },
    'vm.configure': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, change: setupChangeSchema }),
      result: z.object({
        vm: vmSummarySchema,
        /** `next-start`: the VM runs, and keeps the machine it was started with. */
        applies: z.enum(['now', 'next-start']),
        conflicts: z.array(portConflictSchema),
      }),
      errors: [...OF_KEPT, 'vm.bad-spec', 'host.unsupported', ...WRITING],
      doc: 'Changes processors, firmware, network, port forwards, autostart, group or notes of a VM.',
    },
    'vm.insert': {
      kind: 'task',
      params: z.strictObject({ vmId: vmIdSchema, file: fileTokenSchema }),
      result: started,
      errors: [...OF_KEPT, 'vm.bad-spec', 'file.unknown-token', 'limit.reached', ...WRITING],
      doc: 'Copies an ISO into a VM that is off and puts it into its CD drive, instead of the one that is in it.',
    },
    'vm.eject': {
      kind: 'command',
      params: byVm,
      /** 0: the drive was empty. */
      result: z.object({ removedBytes: bytesSchema }),
      errors: [...OF_KEPT, ...WRITING],
      doc: 'Takes the installer out of the CD drive of a VM that is off and removes its copy; the original is not touched.',
    },
    'host.parts': {
      kind: 'query',
      params: none,
      result: hostPartsSchema,
      errors: READING,
      doc: 'Whether UEFI, Secure Boot and TPMs can be had on this computer, and what brings them.',
    },
    'network.conflicts': {
      kind: 'query',
      params: z.strictObject({ vmId: vmIdSchema.nullable(), portForwards: portForwardsSchema }),
      result: z.object({ conflicts: z.array(portConflictSchema) }),
      errors: ['vm.wrong-state'],
      doc: "Which of these host ports are taken now, by another VM or by another program; the VM's own are not.",
    },
    'vm.delete': {
      kind: 'task',
      params: byVm,
      result: started,
      errors: OF_KEPT,
      doc: 'Moves a stopped VM with all its history to the trash folder.',
    },
    'vm.trashed': {
      kind: 'query',
      params: none,
      result: z.object({ vms: z.array(deletedVmSchema) }),
      errors: READING,
      doc: 'Deleted VMs that can be taken back, and when each goes for good.',
    },
    'vm.restore': {
      kind: 'command',
      params: byVm,
      /** The name has a number where another VM took it meanwhile. */
      result: z.object({ name: vmNameSchema }),
      errors: [...OF_KEPT, 'limit.reached', ...WRITING],
      doc: 'Takes a deleted VM back out of the trash, with all its points and settings.',
    },
    'vm.preview-start': {
      kind: 'query',
      params: byVm,
      result: startPreviewSchema,
      errors: OF_KEPT,
      doc: 'Who would shrink, to what, if this VM started now.',
    },
    'vm.start': {
      kind: 'task',
      params: byVm,
      result: started,
      errors: OF_KEPT,
      doc: 'Starts a VM, or resumes it from suspend.',
    },
    'vm.stop': {
      kind: 'task',
      params: z.strictObject({ vmId: vmIdSchema, how: z.enum(['shutdown', 'force']) }),
      result: started,
      errors: ['vm.not-found'],
      doc: 'Shuts the guest down, or ends QEMU at once.',
    },
    'vm.pause': {
      kind: 'command',
      params: byVm,
      result: done,
      errors: [...OF_KEPT, ...OF_QEMU, ...WRITING],
      doc: 'Stops the virtual CPUs.',
    },
    'vm.resume': {
      kind: 'command',
      params: byVm,
      result: done,
      errors: [...OF_KEPT, ...OF_QEMU, ...WRITING],
      doc: 'Lets the virtual CPUs run again.',
    },
    'vm.reset': {
      kind: 'command',
      params: byVm,
      result: done,
      errors: [...OF_KEPT, ...OF_QEMU, ...WRITING],
      doc: 'Presses the reset button.',
    },
    'vm.suspend': {
      kind: 'task',
      params: byVm,
      result: started,
      errors: OF_KEPT,
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
      errors: ['vm.not-found', ...OF_RANGE, ...WRITING],
      doc: 'Sets minimum and maximum; a running VM is replanned at once.',
    },
    'memory.try-range': {
      kind: 'command',
      params: z.strictObject({
        vmId: vmIdSchema,
        minKib: kibSchema,
        maxKib: kibSchema,
        seconds: z.int().min(5).max(600),
      }),
      result: rangeUndoSchema,
      errors: ['vm.not-found', ...OF_RANGE, ...WRITING],
      doc: 'Sets minimum and maximum for that long; then they are what they were, unless kept.',
    },
    'memory.keep-range': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema }),
      result: rangeUndoSchema,
      errors: ['vm.not-found', 'memory.no-change', ...WRITING],
      doc: 'What is being tried stays.',
    },
    'memory.undo-range': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema }),
      result: vmMemorySchema,
      errors: ['vm.not-found', 'memory.no-change', ...OF_RANGE, ...WRITING],
      doc: 'Minimum and maximum are what they were before the last change; again: what they were after it.',
    },
    'memory.range-undo': {
      kind: 'query',
      params: z.strictObject({ vmId: vmIdSchema }),
      result: rangeUndoSchema,
      errors: ['vm.not-found'],
      doc: 'What undoing would bring back, and when a trial ends.',
    },
    'memory.set-balance': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, balanced: z.boolean(), weight: z.int().min(1).max(10000) }),
      result: vmMemorySchema,
      errors: ['vm.not-found', ...WRITING],
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
      errors: ['memory.bad-range', ...WRITING],
      doc: 'Host reserve, overall budget and cap per VM.',
    },
    'memory.focus': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema.nullable() }),
      result: done,
      errors: ['vm.not-found'],
      doc: 'The VM whose screen this connection looks at, or none: it weighs twice as much, and a while after.',
    },
    'memory.free': {
      kind: 'command',
      params: z.strictObject({ kib: kibSchema, seconds: z.int().min(10).max(3600) }),
      result: freePreviewSchema,
      errors: [],
      doc: 'VMs give back until so much of this computer is free, and leave it free for that long; 0 ends it.',
    },
    'memory.ledger': {
      kind: 'query',
      params: z.strictObject({
        vmId: vmIdSchema.nullable(),
        limit: z.int().min(1).max(1000),
        /** Entries older than this one; null: the newest. */
        beforeSeq: z.int().min(1).nullable().default(null),
      }),
      result: z.object({ entries: z.array(ledgerEntrySchema) }),
      errors: [],
      doc: 'Why memory moved: newest first.',
    },
    'memory.replay': {
      kind: 'query',
      params: z.strictObject({ limit: z.int().min(1).max(200) }),
      result: memoryReplaySchema,
      errors: [],
      doc: 'The latest plans of the ledger made again from what they were made of, and compared.',
    },
    'memory.history': {
      kind: 'query',
      params: z.strictObject({ vmId: vmIdSchema, sinceMs: z.int().min(0) }),
      result: z.object({ samples: z.array(memorySampleSchema).max(5000) }),
      errors: ['vm.not-found'],
      doc: 'Target, actual and in-use since then: by the second over ten minutes, coarser over an hour, a day or a week.',
    },

    'disk.grow': {
      kind: 'command',
      params: z.strictObject({
        vmId: vmIdSchema,
        /** Null: the VM's first disk. */
        diskId: diskIdSchema.nullable().default(null),
        virtualBytes: bytesSchema,
      }),
      result: z.object({
        diskId: diskIdSchema,
        virtualBytes: bytesSchema,
        /** Why a running guest learns of the new size only at its next start; null: it has, or none runs. */
        laterBecause: z.string().max(2000).nullable(),
      }),
      errors: [...OF_DISKS, 'disk.not-found', 'disk.too-large', 'disk.would-shrink'],
      doc: 'Makes a disk larger, with its history: points stay as large as they were; a guest that runs hears of it. The answer is the size, rounded up.',
    },

    'vm.screen': {
      kind: 'query',
      params: byVm,
      result: pictureSchema,
      errors: ['vm.not-found', ...READING],
      doc: 'What its screen shows now, as a PNG.',
    },
    'vm.thumbnail': {
      kind: 'query',
      params: byVm,
      result: thumbnailSchema,
      errors: ['vm.not-found', ...READING],
      doc: 'A small picture of what its screen showed within the last ten seconds; null where it shows none.',
    },
    'vm.guest': {
      kind: 'query',
      params: byVm,
      result: guestInfoSchema.nullable(),
      errors: ['vm.not-found'],
      doc: 'What the agent inside says of the guest; null where none listens.',
    },

    'timeline.get': {
      kind: 'query',
      params: byVm,
      result: timelineSchema,
      errors: OF_DISKS,
      doc: 'Moments, Now, and what is settling.',
    },
    'moment.take': {
      kind: 'command',
      params: newMoment,
      result: momentSchema,
      errors: [...OF_POINT, 'disk.in-use', ...OF_QEMU],
      doc: 'Takes a moment of all disks; O(1), while running or not, with file systems at rest where the agent inside can.',
    },
    'moment.take-with-memory': {
      kind: 'task',
      params: newMoment,
      result: started,
      errors: OF_KEPT,
      doc: 'Takes a moment of a running VM with all it is doing: going back to it resumes it there.',
    },
    'moment.screen': {
      kind: 'query',
      params: byMoment,
      result: pictureSchema,
      errors: OF_POINT,
      doc: 'What its screen showed, as a PNG.',
    },
    'moment.update': {
      kind: 'command',
      params: z.strictObject({
        vmId: vmIdSchema,
        momentId: momentIdSchema,
        name: z.string().trim().max(200).optional(),
        note: z.string().max(4000).optional(),
        pinned: z.boolean().optional(),
      }),
      result: momentSchema,
      errors: OF_POINT,
      doc: 'Renames, annotates or pins a moment.',
    },
    'moment.go-back': {
      kind: 'task',
      params: z.strictObject({
        vmId: vmIdSchema,
        momentId: momentIdSchema,
        /** A VM that was running is started again afterwards. */
        ifRunning: z.enum(['refuse', 'shutdown', 'force']).default('refuse'),
        /** Name of the branch that keeps the present; left out: a name that says when. */
        keepName: z.string().trim().min(1).max(200).optional(),
        /** For a moment with saved memory: `resume` goes on from it, `discard` boots the disks. */
        memory: z.enum(['resume', 'discard']).default('resume'),
        /** How the VM is set up afterwards: as today, or as it was then, within today's policy. */
        configuration: z.enum(['keep', 'restore']).default('keep'),
      }),
      result: started,
      errors: OF_KEPT,
      doc: 'Goes back to a moment; the present is kept as a branch.',
    },
    'moment.peek': {
      kind: 'task',
      params: byMoment,
      result: z.object({ taskId: taskIdSchema, vmId: vmIdSchema }),
      errors: [...OF_POINT, 'qemu.missing'],
      doc: 'Boots a VM as it was at a moment, to look: without a network, Now untouched, nothing kept when it ends; the answer names the VM it is meanwhile.',
    },
    'moment.delete': {
      kind: 'command',
      params: byMoment,
      result: done,
      errors: [...OF_POINT, 'moment.pinned'],
      doc: 'T8: puts a moment into the trash; nothing is freed yet.',
    },
    'moment.restore': {
      kind: 'command',
      params: byMoment,
      result: momentSchema,
      errors: OF_POINT,
      doc: 'Takes a moment out of the trash.',
    },
    'trash.purge': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, momentId: momentIdSchema.optional() }),
      result: z.object({ freedBytes: bytesSchema }),
      errors: [...OF_DISKS, 'disk.in-use'],
      doc: 'T8: deletes for good: one moment of the trash, or all; what others hang off is merged away in the background.',
    },
    'moment.cost': {
      kind: 'query',
      params: byMoment,
      result: momentCostSchema,
      errors: OF_POINT,
      doc: 'What a moment takes, and what deleting it gives back.',
    },
    'moment.compare': {
      kind: 'query',
      params: z.strictObject({
        vmId: vmIdSchema,
        fromId: momentIdSchema.nullable(),
        toId: momentIdSchema.nullable(),
      }),
      result: z.object({
        disks: z.array(z.object({ diskId: diskIdSchema, difference: pointDifferenceSchema })),
      }),
      errors: OF_POINT,
      doc: 'Where the disks may differ between two moments; null is Now.',
    },
    'moment.export': {
      kind: 'task',
      params: z.strictObject({
        vmId: vmIdSchema,
        momentId: momentIdSchema,
        /** Null: the VM's first disk. */
        diskId: diskIdSchema.nullable().default(null),
        format: exportFormatSchema,
        /** Absolute path of a new file; null: one in Ebb's exports folder. A browser may not name one. */
        path: z.string().max(4096).nullable().default(null),
      }),
      result: z.object({ taskId: taskIdSchema, path: z.string() }),
      errors: [...OF_POINT, 'disk.not-found', 'file.unreadable'],
      doc: 'Writes a disk as it was at a moment into a new image of another format.',
    },
    'moment.files': {
      kind: 'query',
      params: z.strictObject({
        ...ofFiles,
        /** Path from the file system's root; empty: the root. */
        folder: insidePathSchema.default(''),
      }),
      result: fileListSchema,
      errors: [...OF_POINT, 'disk.not-found', 'disk.in-use', 'file.unreadable', 'host.unsupported'],
      doc: 'What is in a folder of a disk as it was at a moment: Ext, NTFS, FAT, APFS, HFS+, SquashFS, UDF or ISO 9660.',
    },
    'moment.copy-files': {
      kind: 'task',
      params: z.strictObject({
        ...ofFiles,
        paths: z.array(insidePathSchema.min(1)).min(1).max(FILES_MAX),
        /** An existing folder, absolute; null: a new one in Ebb's exports. A browser may not name one. */
        folder: z.string().max(4096).nullable().default(null),
      }),
      result: z.object({ taskId: taskIdSchema, folder: z.string() }),
      errors: [...OF_DISKS, 'file.unreadable'],
      doc: 'Copies files out of a disk as it was at a moment; nothing there is written over.',
    },
    'vm.rescue': {
      kind: 'command',
      params: z.strictObject({
        vmId: vmIdSchema,
        /** Rebuild the timeline even where it can be read. */
        replace: z.boolean().default(false),
      }),
      result: rescuedSchema,
      errors: [
        ...OF_KEPT,
        'storage.unavailable',
        'disk.owned-elsewhere',
        'disk.in-use',
        'vhd.corrupt',
        ...CLOSING,
      ],
      doc: 'T5: makes the lost timeline of a VM that is off anew from the headers of its images; those are not changed.',
    },
    'moment.serve': {
      kind: 'command',
      params: z.strictObject({
        vmId: vmIdSchema,
        momentId: momentIdSchema,
        /** Null: the VM's first disk. */
        diskId: diskIdSchema.nullable().default(null),
        /** Absolute path of a new socket; null: one in a private folder. */
        socketPath: z.string().max(4096).nullable().default(null),
      }),
      result: z.object({
        uri: z.string(),
        socketPath: z.string(),
        exportName: z.string(),
        virtualBytes: bytesSchema,
      }),
      errors: [...OF_POINT, 'disk.not-found', 'disk.in-use', 'file.unreadable'],
      doc: 'Serves a disk as it was at a moment read-only by NBD, to any number of readers, as long as this connection lives; not purged meanwhile.',
    },
    'moment.export-delta': {
      kind: 'task',
      params: z.strictObject({
        vmId: vmIdSchema,
        /** The parent of the delta: the moment that the receiving end has. */
        fromId: momentIdSchema,
        toId: momentIdSchema,
        /** Null: the first disk that both moments have. */
        diskId: diskIdSchema.nullable().default(null),
        /** Absolute path of a new file; null: one in Ebb's exports folder. A browser may not name one. */
        path: z.string().max(4096).nullable().default(null),
      }),
      result: z.object({ taskId: taskIdSchema, path: z.string() }),
      errors: [...OF_POINT, 'disk.not-found', 'file.unreadable'],
      doc: 'T1: writes what a disk has at one moment otherwise than at another as a differencing VHD, an update for whoever has the first.',
    },
    'moment.download': {
      kind: 'command',
      params: z.strictObject({ taskId: taskIdSchema }),
      result: z.object({ ticket: downloadTicketSchema }),
      errors: ['file.unreadable'],
      doc: 'From a browser: the file that an export which is done has written, to be fetched once from the gateway within a minute.',
    },
    'moment.import-delta': {
      kind: 'task',
      params: z.strictObject({
        vmId: vmIdSchema,
        file: fileTokenSchema,
        /** The point the delta was made from: needed where its parent UUID names no point of the VM. */
        ontoId: momentIdSchema.nullable().default(null),
        /** Null: the file's name. */
        name: z.string().trim().min(1).max(200).nullable().default(null),
      }),
      result: started,
      errors: [...OF_POINT, 'file.unknown-token', 'file.unreadable', 'import.bad-format', 'import.changed'],
      doc: 'A differencing VHD made elsewhere becomes a point: a branch of the one it was made from. While it runs or not; Now stays.',
    },
    'vm.verify': {
      kind: 'task',
      params: byVm,
      result: started,
      errors: OF_DISKS,
      doc: 'Reads its whole history and compares it with the checksums recorded; while it runs or not. Nothing is changed.',
    },
    'vm.verify-report': {
      kind: 'query',
      params: byVm,
      result: z.object({ report: verifyReportSchema.nullable() }),
      errors: OF_KEPT,
      doc: 'What the newest check found, while it goes on too; null where there was none since the service started.',
    },
    'vm.compact': {
      kind: 'task',
      params: byVm,
      result: started,
      errors: OF_DISKS,
      doc: 'Its points give back what they hold for nothing, once its history is at rest and while it runs or not; cancelled, no more of it.',
    },
    'history.show': {
      kind: 'query',
      params: byVm,
      result: historyStateSchema,
      errors: OF_KEPT,
      doc: 'When automatic points of a VM are taken, how long they are kept, and what became of the last time.',
    },
    'history.set': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, schedule: scheduleSchema }),
      result: historyStateSchema,
      errors: [...OF_KEPT, ...WRITING],
      doc: 'Sets when automatic points are taken and how long they are kept, from the next time on.',
    },
    'history.preview': {
      kind: 'query',
      params: z.strictObject({
        vmId: vmIdSchema,
        /** A schedule to preview before it is set; null: the one that is set. */
        schedule: scheduleSchema.nullable().default(null),
      }),
      result: historyPreviewSchema,
      errors: OF_POINT,
      doc: 'The next times, which automatic points would be dropped now, what that frees, and how the quota stands.',
    },
    'history.offer': {
      kind: 'query',
      params: z.strictObject({ vmId: vmIdSchema, alsoPersons: z.boolean().default(false) }),
      result: cleanUpSchema,
      errors: OF_POINT,
      doc: 'What can be cleaned up, oldest first, with what each and all before it free together; and what stays, and why.',
    },
    'history.clean': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, momentIds: z.array(momentIdSchema).min(1).max(5000) }),
      result: freesSchema,
      errors: [...OF_POINT, 'moment.pinned', 'disk.in-use'],
      doc: 'T8: puts points into the trash, all or none; what that frees once it is emptied.',
    },
    'settle.set': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, to: settleOrderSchema }),
      result: done,
      errors: OF_DISKS,
      doc: 'Lets the background reversal run, pauses it, or (T7) takes the edge being turned back to where it was and pauses.',
    },

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
    'task.pause': {
      kind: 'command',
      params: z.strictObject({ taskId: taskIdSchema }),
      result: done,
      errors: ['task.not-found', 'vm.wrong-state'],
      doc: 'A task waits until it is told to go on, through restarts of the service; refused in a step that cannot wait.',
    },
    'task.resume': {
      kind: 'command',
      params: z.strictObject({ taskId: taskIdSchema }),
      result: done,
      errors: ['task.not-found'],
      doc: 'A paused task goes on.',
    },

    'file.register': {
      kind: 'command',
      params: z.strictObject({ path: z.string().max(4096) }),
      result: z.object({ file: fileTokenSchema, name: z.string(), bytes: z.int().min(0) }),
      errors: ['file.unreadable'],
      doc: 'For local callers (CLI, dialogs): a chosen file becomes a token. Refused to browsers, which upload.',
    },

    'audit.list': {
      kind: 'query',
      params: z.strictObject({
        /** Records older than this one; null: the newest. */
        beforeSeq: z.int().min(1).nullable().default(null),
        limit: z.int().min(1).max(AUDIT_PAGE_MAX),
        vmId: vmIdSchema.nullable().default(null),
        /** The beginning of the action: "memory." */
        action: z.string().max(64).default(''),
        outcome: auditOutcomeSchema.nullable().default(null),
        /** With `begun` records whose end is recorded too. */
        all: z.boolean().default(false),
      }),
      result: z.object({
        entries: z.array(auditEntrySchema),
        /** For the next page; null: there is none. */
        nextBeforeSeq: z.int().min(1).nullable(),
        head: auditHeadSchema,
      }),
      errors: WRITING,
      doc: 'Who changed what, newest first.',
    },
    'audit.export': {
      kind: 'query',
      params: z.strictObject({
        /** `next` of the page before; null: from the beginning. */
        after: auditPlaceSchema.nullable().default(null),
        /** Export begins with the first record that is not older than this time. */
        sinceMs: z.int().min(0).default(0),
        limit: z.int().min(1).max(AUDIT_LINES_MAX),
      }),
      result: z.object({
        lines: z.array(z.string()).max(AUDIT_LINES_MAX),
        /** For the next call; null: that was all. A page may have no lines and not be the last. */
        next: auditPlaceSchema.nullable(),
        head: auditHeadSchema,
      }),
      errors: WRITING,
      doc: 'The records as they stand in the files, oldest first, for whoever checks or keeps them elsewhere.',
    },
    'audit.verify': {
      kind: 'query',
      params: none,
      result: auditReportSchema,
      errors: WRITING,
      doc: 'Reads all records and says which were changed, removed, moved or cut off.',
    },
    'headless.sign-in': {
      kind: 'command',
      params: z.strictObject({
        token: z.string().max(200),
        address: z.string().max(100),
        agent: z.string().max(200).default(''),
      }),
      result: z.object({ session: accessSessionSchema, secret: z.string().max(100) }),
      errors: ['limit.reached', ...WRITING],
      doc: 'From the browser gateway: a token or a one-use link is exchanged for a session. Its secret is said once.',
    },
    'headless.session': {
      kind: 'query',
      params: z.strictObject({ secret: z.string().max(200) }),
      result: z.object({ session: accessSessionSchema.nullable() }),
      errors: [],
      doc: 'From the browser gateway: whose session it is. Null: nobody is known by it, or not any more.',
    },
    'file.download': {
      kind: 'query',
      params: z.strictObject({ ticket: downloadTicketSchema, session: sessionIdSchema }),
      result: z.object({
        path: z.string(),
        name: z.string(),
        bytes: bytesSchema,
        /** Time of the file's last change: another time means another file. */
        modifiedMs: z.number(),
      }),
      errors: ['file.unknown-token', 'file.unreadable'],
      doc: 'From the browser gateway: the file a ticket is for. It is good once, for the session that asked for it.',
    },
    'headless.listen': {
      kind: 'command',
      params: z.strictObject({ address: z.string().max(100), isEncrypted: z.boolean() }),
      result: done,
      errors: [],
      doc: 'From the browser gateway, before it listens: refused off loopback without encryption, or where no policy allows it.',
    },
    'headless.link': {
      kind: 'command',
      params: z.strictObject({ role: roleSchema }),
      result: z.object({ id: tokenIdSchema, token: z.string().max(100), expiresAt: timeMsSchema }),
      errors: WRITING,
      doc: 'A token that signs one browser in, once, within a day.',
    },
    'headless.create-token': {
      kind: 'command',
      params: z.strictObject({
        name: accessNameSchema,
        role: roleSchema,
        expiresAt: timeMsSchema.nullable().default(null),
      }),
      result: z.object({ token: accessTokenSchema, secret: z.string().max(100) }),
      errors: ['limit.reached', ...WRITING],
      doc: 'A named token for a person or a machine elsewhere. Its secret is said once; only its hash is kept.',
    },
    'headless.tokens': {
      kind: 'query',
      params: none,
      result: z.object({
        tokens: z.array(accessTokenSchema).max(TOKENS_MAX),
        links: z.array(accessLinkSchema).max(LINKS_MAX),
      }),
      errors: [],
      doc: 'Named tokens, and links nobody signed in with yet; without their secrets.',
    },
    'headless.revoke-token': {
      kind: 'command',
      params: z.strictObject({ tokenId: tokenIdSchema }),
      result: z.object({ ended: z.int().min(0) }),
      errors: ['access.not-found', ...WRITING],
      doc: 'Ends a token and at once every session it began, with all they have open; or a link that was not used.',
    },
    'headless.sessions': {
      kind: 'query',
      params: none,
      result: z.object({ sessions: z.array(accessSessionSchema).max(SESSIONS_MAX) }),
      errors: [],
      doc: 'Browsers that are signed in, whoever was there last first.',
    },
    'headless.end-session': {
      kind: 'command',
      params: z.strictObject({ sessionId: sessionIdSchema }),
      result: done,
      errors: ['access.not-found', ...WRITING],
      doc: 'Signs a browser out at once, with all it has open.',
    },
    'headless.sign-out': {
      kind: 'command',
      params: none,
      result: done,
      errors: ['access.not-found', ...WRITING],
      doc: 'Ends the session this call came from.',
    },

    'console.open': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, of: consoleSchema.default('screen') }),
      result: done,
      errors: ['vm.not-found', 'vm.wrong-state', 'limit.reached', 'qemu.refused'],
      doc: "Opens this connection's stream of a VM's screen (topic console) or of its serial line (topic serial).",
    },
    'console.send': {
      kind: 'command',
      params: z.strictObject({
        vmId: vmIdSchema,
        of: consoleSchema.default('screen'),
        base64: z.base64().max(1024 * 1024),
      }),
      result: done,
      errors: ['vm.wrong-state', 'limit.reached'],
      doc: 'Bytes from the viewer to the VM: RFB to its screen, what is typed to its serial line.',
    },
    'console.close': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, of: consoleSchema.default('screen') }),
      result: done,
      errors: [],
      doc: "Closes this connection's stream.",
    },
  },
  topics: {
    vms: {
      kind: 'state',
      keyed: false,
      payload: z.object({ vms: z.array(vmSummarySchema) }),
      doc: 'All VMs and their states.',
    },
    policy: {
      kind: 'state',
      keyed: false,
      payload: policyReportSchema,
      doc: 'What IT set for this computer, and what is in force.',
    },
    host: {
      kind: 'state',
      keyed: false,
      payload: hostMemorySchema,
      doc: 'The host memory bar and every VM in it.',
    },
    ranges: {
      kind: 'state',
      keyed: false,
      payload: rangeUndosSchema,
      doc: 'Changes of ranges that can be undone, and trials under way, whoever made them.',
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
    histories: {
      kind: 'state',
      keyed: false,
      payload: z.object({ histories: z.array(historyStateSchema) }),
      doc: 'Of every VM that was ever told when: its schedule, the next time, and what became of the last.',
    },
    ledger: {
      kind: 'event',
      keyed: false,
      payload: ledgerEntrySchema,
      doc: 'Every memory move as a sentence, as it happens.',
    },
    audit: {
      kind: 'event',
      keyed: false,
      payload: auditEntrySchema,
      doc: 'Every record of the audit, as it is written.',
    },
    console: {
      kind: 'event',
      keyed: true,
      payload: z.object({ base64: z.string(), end: z.boolean() }),
      doc: "RFB bytes from the VM to this connection's viewer. Subscribe before console.open.",
    },
    serial: {
      kind: 'event',
      keyed: true,
      payload: z.object({ base64: z.string(), end: z.boolean() }),
      doc: 'UTF-8 from the serial line of a VM, without what a terminal would obey; first what came lately. Subscribe before console.open.',
    },
  },
});
export type Contract = typeof contract;
