// The shell's own words: menus, tray and dialogs that the page does not draw.

const en = {
  file: 'File',
  view: 'View',
  help: 'Help',
  newVm: 'New VM…',
  settings: 'Settings…',
  overview: 'This Computer',
  doctor: 'Check This Computer…',
  guide: 'User Guide',
  show: 'Show Ebb',
  quit: 'Close Ebb (VMs keep running)',
  chooseDisk: 'Choose a disk image',
  chooseIso: 'Choose an installer image',
  diskImages: 'Disk images',
  isoImages: 'ISO images',
  allFiles: 'All files',
  noSandbox:
    'The window’s page would run without its sandbox, so the window does not open. Your VMs keep running. Install the deb, or allow programs their own user namespaces; ebb-browser shows the same window in a browser.',
  updateReady: 'Ebb {version} is ready to be put in place.',
  updateDetail: 'The window closes and opens again. Your VMs keep running.',
  updateNow: 'Update now',
  updateLater: 'Later',
  crashing: 'The window’s page keeps ending. Your VMs keep running. Close Ebb and open it again.',
};
export type ShellText = typeof en;

const zhCn: ShellText = {
  file: '文件',
  view: '显示',
  help: '帮助',
  newVm: '新建虚拟机…',
  settings: '设置…',
  overview: '这台电脑',
  doctor: '检查这台电脑…',
  guide: '使用指南',
  show: '显示 Ebb',
  quit: '关闭 Ebb（虚拟机继续运行）',
  chooseDisk: '选择磁盘映像',
  chooseIso: '选择安装映像',
  diskImages: '磁盘映像',
  isoImages: 'ISO 映像',
  allFiles: '所有文件',
  noSandbox:
    '窗口页面将在没有沙箱的情况下运行，因此不打开窗口。虚拟机继续运行。请安装 deb 包，或允许程序使用用户命名空间；ebb-browser 可在浏览器中显示同样的窗口。',
  updateReady: 'Ebb {version} 已准备好安装。',
  updateDetail: '窗口会关闭再打开。虚拟机继续运行。',
  updateNow: '立即更新',
  updateLater: '以后',
  crashing: '窗口页面反复退出。虚拟机仍在运行。请关闭 Ebb 再重新打开。',
};

export const shellText = (language: string): ShellText =>
  language.toLowerCase().startsWith('zh') ? zhCn : en;
