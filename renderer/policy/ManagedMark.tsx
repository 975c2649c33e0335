// The mark beside a control that IT policy binds: a lock, who manages it, the limit and why, in words.
import { Lock } from 'lucide-react';
import type { PolicyKey } from '../../shared/policy/keys.ts';
import type { PolicyRow } from '../../shared/policy/report.ts';
import { useSpeech } from '../i18n/text.ts';
import { useService } from '../ui/hooks.ts';
import { keyWords, limitText, placesOf, ruleOf } from '../view/policy.ts';

export const useRule = (key: PolicyKey): PolicyRow | null =>
  ruleOf(
    useService(state => state.policy),
    key,
  );

/** The rule that locks a key, so that people can change nothing about it; null: it is not locked. */
export function useLock(key: PolicyKey): PolicyRow | null {
  const rule = useRule(key);
  return rule?.isLocked === true ? rule : null;
}

export function ManagedMark(props: { readonly rule: PolicyRow | null; readonly id?: string }) {
  const { text, language } = useSpeech();
  const { rule } = props;
  if (rule === null) return null;
  const words = text.policy;
  const limits = limitText(rule, words, language);
  const said = [
    rule.value === false ? `${keyWords(rule.key, language).title}: ${words.notAllowed}` : '',
    rule.organization === '' ? words.managed : words.managedBy(rule.organization),
    limits === '' ? '' : words.limits(limits),
    rule.reason === '' ? '' : words.reason(rule.reason),
  ];
  return (
    <small className="managed-mark" id={props.id} title={`${rule.key} · ${placesOf(rule).join(', ')}`}>
      <Lock size={12} strokeWidth={2} aria-hidden />
      <span>{said.filter(Boolean).join(' · ')}</span>
    </small>
  );
}
