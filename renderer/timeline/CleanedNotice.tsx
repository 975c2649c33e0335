// After a clean-up: its points are in the trash, with buttons to restore them or to purge them.
import { useState } from 'react';
import type { Frees } from '../../shared/history.ts';
import type { MomentId, VmId } from '../../shared/ids.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Notice } from '../ui/Notice.tsx';
import type { Sending } from '../ui/use-command.ts';
import { formatBytes } from '../view/format.ts';

export interface Cleaned extends Frees {
  readonly momentIds: readonly MomentId[];
}

export function CleanedNotice(props: {
  readonly vmId: VmId;
  readonly cleaned: Cleaned;
  readonly command: Sending;
}) {
  const { text, language } = useSpeech();
  const words = text.automatic.clean;
  const { vmId, cleaned, command } = props;
  const [became, setBecame] = useState<{ readonly freed: number } | 'back' | null>(null);
  const each = async <T,>(run: (momentId: MomentId) => Promise<T>): Promise<T[]> => {
    const answers: T[] = [];
    for (const momentId of cleaned.momentIds) answers.push(await run(momentId));
    return answers;
  };
  const undo = async (): Promise<void> => {
    const done = await command.send(() => each(momentId => call('moment.restore', { vmId, momentId })));
    if (done !== null) setBecame('back');
  };
  const free = async (): Promise<void> => {
    const done = await command.send(() => each(momentId => call('trash.purge', { vmId, momentId })));
    if (done !== null) setBecame({ freed: done.reduce((sum, { freedBytes }) => sum + freedBytes, 0) });
  };
  if (became === 'back') return <Notice tone="good" title={words.undone} live="polite" />;
  if (became !== null)
    return <Notice tone="good" title={words.freed(formatBytes(became.freed, language))} live="polite" />;
  return (
    <Notice
      tone="good"
      title={words.done(cleaned.momentIds.length)}
      live="polite"
      action={
        <span className="pair">
          <Button onPress={free} isDisabled={command.isSending}>
            {words.now}
          </Button>
          <Button onPress={undo} isDisabled={command.isSending} autoFocus>
            {words.undo}
          </Button>
        </span>
      }
    >
      {words.doneText(formatBytes(cleaned.freesNowBytes, language))}
    </Notice>
  );
}
