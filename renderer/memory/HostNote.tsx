// The note beside the host bar: how much memory is free, and how much VMs leave free for other programs, with
// the buttons that ask for that and end it.
import { endFreeing } from '../api/commands.ts';
import { useSpeech } from '../i18n/text.ts';
import { openDialog } from '../state/navigation.ts';
import { Button } from '../ui/Button.tsx';
import { useService } from '../ui/hooks.ts';
import { formatClock, formatKib, formatPercent } from '../view/format.ts';

export function HostNote() {
  const { text, language } = useSpeech();
  const host = useService(state => state.host);
  if (host === null) return <div className="host-note" />;
  const size = (kib: number): string => formatKib(kib, language);
  const { freeUntil, freePromisedKib } = host;
  const kept =
    freeUntil === null || freePromisedKib === null
      ? null
      : text.free.kept(size(freePromisedKib), formatClock(freeUntil, language));
  return (
    <div className="host-note">
      <div className="host-figures" title={text.host.budget(size(host.budgetKib), size(host.totalKib))}>
        <div>
          <span className="num">{text.host.free(size(host.freeKib))}</span>{' '}
          <span className="quiet">{text.host.ofBudget(size(host.budgetKib))}</span>
        </div>
        {kept === null ? (
          <div className="quiet">
            {text.host.squeeze(formatPercent(host.compressionRatio, language))} ·{' '}
            {text.host.reserve(size(host.reserveKib))}
          </div>
        ) : (
          <div className="kept" title={kept}>
            {kept}
          </div>
        )}
      </div>
      {kept === null ? (
        <Button needs="memory.free" label={text.free.action} onPress={() => openDialog('free')}>
          {text.free.open}
        </Button>
      ) : (
        <Button needs="memory.free" label={text.free.endAction} onPress={endFreeing}>
          {text.free.end}
        </Button>
      )}
    </div>
  );
}
