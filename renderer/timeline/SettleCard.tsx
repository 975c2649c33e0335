// The card of background work on the history: how far, how fast, how long; and that no point changes.
import { useRef } from 'react';
import type { Timeline } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Notice } from '../ui/Notice.tsx';
import { formatBytes, formatPercent, formatSpan } from '../view/format.ts';
import { pointName } from '../view/points.ts';
import { reversalFigures, type WorkFigures, workFigures } from '../view/settle.ts';

interface SettleProps {
  readonly vm: VmSummary;
  readonly timeline: Timeline;
}

function figuresOf({ reversal, work }: Timeline['settle']): WorkFigures | null {
  if (reversal !== null) return reversalFigures(reversal);
  return work === null ? null : workFigures(work);
}

/** "61 % · 214 MiB/s · 4 s left" */
function useFigures(timeline: Timeline): string {
  const { text, language } = useSpeech();
  const words = text.history;
  const { reversal, work, pendingEdges, state } = timeline.settle;
  const figures = figuresOf(timeline.settle);
  if (figures === null) return pendingEdges > 0 ? words.settlePending(pendingEdges) : '';
  if (reversal?.phase === 'flip') return words.flipping;
  const { share, remainingMs } = figures;
  const parts = [formatPercent(share, language)];
  const bytesPerSecond = (reversal ?? work)?.bytesPerSecond ?? 0;
  if (reversal?.phase === 'undo') parts.push(words.undoing);
  else if (state === 'settling' && bytesPerSecond > 0) {
    parts.push(words.rate(formatBytes(bytesPerSecond, language)));
    if (remainingMs !== null && remainingMs >= 1000)
      parts.push(words.left(formatSpan(remainingMs, language)));
  }
  if (pendingEdges > 1) parts.push(words.settlePending(pendingEdges));
  return parts.join(' · ');
}

export function SettleCard(props: SettleProps) {
  const { text, language } = useSpeech();
  const { vm, timeline } = props;
  const words = text.history;
  const figures = useFigures(timeline);
  const { settle } = timeline;
  const { reversal } = settle;
  const spoken = useRef(-1);
  const isAtRest = settle.state === 'rest';
  const poisoned = timeline.disks.find(disk => disk.poisoned !== null)?.poisoned ?? null;
  if (poisoned !== null) {
    return (
      <Notice tone="warn" title={words.health.poisoned} live="polite">
        {text.spoken(poisoned)}
      </Notice>
    );
  }
  if (isAtRest && !settle.isPaused) return null;
  if (settle.state === 'blocked') {
    return (
      <Notice tone="warn" title={words.settleBlocked} live="polite">
        {settle.reason === null ? null : text.spoken(settle.reason)}
      </Notice>
    );
  }
  const to = timeline.moments.find(moment => moment.id === reversal?.toMomentId);
  const share = figuresOf(settle)?.share ?? 0;
  // A screen reader hears every tenth, not every batch.
  const tenth = Math.floor(share * 10);
  if (tenth !== spoken.current) spoken.current = tenth;
  const isPaused = settle.state === 'paused' || isAtRest;
  const isHeld = isPaused && settle.isHeld && !settle.isPaused;
  const order = (to: 'run' | 'pause' | 'undo'): void =>
    void attempt(words.error.settle, () => call('settle.set', { vmId: vm.spec.id, to }));
  const title = isHeld
    ? words.settleHeld
    : isPaused
      ? words.settlePaused
      : to === undefined
        ? words.work[settle.work?.kind ?? 'reversal']
        : words.settling(pointName(to, text));
  const note = isAtRest
    ? words.settlePausedAtRest
    : isHeld
      ? words.settleHeldNote
      : isPaused
        ? words.settlePausedNote
        : words.settleNote(vm.spec.name);
  return (
    <section className="card settle-card" aria-label={title}>
      <div className="settle-head">
        <h2>{title}</h2>
        <span className="quiet">{figures}</span>
        <span className="grow" />
        {isPaused && reversal?.phase === 'copy' ? (
          <Button needs="settle.set" look="flat" onPress={() => order('undo')}>
            {words.turnBack}
          </Button>
        ) : null}
        <Button needs="settle.set" onPress={() => order(isPaused ? 'run' : 'pause')}>
          {isPaused ? words.continue : words.pause}
        </Button>
      </div>
      {isAtRest ? null : <progress aria-label={title} max={1} value={share} />}
      <p className="soft">{note}</p>
      <p className="sr-only" role="status">
        {isAtRest ? title : `${title}: ${formatPercent(tenth / 10, language)}`}
      </p>
    </section>
  );
}
