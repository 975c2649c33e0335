/// <reference types="vite/client" />
// The list of help pages, and their texts, fetched when a page is opened.
import type { Language } from '../state/preferences.ts';

export const HELP_PAGES = ['guide', 'it', 'policy', 'data', 'architecture', 'licences'] as const;
export type HelpPage = (typeof HELP_PAGES)[number];

type Load = () => Promise<{ readonly default: string }>;
const architecture: Load = () => import('./architecture.md?raw');

const TEXTS: Readonly<Record<Exclude<HelpPage, 'licences'>, Readonly<Record<Language, Load>>>> = {
  guide: { en: () => import('./guide.en.md?raw'), 'zh-CN': () => import('./guide.zh-CN.md?raw') },
  it: { en: () => import('./it.en.md?raw'), 'zh-CN': () => import('./it.zh-CN.md?raw') },
  policy: { en: () => import('./policy.en.md?raw'), 'zh-CN': () => import('./policy.zh-CN.md?raw') },
  data: { en: () => import('./data.en.md?raw'), 'zh-CN': () => import('./data.zh-CN.md?raw') },
  // In English only: it is for readers of the source, which is in English.
  architecture: { en: architecture, 'zh-CN': architecture },
};

/** The collected licences as Markdown: a heading for each package, its terms below, unchanged. */
export function licencePage(text: string): string {
  const [head = '', ...parts] = text.replaceAll('```', "'''").split(/\n={80}\n\n/);
  const shown = parts.map(part => {
    const [name = '', ...lines] = part.split('\n');
    return `## ${name}\n\n\`\`\`\n${lines.join('\n').trim()}\n\`\`\``;
  });
  return [head.trim(), ...shown].join('\n\n');
}

/** The build collects the licences into a file beside the page. */
async function loadLicences(): Promise<string> {
  const answer = await fetch('./licences.txt');
  if (!answer.ok) throw new Error(`licences.txt: ${answer.status}`);
  return licencePage(await answer.text());
}

export const loadHelp = (page: HelpPage, language: Language): Promise<string> =>
  page === 'licences' ? loadLicences() : TEXTS[page][language]().then(module => module.default);
