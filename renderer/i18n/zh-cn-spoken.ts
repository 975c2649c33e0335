// 服务说的英文句子（内存记录、任务、步骤）的中文说法。整句都认识才翻译；不认识的原样显示。
const AMOUNT = '[\\d.]+ [KMGT]iB';
const MOVE = `.+? ${AMOUNT} → ${AMOUNT}`;
const MOVES = `${MOVE}(?:, ${MOVE})*`;

/** 原因从句：名称之后的说法。 */
const CAUSES: readonly (readonly [RegExp, string])[] = [
  [/^(.+) is about to start$/, '$1 即将启动'],
  [/^(.+) started$/, '$1 已启动'],
  [/^(.+) could not start$/, '$1 未能启动'],
  [/^(.+) did not start$/, '$1 没有启动'],
  [/^(.+) was found running$/, '发现 $1 正在运行'],
  [/^(.+) can be balanced now$/, '$1 现在可以参与平衡'],
  [/^(.+) is up$/, '$1 已就绪'],
  [/^(.+) was paused$/, '$1 已暂停'],
  [/^(.+) resumed$/, '$1 已恢复'],
  [/^(.+) was reset$/, '$1 已复位'],
  [/^(.+) was suspended$/, '$1 已挂起'],
  [/^(.+) ended unexpectedly$/, '$1 意外结束'],
  [/^(.+) stopped$/, '$1 已停止'],
  [/^What was free changed$/, '空闲内存有变化'],
  [/^This computer woke up$/, '这台电脑已唤醒'],
  [/^Ebb started$/, 'Ebb 已启动'],
];

function causeWords(clause: string): string {
  for (const [pattern, words] of CAUSES) if (pattern.test(clause)) return clause.replace(pattern, words);
  return clause;
}
const causesWords = (clauses: string): string => clauses.split(', ').map(causeWords).join('、');
const movesWords = (moves: string): string => moves.replaceAll(', ', '，');

type Sentence = readonly [pattern: RegExp, say: (...groups: string[]) => string];
const sentence = (pattern: string, say: Sentence[1]): Sentence => [
  new RegExp(`^${pattern}(?: |$)`, 'u'),
  say,
];

/** 依次从句首吃掉一句。 */
const SENTENCES: readonly Sentence[] = [
  sentence(
    `Done in ([\\d.]+) s: (${MOVES})\\.`,
    (seconds, moves) => `${seconds} 秒内完成：${movesWords(moves ?? '')}。`,
  ),
  sentence(
    `Once (.+?) is up: (${MOVES})\\.`,
    (name, moves) => `${name} 就绪之后：${movesWords(moves ?? '')}。`,
  ),
  sentence('Everyone has its maximum\\.', () => '大家都有最大内存。'),
  sentence('Everyone is at its minimum\\.', () => '大家都在最小内存。'),
  sentence('Everyone sits at (\\d+) % of its range\\.', share => `大家都在各自范围的 ${share}%。`),
  sentence('Below target: (.+?)\\.', names => `低于目标：${movesWords(names ?? '')}。`),
  sentence(
    `Balloons are to take (${AMOUNT}) for (.+?)\\.`,
    (size, names) => `气球将为 ${movesWords(names ?? '')} 收回 ${size}。`,
  ),
  sentence(`Balloons are to take (${AMOUNT})\\.`, size => `气球将收回 ${size}。`),
  sentence(
    `Balloons took (${AMOUNT}), (0 MiB|${AMOUNT}) of it came back to this computer\\.`,
    (size, back) => `气球收回了 ${size}，其中 ${back} 回到了这台电脑。`,
  ),
  sentence(`Balloons took (${AMOUNT})\\.`, size => `气球收回了 ${size}。`),
  sentence(`(${AMOUNT}) are missing even so\\.`, size => `即便如此仍缺 ${size}。`),
  sentence('(.+?)\\. Nothing can move\\.', causes => `${causesWords(causes ?? '')}：没有可以移动的内存。`),
  sentence('It is pinned\\.', () => '它已固定。'),
  sentence('Nothing shrinks\\.', () => '没有虚拟机需要缩小。'),
  sentence('Everyone keeps what they have\\.', () => '大家都保持现状。'),
  sentence(
    `It starts with (${AMOUNT}); its maximum applies at the next start\\.`,
    size => `它以 ${size} 启动；最大值在下次启动时生效。`,
  ),
  sentence('It waits until those that start now are up\\.', () => '它会等正在启动的虚拟机就绪。'),
  sentence(
    `(.+?) did not move: asked for (${AMOUNT}), still at (${AMOUNT})\\.`,
    (name, asked, still) => `${name} 没有动：要求 ${asked}，仍是 ${still}。`,
  ),
  sentence(
    'Nothing is lost; the others are planned around it\\.',
    () => '没有任何损失；其他虚拟机已另行安排。',
  ),
  sentence('Its balloon driver may be busy or missing\\.', () => '它的气球驱动可能正忙或缺失。'),
  sentence(
    `(.+?) ran short and took memory back by itself, up to (${AMOUNT})\\.`,
    (name, size) => `${name} 内存不足，自己取回了内存，达到 ${size}。`,
  ),
  sentence(
    'For a while it is asked for nothing, and given more where it needs more\\.',
    () => '一段时间内不再向它要内存，需要时还会多给。',
  ),
  sentence(
    'For (\\d+) s no memory was moved: what VMs were to be asked could not be written down first\\.',
    seconds => `${seconds} 秒内没有移动内存：要求没能先记录下来。`,
  ),
  sentence('Is the disk full\\? VMs kept what they had\\.', () => '磁盘满了吗？虚拟机保持原有内存。'),
  sentence(
    `The balloon of (.+?) took memory, and (${AMOUNT}) of it did not come back to this computer\\.`,
    (name, size) => `${name} 的气球收回了内存，但其中 ${size} 没有回到这台电脑。`,
  ),
  sentence('It counts as held and nobody is given it\\.', () => '这部分按已占用计算，不分给任何虚拟机。'),
  sentence(
    '(.+?) is asked for no more while this run lasts\\.',
    name => `${name} 这次运行期间不再被要求归还更多。`,
  ),
  sentence('(.+?) does not answer\\.', name => `${name} 没有回应。`),
  sentence(
    'What it may hold stays its own, and the others are planned around it, until it answers again\\.',
    () => '在它回应之前，它可能占有的内存仍归它，其他虚拟机另行安排。',
  ),
  sentence(
    `This computer has (${AMOUNT}) of memory left again; VMs are served as before\\.`,
    size => `这台电脑又有 ${size} 内存了；虚拟机照常。`,
  ),
  sentence(
    `This computer has (${AMOUNT}) of memory left, and programs waited for memory (\\d+) % of the time\\.`,
    (size, share) => `这台电脑还剩 ${size} 内存，程序有 ${share}% 的时间在等内存。`,
  ),
  sentence(`This computer has (${AMOUNT}) of memory left\\.`, size => `这台电脑还剩 ${size} 内存。`),
  sentence(
    'No VM is given more and none starts until that is over; what is missing is taken from VMs\\.',
    () => '在此期间不再给任何虚拟机增加内存，也不启动新的；缺的从虚拟机收回。',
  ),
  sentence('VMs give back what is missing, however little\\.', () => '虚拟机归还所缺的，再少也算。'),
  sentence(
    `(.+?) needs (${AMOUNT}) and only (${AMOUNT}) can be freed\\.`,
    (name, needs, most) => `${name} 需要 ${needs}，只能腾出 ${most}。`,
  ),
  sentence(`VMs give back (${AMOUNT})\\.`, size => `虚拟机归还 ${size}。`),
  sentence(
    `VMs can give back (${AMOUNT}) of the (${AMOUNT}) that are missing: then all that can move are at their minimum\\.`,
    (gives, missing) => `还缺 ${missing}，虚拟机能归还 ${gives}：那时能动的都在最小值了。`,
  ),
  sentence(
    `This computer has (${AMOUNT}) free: nothing needs to be given back\\.`,
    size => `这台电脑有 ${size} 空闲：不需要归还。`,
  ),
  sentence(
    'Paused: the disk is full\\. It goes on by itself when there is room; nothing is lost\\.',
    () => '已暂停：磁盘满了。有空间后会自己继续；没有任何损失。',
  ),
  sentence(
    'Paused: its disk does not answer\\. It goes on by itself when it does; nothing is lost\\.',
    () => '已暂停：它的磁盘没有回应。有回应后会自己继续；没有任何损失。',
  ),
  sentence(
    'Paused: the host could not write what this VM flushes, and takes nothing more from it\\. What was flushed before is safe\\. Check the host disk, force the VM off, then start it\\.',
    () =>
      '已暂停：主机写不下这台虚拟机刷新的数据，不再接受它的写入。此前刷新的数据都安全。请检查主机磁盘，强制关闭虚拟机，再启动它。',
  ),
  sentence(
    'It did not go on after its memory was saved\\. Ebb tries again by itself; nothing is lost\\.',
    () => '保存内存之后它没有继续运行。Ebb 会自己再试；没有任何损失。',
  ),
  sentence(
    'The guest system crashed\\. Reset it, or take a look at its screen first\\.',
    () => '客户机系统崩溃了。可以复位，或先看看它的屏幕。',
  ),
  sentence(
    `(.+?): (${MOVES})\\.`,
    (causes, moves) => `${causesWords(causes ?? '')}：${movesWords(moves ?? '')}。`,
  ),
  sentence(`(${MOVES})\\.`, moves => `${movesWords(moves ?? '')}。`),
];

const STEPS: Readonly<Record<string, string>> = {
  'making the disk': '正在建立磁盘',
  'measuring what differs': '正在测量差异',
  'taking the first point': '正在保存第一个时间点',
  'closing its disks': '正在关闭磁盘',
  'moving it to the trash': '正在移到回收站',
  'keeping the present': '正在保留现在',
  'writing what differs': '正在写入不同之处',
  'copying the installer': '正在复制安装盘',
  'looking for the files': '正在查找文件',
  'copying the folder': '正在复制文件夹',
  'moving the folder': '正在移动文件夹',
  'copying the files': '正在复制文件',
  'looking how large it is': '正在查看大小',
  'making it durable': '正在确保写入',
  'checking the image': '正在检查映像',
  comparing: '正在比较',
  'freeing memory': '正在腾出内存',
  'opening the disks': '正在打开磁盘',
  'starting QEMU': '正在启动 QEMU',
  'waiting for QEMU to answer': '等待 QEMU 应答',
  'reading saved memory': '正在读取保存的内存',
  'bringing back its memory': '正在取回它的内存',
  'making room for it': '正在腾出位置',
  'sharing the disk': '正在共享磁盘',
};
const VERBS: Readonly<Record<string, string>> = {
  Start: '启动',
  'Shut down': '关机',
  'Force off': '强制关机',
  Suspend: '挂起',
  Delete: '删除',
  Create: '新建',
  'Take a point of': '记录时间点',
  Clone: '复制',
  Add: '加入',
  'Insert a CD into': '放入光盘：',
  Export: '导出',
  'Export an update of': '导出更新：',
  'Import an update of': '导入更新：',
  Check: '检查',
  Compact: '归还空间：',
  'Go back': '回退',
  'Peek at': '查看',
  'Restore files of': '恢复文件：',
};
const TITLE = new RegExp(
  `^(${Object.keys(VERBS)
    .sort((a, b) => b.length - a.length)
    .join('|')}) (.+)$`,
  'u',
);

function wholeText(text: string): string | null {
  let rest = text;
  let said = '';
  while (rest !== '') {
    const found = SENTENCES.find(([pattern]) => pattern.test(rest));
    const match = found?.[0].exec(rest);
    if (found === undefined || match === undefined || match === null) return null;
    said += found[1](...match.slice(1));
    rest = rest.slice(match[0].length);
  }
  return said;
}

export function zhCnSpoken(text: string): string {
  const step = STEPS[text];
  if (step !== undefined) return step;
  const title = TITLE.exec(text);
  if (title !== null && !text.endsWith('.')) return `${VERBS[title[1] ?? ''] ?? ''} ${title[2] ?? ''}`;
  return wholeText(text) ?? text;
}
