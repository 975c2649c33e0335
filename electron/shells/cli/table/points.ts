// Commands about points, as data.
import { row } from '../words.ts';
import { NEW_NAME, POINT, TRASHED, VM } from './common.ts';

const IN_DISK = {
  disk: { kind: 'disk', value: 'ID', doc: "The beginning of the disk's id; without it the first" },
  part: {
    kind: 'count',
    value: 'N',
    least: 0,
    most: 127,
    doc: 'The partition, by its number; without it the largest',
  },
} as const;

export const POINT_ROWS = {
  'point take': row({
    help: 'Take a point of all its disks, running or not',
    arguments: [VM, { name: 'NAME', kind: 'text', default: 'Point', doc: 'What it is called' }],
    options: {
      note: { kind: 'text', default: '', doc: 'More about it' },
      memory: { kind: 'flag', doc: 'With all it is doing: going back resumes it there' },
    },
    isTask: true,
  }),
  'point list': row({
    help: 'Its points, newest first, with what deleting each frees',
    arguments: [VM],
    options: {},
  }),
  'point cost': row({
    help: 'What a point takes, and what deleting it gives back, at once and later',
    arguments: [VM, POINT],
    options: {},
  }),
  'point rename': row({ help: 'Give a point another name', arguments: [VM, POINT, NEW_NAME], options: {} }),
  'point note': row({
    help: 'Write more about a point',
    arguments: [VM, POINT, { name: 'TEXT', kind: 'text', or: [''], doc: 'The note; empty takes it away' }],
    options: {},
  }),
  'point pin': row({ help: 'Keep a point from being deleted', arguments: [VM, POINT], options: {} }),
  'point unpin': row({ help: 'Let a point be deleted again', arguments: [VM, POINT], options: {} }),
  'point go-back': row({
    help: 'Go back to a point; the present is kept as a branch',
    arguments: [VM, POINT],
    options: {
      keep: { kind: 'text', value: 'NAME', doc: 'What the branch that keeps the present is called' },
      shutdown: { kind: 'flag', doc: 'A VM that runs is shut down first and started again' },
      force: { kind: 'flag', doc: 'Its plug is pulled first, and it is started again' },
      setup: { kind: 'flag', doc: 'Also set it up as it was then: processors, memory, network, firmware' },
      fresh: { kind: 'flag', doc: 'Boot from its disks, though its memory was saved with it' },
    },
    groups: [{ rule: 'most-one', of: ['shutdown', 'force'] }],
    alias: 'revert',
    isTask: true,
  }),
  'point peek': row({
    help: 'Boot a VM as it was at a point, to look: no network, and nothing is kept when it ends',
    arguments: [VM, POINT],
    options: {},
    alias: 'peek',
    isTask: true,
  }),
  'point branches': row({
    help: 'The lines of its history: where each ends, and where it leaves the line of Now',
    arguments: [VM],
    options: {},
    alias: 'branches',
  }),
  'point diff': row({
    help: 'What changed on its disks between two points, or since one',
    arguments: [
      VM,
      { ...POINT, name: 'FROM', or: ['now'] },
      { ...POINT, name: 'TO', or: ['now'], default: 'now', doc: 'The other point, or now' },
    ],
    options: {},
  }),
  'point delete': row({
    help: 'Put a point into the trash for a week',
    arguments: [VM, POINT],
    options: { purge: { kind: 'flag', doc: 'Delete it for good' } },
  }),
  'point trash': row({ help: 'What is in the trash, and what each holds', arguments: [VM], options: {} }),
  'point restore': row({ help: 'Take a point out of the trash', arguments: [VM, TRASHED], options: {} }),
  'point purge': row({
    help: 'Delete what is in the trash for good: one point, or all',
    arguments: [VM, { ...TRASHED, optional: true }],
    options: {},
  }),
  'point export': row({
    help: 'Write a disk as it was at a point into a new image',
    arguments: [VM, POINT],
    options: {
      format: {
        kind: 'choice',
        choices: ['vhd', 'vhd-fixed', 'vhdx', 'qcow2', 'vmdk', 'raw'],
        required: 'Say which format the image has: --format FORMAT.',
        doc: 'Of the image',
      },
      to: {
        kind: 'file',
        doc: "The image, or - for standard output (raw only); without it a file in the exports folder of Ebb's data",
      },
      disk: { kind: 'disk', value: 'ID', doc: "The beginning of the disk's id; without it the first" },
    },
    isTask: true,
  }),
  'point files': row({
    help: 'What is in a folder of its disk as it was at a point',
    arguments: [
      VM,
      POINT,
      { name: 'FOLDER', kind: 'text', default: '/', doc: 'From its root; without it the root' },
    ],
    options: IN_DISK,
  }),
  'point restore-files': row({
    help: 'Copy files out of its disk as it was at a point; nothing is written over',
    arguments: [
      VM,
      POINT,
      { name: 'FILE', kind: 'text', many: true, doc: 'From its root, as `ebb point files` shows it' },
    ],
    options: {
      ...IN_DISK,
      to: {
        kind: 'file',
        value: 'FOLDER',
        doc: "Where to; without it a new folder among the exports of Ebb's data",
      },
    },
    isTask: true,
  }),
  'point serve': row({
    help: 'Serve a point read-only by NBD until interrupted, and print its URI: nbd+unix:///…',
    arguments: [VM, POINT],
    options: { socket: { kind: 'file', doc: 'A new socket; without it one in a private folder' } },
  }),
  'point export-delta': row({
    help: 'Write what point TO has otherwise than FROM as a differencing VHD: an update for whoever has FROM',
    arguments: [
      VM,
      { ...POINT, name: 'FROM' },
      { ...POINT, name: 'TO', doc: 'The other point, named likewise' },
    ],
    options: {
      to: {
        kind: 'file',
        doc: "The update; without it a file in the exports folder of Ebb's data",
      },
    },
    isTask: true,
  }),
  'point import-delta': row({
    help: 'Make a point of an update made elsewhere, a branch of the point it was made from',
    arguments: [VM, { name: 'FILE', kind: 'file', doc: 'The update' }],
    options: {
      onto: { kind: 'point', doc: 'The point it was made from, where the file names none of this VM' },
      name: { kind: 'text', value: 'NAME', doc: "What the point is called; without it the file's name" },
    },
    isTask: true,
  }),
};
