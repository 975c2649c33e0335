// 错误代码的中文说法：发生了什么、什么是安全的、该做什么。服务的原话附在后面。

import type { ErrorData, ErrorDictionary, ErrorText } from '../view/error-words.ts';
import { formatBytes } from '../view/format.ts';

const UNCHANGED = '没有任何改动。';
const DISKS_SAFE = '磁盘和所有时间点都没有受影响。';
const bytes = (data: ErrorData, key: string): string | null =>
  typeof data[key] === 'number' ? formatBytes(data[key], 'zh-CN') : null;

const PHASES: Readonly<Record<string, string>> = {
  off: '已关机',
  starting: '正在启动',
  running: '正在运行',
  paused: '已暂停',
  stopping: '正在关机',
  suspending: '正在挂起',
  suspended: '已挂起',
  failed: '出错',
};

function full(data: ErrorData): ErrorText {
  const [needs, free] = [bytes(data, 'needs'), bytes(data, 'free')];
  return {
    what: needs === null || free === null ? '磁盘空间不足。' : `需要 ${needs}，磁盘只剩 ${free}。`,
    safe: DISKS_SAFE,
    todo: '腾出一些空间，然后再试。',
  };
}

function wrongState(data: ErrorData): ErrorText {
  const phase = typeof data.phase === 'string' ? PHASES[data.phase] : undefined;
  return {
    what: phase === undefined ? '现在的状态下不能这样做。' : `这台虚拟机${phase}，现在不能这样做。`,
    safe: UNCHANGED,
    todo: '等它的状态改变后再试。',
  };
}

export const zhCnErrors: ErrorDictionary = {
  own: {
    internal: {
      what: 'Ebb 出了错。',
      safe: '其他虚拟机和磁盘没有受影响。',
      todo: '请再试一次；日志里有详情。',
    },
    cancelled: { what: '已取消。', safe: UNCHANGED, todo: '' },
    'rpc.bad-request': { what: '服务看不懂这个请求。', safe: UNCHANGED, todo: '请重新加载窗口后再试。' },
    'rpc.unknown-method': {
      what: '服务没有这个功能。',
      safe: UNCHANGED,
      todo: '请重新加载窗口，或更新后重启 Ebb。',
    },
    'rpc.version-mismatch': {
      what: '窗口与服务的版本不同。',
      safe: '虚拟机继续运行。',
      todo: '请重新加载窗口，或更新后重启 Ebb。',
    },
    'rpc.unavailable': {
      what: '窗口没有连接到 Ebb 服务。',
      safe: '虚拟机不依赖窗口，继续运行。',
      todo: '等重新连接后，先看一看改动是否已生效，再决定是否重做。',
    },
    'rpc.overflow': {
      what: '消息太多，连接被断开。',
      safe: '虚拟机继续运行。',
      todo: '窗口会自己重新连接。',
    },
    'rpc.denied': { what: '浏览器不允许这样做。', safe: UNCHANGED, todo: '请在桌面应用或终端里操作。' },
    'access.not-found': { what: '没有这个令牌或会话。', safe: UNCHANGED, todo: '请再看一下列表。' },
    'task.not-found': { what: '这项任务已不在进行。', safe: UNCHANGED, todo: '请再看一下任务列表。' },
    'file.unknown-token': { what: '选择的文件已失效。', safe: UNCHANGED, todo: '请重新选择文件。' },
    'file.unreadable': {
      what: '无法读取这个文件。',
      safe: UNCHANGED,
      todo: '请检查文件和权限，或选择另一个文件。',
    },
    'limit.reached': {
      what: '已达到数量上限。',
      safe: UNCHANGED,
      todo: '请先删除不需要的，或等正在进行的结束。',
    },
    'vm.not-found': { what: '没有这台虚拟机。', safe: UNCHANGED, todo: '请再看一下列表。' },
    'vm.name-taken': { what: '已经有同名的虚拟机。', safe: UNCHANGED, todo: '请换一个名称。' },
    'vm.bad-spec': { what: '虚拟机的设置不成立。', safe: UNCHANGED, todo: '请检查填写的内容。' },
    'vm.wrong-state': wrongState,
    'vm.start-failed': {
      what: '虚拟机没能启动。',
      safe: DISKS_SAFE,
      todo: '请看下面 QEMU 的原话；也可以在概览里“检查这台电脑”。',
    },
    'vm.died': {
      what: '虚拟机自己停止了。',
      safe: DISKS_SAFE,
      todo: '可以重新启动它；电脑内存可能曾经不足。',
    },
    'vm.timeout': {
      what: '虚拟机没有及时回应。',
      safe: '它继续运行，没有任何损失。',
      todo: '请在系统里关机，或强制关机（相当于拔掉电源）。',
    },
    'vm.sample-missing': {
      what: '示例系统不在缓存里。',
      safe: DISKS_SAFE,
      todo: '请在能联网的电脑上重新准备示例系统。',
    },
    'qemu.missing': { what: '这台电脑没有安装 QEMU。', safe: DISKS_SAFE, todo: '请安装 QEMU，然后再试。' },
    'qemu.refused': { what: 'QEMU 拒绝了这个操作。', safe: DISKS_SAFE, todo: '请看下面 QEMU 的原话。' },
    'memory.bad-range': {
      what: '内存范围不成立。',
      safe: UNCHANGED,
      todo: '最小值不能大于最大值，也不能太小。',
    },
    'memory.over-host': {
      what: '超过了这台电脑能给虚拟机的内存。',
      safe: UNCHANGED,
      todo: '请选择较小的最大值。',
    },
    'memory.over-cap': {
      what: '超过了单台虚拟机的内存上限。',
      safe: UNCHANGED,
      todo: '请选择较小的最大值。',
    },
    'memory.no-change': { what: '没有可以撤销或保留的内存改动。', safe: UNCHANGED, todo: '' },
    'memory.not-enough': {
      what: '能腾出的内存不够启动它。',
      safe: '没有启动，也没有移动任何内存。',
      todo: '请调低它或其他虚拟机的最小内存，或挂起一台虚拟机。',
    },
    'memory.no-balloon': {
      what: '这台虚拟机没有气球设备。',
      safe: UNCHANGED,
      todo: '它的内存固定不变；其他虚拟机会另行安排。',
    },
    'disk.not-found': { what: '没有这个磁盘。', safe: UNCHANGED, todo: '请再看一下列表。' },
    'disk.in-use': {
      what: '磁盘正在使用中。',
      safe: UNCHANGED,
      todo: '请等它用完，或关闭正在使用它的虚拟机。',
    },
    'audit.unwritable': {
      what: '无法写入审计记录，因此没有执行此操作。',
      safe: '没有任何更改。虚拟机继续运行；关机、挂起和删除仍可进行。',
      todo: '请腾出一些磁盘空间，或检查数据文件夹中的审计文件夹是否只属于您，然后重试。',
    },
    'network.port-in-use': {
      what: '端口转发所用的本机端口已被占用，虚拟机没有启动。',
      safe: '没有启动任何东西。',
      todo: '请结束占用端口的程序，或更改端口转发，然后再启动。',
    },
    'policy.denied': {
      what: '您所在组织的策略不允许此操作。',
      safe: UNCHANGED,
      todo: '请查看“受管理的设置”，或询问您的 IT 部门。',
    },
    'disk.full': full,
    'disk.io': {
      what: '读写磁盘时出错。',
      safe: '已保存的时间点没有改变。',
      todo: '请检查这块磁盘是否正常，然后再试。',
    },
    'disk.poisoned': {
      what: '一次写入没有得到确认，这个磁盘文件已停止写入。',
      safe: '已确认的内容没有丢失。',
      todo: '请关闭虚拟机，检查历史，然后再打开。',
    },
    'disk.too-large': { what: '磁盘太大：VHD 最多 2040 GiB。', safe: UNCHANGED, todo: '请选择较小的大小。' },
    'disk.would-shrink': { what: '磁盘只能扩大，不能缩小。', safe: UNCHANGED, todo: '请填写更大的数值。' },
    'disk.owned-elsewhere': {
      what: '这个磁盘属于另一台虚拟机。',
      safe: UNCHANGED,
      todo: '请先导出一份，再使用那一份。',
    },
    'vhd.corrupt': {
      what: '这个 VHD 文件不完整。',
      safe: '文件只被读取，没有改动。',
      todo: '请换一份完整的文件。',
    },
    'vhd.unsupported': {
      what: '不支持这种 VHD。',
      safe: '文件只被读取，没有改动。',
      todo: '请先转换成普通的 VHD。',
    },
    'vhd.parent-missing': {
      what: '找不到这个差异 VHD 的上一级文件。',
      safe: '文件只被读取，没有改动。',
      todo: '请把上一级文件放在同一文件夹，一起选择。',
    },
    'vhd.parent-mismatch': {
      what: '上一级文件与这个 VHD 不相配。',
      safe: '文件只被读取，没有改动。',
      todo: '请选择原来的上一级文件。',
    },
    'import.bad-format': {
      what: '文件不是所选的格式。',
      safe: '原文件没有改动。',
      todo: '请选择正确的格式。',
    },
    'import.changed': {
      what: '文件在导入期间被改动。',
      safe: '原文件没有被 Ebb 改动，也没有导入任何内容。',
      todo: '等它不再变化后，再导入一次。',
    },
    'import.refused': {
      what: '不能导入这个映像。',
      safe: '原文件没有改动。',
      todo: '请看下面的原因，或选择另一个映像。',
    },
    'timeline.missing': {
      what: '这台虚拟机的时间线丢失或无法读取。',
      safe: '磁盘映像都还在。',
      todo: '请在它的“历史”页面从映像重建时间线。',
    },
    'moment.not-found': { what: '没有这个时间点。', safe: UNCHANGED, todo: '请再看一下时间线。' },
    'moment.pinned': { what: '这个时间点已固定，所以没有删除。', safe: UNCHANGED, todo: '请先取消固定。' },
    'storage.unavailable': {
      what: '存储服务暂时不在。',
      safe: '已确认的写入没有丢失。',
      todo: '它会自己重新启动；请稍后再试。',
    },
    'host.unsupported': {
      what: '这台电脑或文件系统不支持这个功能。',
      safe: UNCHANGED,
      todo: '请换一种方式，例如完整复制。',
    },
    'host.permission': { what: '没有所需的权限。', safe: UNCHANGED, todo: '请检查文件夹和设备的权限。' },
  },
  here: {},
  elsewhere: '',
};
