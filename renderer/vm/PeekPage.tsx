// The page of a peek, a VM made to look at a moment: its screen, its moment, and the verb that ends it.
import type { VmSummary } from '../../shared/vm.ts';
import type { Peek } from '../../shared/vm-setup.ts';
import { endPeek } from '../api/commands.ts';
import { ScreenOf } from '../console/ScreenOf.tsx';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { useHue, useNow, useVms } from '../ui/hooks.ts';
import { StateShape } from '../ui/Shapes.tsx';
import { usePhaseWords } from './phase.ts';

export function PeekPage(props: { readonly vm: VmSummary; readonly peek: Peek }) {
  const { text } = useSpeech();
  const { vm, peek } = props;
  const now = useNow(1000);
  const phaseWords = usePhaseWords();
  const hue = useHue();
  const of = useVms().find(({ spec }) => spec.id === peek.vmId)?.spec.name ?? vm.spec.name;
  return (
    <>
      <div className="head" style={hue(vm.spec.id)}>
        <h1 title={of}>{of}</h1>
        <span className="chip">{text.peek.chip(peek.momentName || text.history.unnamed)}</span>
        <span className="chip calm fold-narrow" title={text.spoken(vm.state.detail)}>
          <StateShape phase={vm.state.phase} />
          {phaseWords(vm, now)}
        </span>
        <span className="grow" />
        <div className="verbs">
          <Button needs="vm.stop" look="go" onPress={() => endPeek(vm)}>
            {text.peek.close}
          </Button>
        </div>
      </div>
      <p className="peek-note soft">{text.peek.note}</p>
      <div className="tab-panel">
        <ScreenOf vm={vm} />
      </div>
    </>
  );
}
