// The dictionaries and the hook every component speaks through.
import { useStore } from 'zustand';
import { type Language, preferencesStore } from '../state/preferences.ts';
import { type Dictionary, en } from './en.ts';
import { zhCn } from './zh-cn.ts';

export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', 'zh-CN': '简体中文' };

export interface Speech {
  readonly text: Dictionary;
  readonly language: Language;
}

/** One object for each language, never a new one, so that values derived from it can be memoized. */
const SPEECH: Readonly<Record<Language, Speech>> = {
  en: { text: en, language: 'en' },
  'zh-CN': { text: zhCn, language: 'zh-CN' },
};

export const useSpeech = (): Speech => SPEECH[useStore(preferencesStore, state => state.language)];

/** For code outside components (errors of commands). */
export const speak = (): Dictionary => SPEECH[preferencesStore.getState().language].text;
