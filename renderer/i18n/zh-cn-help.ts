import type { enHelp } from './en-help.ts';

export const zhCnHelp: typeof enHelp = {
  help: {
    title: '帮助',
    missing: '无法读取此页。请重新加载窗口。',
    pages: {
      guide: '使用指南',
      it: 'IT 管理指南',
      data: '不用 Ebb 取回数据',
      policy: 'IT 限制',
      architecture: '内部结构',
      licences: '许可证',
    },
  },
};
