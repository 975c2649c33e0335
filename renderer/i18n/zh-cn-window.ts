// The Chinese of how a history is looked at.
import type { enWindow } from './en-window.ts';

export const zhCnWindow: typeof enWindow = {
  historyView: {
    filterLabel: '显示的时间点',
    filters: { all: '全部', named: '已命名', pinned: '已固定' },
    shown: count => `显示 ${count} 个时间点`,
    in: '放大',
    out: '缩小',
  },
};
