// Puts a VM's state into words.
import type { VmSummary } from '../../shared/vm.ts';
import { useSpeech } from '../i18n/text.ts';
import { formatSpan } from '../view/format.ts';

export function usePhaseWords(): (vm: VmSummary, now: number) => string {
  const { text, language } = useSpeech();
  return (vm, now) => {
    const { phase, since, detail, coming } = vm.state;
    if (phase === 'running' && coming !== null && coming !== 'silent')
      return `${text.phase.running}: ${text.coming[coming]}`;
    if (phase === 'running' || phase === 'suspended' || phase === 'paused') {
      return text.phase.since(text.phase[phase], formatSpan(now - since, language));
    }
    if (phase === 'starting' && detail !== '') return `${text.phase.starting}: ${text.spoken(detail)}`;
    return text.phase[phase];
  };
}
