// Keys about files: what comes into Ebb and what leaves it.
import { row } from './key-row.ts';

export const FILE_KEYS = {
  'import.formats': row({
    kind: 'set',
    parts: ['allowed'],
    choices: ['vhd', 'qcow2', 'raw', 'vhdx', 'vmdk'],
    en: { title: 'Formats of imported disks', doc: 'Which formats VMs may be created from.' },
    zh: { title: '导入磁盘的格式', doc: '允许用哪些格式的磁盘创建虚拟机。' },
  }),
  'import.folders': row({
    kind: 'folders',
    parts: ['allowed'],
    en: {
      title: 'Folders files are taken from',
      doc: 'Installers, disks and updates are taken from these folders and those below them only. Links are followed first.',
    },
    zh: {
      title: '允许导入的文件夹',
      doc: '安装光盘、磁盘和更新只能来自这些文件夹及其子文件夹（先解析链接）。',
    },
  }),
  'import.uploads': row({
    kind: 'flag',
    parts: ['value'],
    en: { title: 'Uploads from browsers', doc: 'Whether files uploaded by a browser may be used.' },
    zh: { title: '浏览器上传', doc: '是否允许使用浏览器上传的文件。' },
  }),
  'import.updates': row({
    kind: 'flag',
    parts: ['value'],
    en: {
      title: 'Importing updates of disks',
      doc: 'Whether a differencing VHD may become a point of a VM.',
    },
    zh: { title: '导入磁盘更新', doc: '是否允许将差分 VHD 导入为虚拟机的时间点。' },
  }),
  'export.formats': row({
    kind: 'set',
    parts: ['allowed'],
    choices: ['vhd', 'vhd-fixed', 'vhdx', 'qcow2', 'vmdk', 'raw'],
    always: ['vhd'],
    en: {
      title: 'Formats of exports',
      doc: "Which formats points may be written in. A VHD in Ebb's own exports folder is always allowed: that is how people rescue their data.",
    },
    zh: {
      title: '导出格式',
      doc: '允许导出的格式。始终允许以 VHD 导出到 Ebb 自己的导出文件夹，以便抢救数据。',
    },
  }),
  'export.folders': row({
    kind: 'folders',
    parts: ['allowed'],
    en: {
      title: 'Folders exports are written to',
      doc: "Exports go to these folders and those below them only, and to Ebb's own exports folder, which is always allowed.",
    },
    zh: {
      title: '允许导出的文件夹',
      doc: '只能导出到这些文件夹及其子文件夹；Ebb 自己的导出文件夹始终允许。',
    },
  }),
  'export.downloads': row({
    kind: 'flag',
    parts: ['value'],
    en: {
      title: 'Downloads to browsers',
      doc: 'Whether a browser may fetch the file an export has written. It is written all the same; a download under way is finished.',
    },
    zh: {
      title: '浏览器下载',
      doc: '是否允许浏览器取走导出所写的文件。文件仍会写入；进行中的下载会完成。',
    },
  }),
  'export.serve': row({
    kind: 'flag',
    parts: ['value'],
    en: {
      title: 'Serving points to other programs',
      doc: 'Whether a point may be served by NBD to programs on this computer. What is served when it goes ends.',
    },
    zh: {
      title: '向其他程序提供时间点',
      doc: '是否允许通过 NBD 将时间点提供给本机的其他程序。取消后，正在提供的会被断开。',
    },
  }),
};
