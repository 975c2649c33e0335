/// <reference types="vite/client" />
// Which help pages there are, and their texts, fetched when they are looked at.
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
  // For who reads the source, which is in English.
  architecture: { en: architecture, 'zh-CN': architecture },
};

/** A heading for each package, its terms below as they are. */
export function licencePage(text: string): string {
  const [head = '', ...parts] = text.replaceAll('```', "'''").split(/\n={80}\n\n/);
  const shown = parts.map(part => {
    const [name = '', ...lines] = part.split('\n');
    return `## ${name}\n\n\`\`\`\n${lines.join('\n').trim()}\n\`\`\``;
  });
  return [head.trim(), ...shown].join('\n\n');
}

/** Licences are collected by the build, and lie beside the page. */
async function loadLicences(): Promise<string> {
  const answer = await fetch('./licences.txt');
  if (!answer.ok) throw new Error(`licences.txt: ${answer.status}`);
  return licencePage(await answer.text());
}

export const loadHelp = (page: HelpPage, language: Language): Promise<string> =>
  page === 'licences' ? loadLicences() : TEXTS[page][language]().then(module => module.default);
