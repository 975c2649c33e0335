// `node build/policy-docs.ts` rewrites the pages about IT policy from the table of keys (shared/policy/keys.ts);
// test/golden/policy-docs.test.ts compares. No key is described anywhere else.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemPolicyFolder } from '../electron/platform/policy-files.ts';
import { FILE_BYTES_MAX, POLICY_VERSION } from '../shared/policy/file.ts';
import { keyRow, type Part, POLICY_KEY_NAMES, type PolicyKeyRow } from '../shared/policy/keys.ts';
import { exampleRule, policyJsonSchema } from '../shared/policy/schema.ts';
import { repositoryRoot } from './layers.ts';

const folder = join(repositoryRoot, 'renderer', 'help');
const cell = (text: string): string => text.replaceAll('|', '\\|');
const KIB = 1024;

const EXAMPLE = {
  policyVersion: POLICY_VERSION,
  organization: 'Lab IT',
  contact: 'it@example.edu',
  settings: {
    'memory.host.reserve': { min: '6GiB', reason: 'Programs of this computer must stay usable' },
    'memory.vm.max': { max: '6GiB' },
    'vm.running': { max: 3 },
    'network.modes': { allowed: ['none'] },
    'vm.delete': { value: false },
  },
};

const PLACES = (['linux', 'darwin', 'win32'] as const).map(os => [os, systemPolicyFolder(os)] as const);
const OS_NAMES = { linux: 'Linux', darwin: 'macOS', win32: 'Windows' } as const;

interface Words {
  readonly intro: string;
  readonly places: readonly [string, string];
  readonly afterPlaces: string;
  readonly table: readonly [string, string, string, string];
  readonly choices: string;
  readonly always: string;
  readonly recommended: string;
}

const EN: Words = {
  intro: `# Limits set by IT

Whoever manages a computer can set limits for Ebb by JSON files in a system folder. Ebb's control service alone enforces
them, so they hold for the window, the command line, browsers and scripts alike. Files are looked at every two seconds; a
change is known within five, without a restart. VMs that run are brought within new limits of memory, and have back what is
theirs when the limit goes; what a VM is started with is limited at its next start, and what people do when they next do it
([the guide for IT](#/help/it) has all of it). This page is made of the table that enforces it.

## Where`,
  places: ['System', 'Folder'],
  afterPlaces: `Files of \`managed/\` bind; what files of \`recommended/\` set can be changed by people. Every \`*.json\` file is read, at most
64 of ${FILE_BYTES_MAX / KIB} KiB each, in the order of their names. Nothing in the environment, on the command line of clients or in a
person's own files moves these folders.

A file is trusted only if it is a plain file, not a link, and it, its folder and every folder above it belong to root and
can be written by nobody else. On Windows owners are not looked at: the folder's own permissions are what protects it. Ebb has been tried
with policy on Linux only so far.

## What a file says

\`\`\`json
${JSON.stringify(EXAMPLE, null, 2)}
\`\`\`

\`ebb policy validate FILE\` says whether a file would be understood, \`ebb policy schema\` prints its JSON Schema,
\`ebb policy show\` what is in force, \`ebb policy explain KEY\` who set it and whom that beat.

A value that binds comes before what people set, that before what is recommended, and that before what is built in. Limits of
all files apply together: the tightest counts. Where two files leave nothing in common, the stricter wins; of two values,
too, and where neither is stricter the first by name. Such conflicts are named in \`ebb policy show\`. A file can also give a
\`reason\` with each key, which people are told when something is refused. A key this version does not know is passed over
with a warning.

A file that can no longer be read, understood or trusted is told to people, and what it said before stays in force, also
after a restart; but a permission, \`headless.network\`, then counts only once its file can be read again. A file that was
never whole is in force as far as it can be understood.

Nothing here ever stands in the way of stopping, suspending or pausing a VM, taking a point of it, rescuing its history, or
exporting it as a VHD to Ebb's own exports folder.

## What this is not

Ebb runs as the person who uses it. Policy restrains Ebb's clients; it does not restrain somebody who can end Ebb's service,
start another program with its files, or run QEMU by hand. What is kept of a file's last good state lies in that person's
data folder too. Counts, such as the number of running VMs, are of one service: a second data folder has its own. Only an
installation as a system service, under another account, is a boundary.

## Keys
`,
  table: ['Key', 'Takes', 'What it does', 'Example'],
  choices: 'Of',
  always: 'always allowed',
  recommended: 'Can be recommended.',
};

const ZH: Words = {
  intro: `# IT 设置的限制

管理计算机的人员可以在系统文件夹中用 JSON 文件为 Ebb 设置限制。限制仅由 Ebb 的控制服务执行，因此对窗口、命令行、浏览器和脚本一律有效。
文件每两秒检查一次，更改在五秒内被获知，无需重启。正在运行的虚拟机的内存被带回新的限制之内，限制取消后恢复原状；虚拟机启动时的设置在下次启动时受限，
人们的操作在下一次操作时受限（详见 [IT 管理指南](#/help/it)）。
本页由执行限制的同一张表生成。

## 位置`,
  places: ['系统', '文件夹'],
  afterPlaces: `\`managed/\` 中的文件具有约束力；\`recommended/\` 中设置的值用户可以更改。读取所有 \`*.json\` 文件，按文件名顺序，最多 64 个，每个不超过
${FILE_BYTES_MAX / KIB} KiB。环境变量、客户端命令行和用户自己的文件都不能改变这些文件夹的位置。

只有普通文件（不是链接）才会被信任，并且文件、所在文件夹及其所有上级文件夹必须属于 root，且其他人不可写。
在 Windows 上不检查所有者：由文件夹自身的权限保护。目前仅在 Linux 上试验过。

## 文件内容

\`\`\`json
${JSON.stringify(EXAMPLE, null, 2)}
\`\`\`

\`ebb policy validate FILE\` 检查文件能否被理解，\`ebb policy schema\` 输出其 JSON Schema，\`ebb policy show\` 显示当前生效的内容，
\`ebb policy explain KEY\` 显示由谁设置、覆盖了谁。

强制值优先于用户设置，用户设置优先于推荐值，推荐值优先于内置值。所有文件的限制同时有效，以最严格的为准。两个文件没有共同部分时较严格者优先；
两个不同的值也是如此，无法比较严格程度时按文件名取第一个。这些冲突会在 \`ebb policy show\` 中列出。每个键都可以附带 \`reason\`（原因），
拒绝操作时会告诉用户。本版本不认识的键会被忽略并给出警告。

文件无法再读取、理解或信任时会告知用户，其先前内容继续有效，重启后也是如此；但许可（\`headless.network\`）在重启后要等文件可读才算数。从未完整过的文件在能理解的范围内生效。

任何策略都不会阻止停止、挂起或暂停虚拟机、记录时间点、抢救历史，或以 VHD 格式导出到 Ebb 自己的导出文件夹。

## 它不是什么

Ebb 以使用者的身份运行。策略约束的是 Ebb 的客户端，而不能约束能够结束 Ebb 服务、用其他程序打开其文件或手动运行 QEMU 的人。
文件最后完好状态的副本也保存在该用户的数据文件夹中。数量限制（如同时运行的虚拟机数）按每个服务计算：另一个数据文件夹有自己的计数。
只有以其他账户作为系统服务安装时才是真正的边界。

## 键
`,
  table: ['键', '可设', '作用', '示例'],
  choices: '可选',
  always: '始终允许',
  recommended: '可以推荐。',
};

function docOf(row: PolicyKeyRow, language: 'en' | 'zh', words: Words): string {
  const { title, doc } = row[language];
  const gap = language === 'en' ? ' ' : '';
  const choices = row.choices === undefined ? '' : `${words.choices}: ${row.choices.join(', ')}.`;
  const isListed = row.parts.includes('allowed' satisfies Part);
  const always = row.always !== undefined && isListed ? `${row.always.join(', ')}: ${words.always}.` : '';
  const advice = row.isSetting === true ? words.recommended : '';
  return [`**${title}${language === 'en' ? '.' : '。'}**`, doc, choices, always, advice]
    .filter(Boolean)
    .join(gap === '' ? ' ' : gap);
}

function page(language: 'en' | 'zh', words: Words): string {
  const places = PLACES.map(([os, path]) => `| ${OS_NAMES[os]} | \`${path}\` |`);
  const rows = POLICY_KEY_NAMES.map(key => {
    const row = keyRow(key);
    const example = `\`{"${key}": ${JSON.stringify(exampleRule(row))}}\``;
    return `| \`${key}\` | ${row.parts.join(', ')} | ${cell(docOf(row, language, words))} | ${cell(example)} |`;
  });
  return [
    words.intro,
    '',
    `| ${words.places.join(' | ')} |`,
    '| --- | --- |',
    ...places,
    '',
    words.afterPlaces,
    `| ${words.table.join(' | ')} |`,
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

export const policyPages = (): Readonly<Record<string, string>> => ({
  [join(folder, 'policy.en.md')]: page('en', EN),
  [join(folder, 'policy.zh-CN.md')]: page('zh', ZH),
  [join(folder, 'ebb-policy-1.schema.json')]: `${JSON.stringify(policyJsonSchema(), null, 2)}\n`,
});

if (process.argv[1] === import.meta.filename) {
  mkdirSync(folder, { recursive: true });
  for (const [path, text] of Object.entries(policyPages())) writeFileSync(path, text);
}
