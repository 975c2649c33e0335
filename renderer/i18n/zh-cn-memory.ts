// 试用与撤销内存范围、为这台电脑腾出内存的简体中文。
import type { enMemory } from './en-memory.ts';

export const zhCnMemory: typeof enMemory = {
  trial: {
    try: seconds => `改动先试用 ${seconds} 秒`,
    title: (name, range) => `${name} 正在试用 ${range}`,
    goesBack: range => `不保留则自动恢复为 ${range}，还剩`,
    goingBack: range => `正在恢复为 ${range}。`,
    keep: '保留',
    keepNamed: range => `保留 ${range}`,
    goBack: '立即恢复',
    short: range => `试用 ${range}`,
    mark: '范围试用中',
    undo: range => `撤销：恢复为 ${range}`,
    began: (name, range, before, seconds) =>
      `${name} 正在试用 ${range}。${seconds} 秒后恢复为 ${before}，除非您保留它。`,
    soon: (name, seconds) => `${name}：还有 ${seconds} 秒恢复原来的范围。`,
    ended: (name, range) => `试用结束：${name} 的范围是 ${range}。`,
    error: { undo: '撤销', keep: '保留', goBack: '恢复' },
  },
  free: {
    open: '腾出…',
    action: '腾出内存…',
    title: '腾出这台电脑的内存',
    intro:
      '其他程序需要内存时使用：虚拟机交还内存，直到空闲达到这个数量，并在一段时间内不再占用。任何虚拟机都不会低于最小值。',
    now: size => `这台电脑现在空闲 ${size}。`,
    amount: '空闲总量',
    more: size => `+${size}`,
    moreLabel: '比现在空闲的更多',
    span: '持续时间',
    gives: size => `虚拟机需要交还约 ${size}。`,
    givesNothing: '已经有这么多空闲。不会向虚拟机收回内存，它们也不会占用这部分。',
    lacks: most => `虚拟机给不了这么多：全部降到最小值时，最多约 ${most} 空闲。`,
    replaces: (size, until) => `正在保持 ${size} 空闲至 ${until}；再次要求会取代它。`,
    verb: '腾出内存',
    enough: size => `将有 ${size} 空闲`,
    enoughAlready: size => `已有 ${size} 空闲`,
    notEnough: size => `达不到 ${size}`,
    until: when => `虚拟机在 ${when} 之前不会占用它，除非您提前结束。`,
    kept: (size, until) => `保持 ${size} 空闲至 ${until}`,
    end: '结束',
    endAction: '结束保持内存空闲',
  },
};
