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
    fresh: '改为从磁盘启动',
  },
  peek: {
    verb: '查看',
    chip: point => `查看“${point}”`,
    mark: '查看',
    note: '没有网络，在这里所做的一切都不会保留。当前状态不受影响。',
    close: '关闭',
  },
};
