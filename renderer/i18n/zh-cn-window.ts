// 服务所说的话，以及查看历史的方式。
import type { enWindow } from './en-window.ts';
import { zhCnErrors } from './zh-cn-errors.ts';
import { zhCnSpoken } from './zh-cn-spoken.ts';

export const zhCnWindow: typeof enWindow = {
  errors: zhCnErrors,
  spoken: zhCnSpoken,
  original: '服务的原话',
  historyView: {
    filterLabel: '显示的时间点',
    filters: { all: '全部', named: '已命名', pinned: '已固定' },
    shown: count => `显示 ${count} 个时间点`,
    in: '放大',
    out: '缩小',
  },
};
