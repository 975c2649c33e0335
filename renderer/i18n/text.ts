// The dictionaries and the hook every component speaks through.
import { useStore } from 'zustand';
import { type Language, preferencesStore } from '../state/preferences.ts';
import { type Dictionary, en } from './en.ts';
import { zhCn } from './zh-cn.ts';

const DICTIONARIES: Readonly<Record<Language, Dictionary>> = { en, 'zh-CN': zhCn };
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', 'zh-CN': '简体中文' };

export interface Speech {
  readonly text: Dictionary;
  readonly language: Language;
}

export function useSpeech(): Speech {
  const language = useStore(preferencesStore, state => state.language);
  return { text: DICTIONARIES[language], language };
}

/** For code outside components (errors of commands). */
export const speak = (): Dictionary => DICTIONARIES[preferencesStore.getState().language];
