// The person's choices about this window, kept in the browser's own storage.
import { createStore } from 'zustand/vanilla';

export type Theme = 'system' | 'light' | 'dark';
export type Language = 'en' | 'zh-CN';

export interface Preferences {
  readonly theme: Theme;
  readonly language: Language;
}

const KEY = 'ebb.preferences';

function load(): Preferences {
  const language: Language = navigator.language.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
  try {
    const stored = JSON.parse(window.localStorage.getItem(KEY) ?? '{}') as Partial<Preferences>;
    return {
      theme: stored.theme === 'light' || stored.theme === 'dark' ? stored.theme : 'system',
      language: stored.language === 'en' || stored.language === 'zh-CN' ? stored.language : language,
    };
  } catch {
    return { theme: 'system', language };
  }
}

export const preferencesStore = createStore<Preferences>()(load);

export function setPreferences(change: Partial<Preferences>): void {
  preferencesStore.setState(change);
  try {
    window.localStorage.setItem(KEY, JSON.stringify(preferencesStore.getState()));
  } catch {
    // The browser may deny storage (private window): the choice then lasts as long as the page.
  }
}

/** Sets theme and language on the document; with theme `system` it follows the system's changes. */
export function applyPreferences(): void {
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const apply = (): void => {
    const { theme, language } = preferencesStore.getState();
    const isDark = theme === 'dark' || (theme === 'system' && dark.matches);
    document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
    document.documentElement.lang = language;
  };
  apply();
  dark.addEventListener('change', apply);
  preferencesStore.subscribe(apply);
}
