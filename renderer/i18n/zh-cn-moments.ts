// 与时间点一起保存的内容：内存、屏幕画面、完整程度。
import type { enMoments } from './en-moments.ts';

export const zhCnMoments: typeof enMoments = {
  moments: {
    withMemory: '包含内存',
    withMemoryText: size =>
      `同时保存虚拟机正在进行的工作，最多占用 ${size}。回到这里时，程序会从当时继续运行。`,
    whole: {
      off: '关机时保存',
      crash: '仅磁盘，如同断电之后',
      frozen: '文件系统处于静止状态',
      memory: '包含内存',
    },
    memorySize: size => `内存占用 ${size}。`,
    screenOf: name => `${name} 时的屏幕`,
    resumes: vm => `${vm} 会从当时继续运行，程序保持打开。`,
    setUpThen: differences => `当时的设置不同：${differences.join('、')}。`,
    setUp: '同时恢复当时的设置',
    setUpHelp: differences =>
      `当时为：${differences.join('、')}。今天的限制仍然有效。不勾选则保持现在的设置。`,
    setUpParts: {
      cpus: count => `${count} 个处理器`,
      memory: (min, max) => `${min} 到 ${max} 内存`,
      balance: '内存平衡设置不同',
      forwards: count => `${count} 个端口转发`,
      tpm: isOn => (isOn ? '有 TPM' : '没有 TPM'),
      networks: { user: '可访问网络', isolated: '隔离的网络', none: '没有网络' },
      machine: '另一种机型',
    },
    fresh: '改为从磁盘启动',
  },
  files: {
    verb: '恢复文件…',
    verbDone: '恢复文件',
    title: name => `“${name}”时的文件`,
    help: '所选文件会复制到这台电脑上的新文件夹。时间点和虚拟机保持不变。',
    disk: '磁盘',
    part: '分区',
    way: '当前位置',
    root: '磁盘',
    of: folder => `${folder} 中`,
    asking: '正在读取磁盘…',
    failed: '无法显示文件',
    unreadable: '没有可读取的文件系统',
    unreadableText: '这里无法读取加密磁盘、LVM、XFS 和 Btrfs。请改为查看该时间点。',
    count: entries => (entries === 0 ? '这里没有内容。' : `${entries} 项`),
    tooMany: entries => `超过 ${entries} 项：只显示其中一部分。`,
    notCopied: '不会复制',
    restore: files => (files === 0 ? '恢复文件' : `恢复 ${files} 个文件`),
  },
  peek: {
    verb: '查看',
    chip: point => `查看“${point}”`,
    mark: '查看',
    note: '没有网络，在这里所做的一切都不会保留。当前状态不受影响。',
    close: '关闭',
  },
};
