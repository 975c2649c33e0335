// The keys of IT policy, each declared once. Policy files are checked against this table; JSON Schema,
// documentation and the Managed page are made from it; control enforces it. Plain data.

import { VM_MIN_KIB } from '../memory.ts';
import { FILE_KEYS } from './file-keys.ts';
import { type PolicyKeyRow, type RuleKind, row } from './key-row.ts';

export type { KeyWords, Part, PolicyKeyRow, RuleKind } from './key-row.ts';

const MEMORY_KEYS = {
  'memory.host.reserve': row({
    kind: 'memory',
    parts: ['value', 'min', 'max'],
    isSetting: true,
    strict: 'more',
    en: {
      title: 'Reserve of this computer',
      doc: 'Memory no VM ever gets. Never more than three quarters of what the computer has.',
    },
    zh: { title: '本机保留内存', doc: '任何虚拟机都得不到的内存。最多为本机内存的四分之三。' },
  }),
  'memory.host.budget': row({
    kind: 'memory',
    parts: ['value', 'max'],
    isSetting: true,
    strict: 'less',
    least: VM_MIN_KIB,
    en: {
      title: 'Budget of all VMs',
      doc: 'What all VMs may use together. VMs that run give back what is above it.',
    },
    zh: { title: '全部虚拟机的预算', doc: '所有虚拟机合计可用的内存。正在运行的虚拟机会交还超出的部分。' },
  }),
  'memory.vm.max': row({
    kind: 'memory',
    parts: ['value', 'max'],
    isSetting: true,
    strict: 'less',
    least: VM_MIN_KIB,
    en: {
      title: 'Largest maximum of a VM',
      doc: 'No VM gets more. One whose maximum is above it is held at it, and has its own again when the rule goes. While it binds all VMs are balanced, so that those that run can be brought to it.',
    },
    zh: {
      title: '虚拟机的最大内存上限',
      doc: '任何虚拟机都不会超过它。最大值更高的虚拟机被限制在此值；规则取消后恢复原值。生效期间所有虚拟机都参与内存平衡，以便正在运行的也能降到此值。',
    },
  }),
  'memory.vm.min': row({
    kind: 'memory',
    parts: ['min', 'max'],
    strict: 'less',
    least: VM_MIN_KIB,
    en: {
      title: 'Minimum of a VM',
      doc: "The least and the most a VM's minimum may be. One outside is treated as if it were the nearest inside.",
    },
    zh: { title: '虚拟机的最小内存', doc: '虚拟机最小值允许的下限与上限。超出范围的按最接近的允许值处理。' },
  }),
  'memory.mode': row({
    kind: 'choice',
    parts: ['value', 'allowed'],
    isSetting: true,
    choices: ['need', 'ratio'],
    en: {
      title: 'How memory is shared',
      doc: 'need: it goes where it is needed; ratio: every VM has the same share of its range.',
    },
    zh: { title: '内存分配方式', doc: 'need：给需要的虚拟机；ratio：每台虚拟机按各自范围的相同比例分配。' },
  }),
  'memory.weight': row({
    kind: 'count',
    parts: ['min', 'max'],
    strict: 'less',
    least: 1,
    most: 10_000,
    en: {
      title: 'Weight of a VM',
      doc: 'The least and the most weight a VM may have where memory is short; 100 is usual.',
    },
    zh: { title: '虚拟机的权重', doc: '内存紧张时虚拟机权重允许的下限与上限；通常为 100。' },
  }),
  'memory.optOut': row({
    kind: 'flag',
    parts: ['value'],
    en: {
      title: 'Leaving VMs out of balancing',
      doc: 'Whether a VM may be left out of balancing. If not, all are balanced, also those left out before.',
    },
    zh: { title: '不参与内存平衡', doc: '是否允许虚拟机不参与平衡。不允许时全部参与，包括此前已退出的。' },
  }),
  'memory.change': row({
    kind: 'flag',
    parts: ['value'],
    en: {
      title: 'Changing the memory of VMs',
      doc: 'Whether people may change minimum, maximum, weight and balancing of a VM. A trial under way goes back by itself.',
    },
    zh: {
      title: '更改虚拟机内存',
      doc: '是否允许更改虚拟机的最小值、最大值、权重和平衡。正在进行的试用会自动恢复。',
    },
  }),
  'memory.free': row({
    kind: 'flag',
    parts: ['value'],
    en: {
      title: 'Freeing memory for other programs',
      doc: 'Whether people may have VMs give memory back and leave it free for a while.',
    },
    zh: { title: '为其他程序腾出内存', doc: '是否允许让虚拟机交还内存并在一段时间内保持空闲。' },
  }),
};

const VM_KEYS = {
  'vm.running': row({
    kind: 'count',
    parts: ['max'],
    strict: 'less',
    least: 0,
    most: 200,
    en: {
      title: 'VMs running at once',
      doc: 'Starts and resumes beyond it are refused. VMs that run already are left alone.',
    },
    zh: { title: '同时运行的虚拟机', doc: '超出时拒绝启动和恢复。已在运行的不受影响。' },
  }),
  'vm.count': row({
    kind: 'count',
    parts: ['max'],
    strict: 'less',
    least: 0,
    most: 200,
    en: { title: 'VMs in all', doc: 'Creating and cloning beyond it is refused. VMs there are stay.' },
    zh: { title: '虚拟机总数', doc: '超出时拒绝创建和克隆。已有的虚拟机保留。' },
  }),
  'vm.cpus': row({
    kind: 'count',
    parts: ['max'],
    strict: 'less',
    least: 1,
    most: 64,
    en: {
      title: 'Processors of a VM',
      doc: 'A VM that has more starts with so many. Saved memory of one that ran with more is not resumed.',
    },
    zh: {
      title: '虚拟机的处理器数',
      doc: '处理器更多的虚拟机以此数启动。以更多处理器挂起的虚拟机不能恢复。',
    },
  }),
  'vm.create': row({
    kind: 'flag',
    parts: ['value'],
    en: { title: 'Creating VMs', doc: 'Whether people may create VMs.' },
    zh: { title: '创建虚拟机', doc: '是否允许创建虚拟机。' },
  }),
  'vm.sources': row({
    kind: 'set',
    parts: ['allowed'],
    choices: ['sample', 'iso', 'disk', 'empty', 'folder'],
    en: {
      title: 'What VMs are created from',
      doc: 'The sample guest, an installer (also one that is put in later), an existing disk, an empty one, or the folder of a VM that an Ebb made.',
    },
    zh: {
      title: '创建虚拟机的来源',
      doc: '示例系统、安装光盘（包括之后放入的）、已有磁盘、空磁盘，或由 Ebb 创建的虚拟机文件夹。',
    },
  }),
  'vm.clone': row({
    kind: 'flag',
    parts: ['value'],
    en: { title: 'Cloning VMs', doc: 'Whether people may clone VMs, in full or linked.' },
    zh: { title: '克隆虚拟机', doc: '是否允许克隆虚拟机（完整或链接）。' },
  }),
  'vm.delete': row({
    kind: 'flag',
    parts: ['value'],
    en: {
      title: 'Deleting VMs',
      doc: 'Whether people may delete VMs, which deletes their history with them.',
    },
    zh: { title: '删除虚拟机', doc: '是否允许删除虚拟机；其历史会一同删除。' },
  }),
};

const OTHER_KEYS = {
  'disk.size': row({
    kind: 'size',
    parts: ['max'],
    strict: 'less',
    least: 1024 * 1024,
    en: {
      title: 'Size of a disk',
      doc: 'No disk is created, imported or grown beyond it. Disks there are stay as large as they are.',
    },
    zh: { title: '磁盘大小', doc: '不能创建、导入或扩大到超过此值。已有磁盘保持原大小。' },
  }),
  'disk.grow': row({
    kind: 'flag',
    parts: ['value'],
    en: { title: 'Growing disks', doc: 'Whether people may make disks larger.' },
    zh: { title: '扩大磁盘', doc: '是否允许扩大磁盘。' },
  }),
  'network.modes': row({
    kind: 'set',
    parts: ['allowed'],
    choices: ['user', 'isolated', 'none'],
    always: ['none'],
    en: {
      title: 'Networks of VMs',
      doc: 'A VM whose network is not allowed starts without one. Saved memory of one that ran with it is not resumed.',
    },
    zh: {
      title: '虚拟机网络',
      doc: '网络类型不被允许的虚拟机启动时没有网络；以该网络挂起的虚拟机不能恢复。',
    },
  }),
  'network.forwards': row({
    kind: 'flag',
    parts: ['value'],
    en: {
      title: 'Port forwards',
      doc: 'Whether ports of this computer may lead into VMs. If not, VMs start without theirs.',
    },
    zh: { title: '端口转发', doc: '是否允许将本机端口转发到虚拟机。不允许时虚拟机启动时不带转发。' },
  }),
  'history.goBack': row({
    kind: 'flag',
    parts: ['value'],
    en: {
      title: 'Going back',
      doc: 'Whether people may go back to an earlier point of a VM, or peek at one. Peeks that are open end.',
    },
    zh: {
      title: '返回过去',
      doc: '是否允许将虚拟机返回到较早的时间点，或查看时间点。已打开的查看会被结束。',
    },
  }),
  'history.delete': row({
    kind: 'flag',
    parts: ['value'],
    en: { title: 'Deleting points', doc: 'Whether people may put points of a VM into the trash.' },
    zh: { title: '删除时间点', doc: '是否允许将虚拟机的时间点移入回收站。' },
  }),
  'history.purge': row({
    kind: 'flag',
    parts: ['value'],
    en: {
      title: 'Emptying the trash',
      doc: 'Whether people may delete for good what is in the trash of a history.',
    },
    zh: { title: '清空回收站', doc: '是否允许永久删除历史回收站中的内容。' },
  }),
  'history.trashDays': row({
    kind: 'count',
    parts: ['min', 'max'],
    strict: 'more',
    least: 0,
    most: 3650,
    en: {
      title: 'Days in the trash',
      doc: 'How long what was deleted stays in the trash before Ebb removes it by itself; without a rule 7 days.',
    },
    zh: { title: '回收站保留天数', doc: '删除的内容在自动清除前保留多久；没有规则时为 7 天。' },
  }),
  'history.everyMinutes': row({
    kind: 'count',
    parts: ['min', 'max'],
    strict: 'less',
    least: 15,
    most: 1440,
    en: {
      title: 'Minutes between automatic points',
      doc: 'With a max every VM has automatic points, at least so often, also where nobody turned them on; those of the last day stay whatever quota people set. Of 15, 30, 60, 120, 240, 480, 720 and 1440 minutes the nearest within the limits counts. A point that is taken because much was written also comes no sooner than the min after the one before it; a time of the schedule counts by the clock, also soon after such a point or after one that made up for a missed time.',
    },
    zh: {
      title: '自动时间点的间隔（分钟）',
      doc: '设置 max 时，每台虚拟机都有自动时间点，间隔不超过此值，即使没有人打开；无论用户设置多大空间，最近一天的都会保留。在 15、30、60、120、240、480、720 和 1440 分钟中，取限制内最接近的一个。因写入很多而建立的时间点，距前一个时间点也不短于 min；计划中的时刻按时钟计，即使刚有过这样的时间点或补建的时间点。',
    },
  }),
  'history.keepDays': row({
    kind: 'count',
    parts: ['min', 'max'],
    strict: 'more',
    least: 1,
    most: 366,
    en: {
      title: 'Days automatic points are kept',
      doc: 'The least and the most days of which automatic points are kept. Those younger than the least stay also where the room for the history is exceeded. Points that people took, pinned or named are never dropped by themselves.',
    },
    zh: {
      title: '自动时间点的保留天数',
      doc: '自动时间点最少和最多保留多少天。未满最少天数的，即使超出历史可用空间也会保留。由人记录、固定或命名的时间点不会被自动删除。',
    },
  }),
  'history.quota': row({
    kind: 'size',
    parts: ['max'],
    strict: 'less',
    en: {
      title: 'Room for the history of a VM',
      doc: 'Above it automatic points are dropped, the oldest first, but none younger than the least of history.keepDays. What people took stays, whatever it takes.',
    },
    zh: {
      title: '一台虚拟机的历史可用空间',
      doc: '超过时从最旧的自动时间点开始删除，但不删除未满 history.keepDays 最少天数的。由人记录的时间点无论占多少都会保留。',
    },
  }),
  'app.updates': row({
    kind: 'flag',
    parts: ['value'],
    en: {
      title: 'New versions of Ebb',
      doc: 'Whether Ebb looks for new versions of itself and offers to put them in place. What a package manager installed never does: that is how it is updated.',
    },
    zh: {
      title: 'Ebb 的新版本',
      doc: '是否允许 Ebb 查找自己的新版本并提供安装。由软件包管理器安装的从不自行查找，由软件包管理器更新。',
    },
  }),
  'headless.access': row({
    kind: 'flag',
    parts: ['value'],
    en: {
      title: 'Use from a browser',
      doc: 'Whether browsers may use Ebb at all. If not, those connected are cut off; VMs run on, and are stopped from the window or the command line.',
    },
    zh: {
      title: '浏览器访问',
      doc: '是否允许通过浏览器使用 Ebb。不允许时断开已有连接；虚拟机继续运行，可在窗口或命令行中停止。',
    },
  }),
  'headless.network': row({
    kind: 'flag',
    parts: ['value'],
    isPermission: true,
    en: {
      title: 'Browsers of other computers',
      doc: 'Whether browsers of other computers may use Ebb on this one, encrypted and signed in (ebb serve --host). Unlike other keys a permission: not allowed unless a file that nobody but an administrator can write says true. When it goes, those connected from elsewhere are cut off and nothing listens for them.',
    },
    zh: {
      title: '其他计算机的浏览器',
      doc: '是否允许其他计算机的浏览器经加密并登录后使用本机的 Ebb（ebb serve --host）。与其他键不同，这是一项许可：只有管理员才能写入的文件中写有 true，才允许。取消后，来自其他计算机的连接会被断开，也不再监听。',
    },
  }),
  'headless.console': row({
    kind: 'flag',
    parts: ['value'],
    en: {
      title: 'Screens in a browser',
      doc: 'Whether browsers may show screens and serial lines of VMs, also as they were at a point. Those that are open end.',
    },
    zh: {
      title: '浏览器中的屏幕',
      doc: '是否允许在浏览器中显示虚拟机的屏幕和串口，包括时间点当时的屏幕。已打开的会被断开。',
    },
  }),
};

export const POLICY_KEYS = { ...MEMORY_KEYS, ...VM_KEYS, ...FILE_KEYS, ...OTHER_KEYS };
export type PolicyKey = keyof typeof POLICY_KEYS;
export const POLICY_KEY_NAMES = Object.keys(POLICY_KEYS) as PolicyKey[];
export const isPolicyKey = (name: string): name is PolicyKey => Object.hasOwn(POLICY_KEYS, name);
export const keyRow = (key: PolicyKey): PolicyKeyRow => POLICY_KEYS[key];

/** The keys of a kind, so that asking a flag for its maximum does not compile. */
export type KeyOf<K extends RuleKind> = {
  [N in PolicyKey]: (typeof POLICY_KEYS)[N]['kind'] extends K ? N : never;
}[PolicyKey];
export type SettingKey = {
  [N in PolicyKey]: (typeof POLICY_KEYS)[N] extends { readonly isSetting: true } ? N : never;
}[PolicyKey];
