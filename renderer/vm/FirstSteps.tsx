// Shown while there is no VM: what to do first, and the two things Ebb is for.
import { History, Waves } from 'lucide-react';
import { useSpeech } from '../i18n/text.ts';
import { openDialog } from '../state/navigation.ts';
import { Button } from '../ui/Button.tsx';

export function FirstSteps() {
  const { text } = useSpeech();
  const words = text.overview;
  return (
    <div className="first-steps">
      <h2>{words.emptyTitle}</h2>
      <p className="soft">{words.emptyText}</p>
      <div className="actions">
        <Button needs="vm.create" look="go" onPress={() => openDialog('create')}>
          {words.emptySample}
        </Button>
        <Button onPress={() => openDialog('doctor')}>{words.doctor}</Button>
      </div>
      <div className="promises">
        <div>
          <Waves size={20} strokeWidth={1.6} aria-hidden />
          <h3>{words.emptyMemory}</h3>
          <p className="soft">{words.emptyMemoryText}</p>
        </div>
        <div>
          <History size={20} strokeWidth={1.6} aria-hidden />
          <h3>{words.emptyHistory}</h3>
          <p className="soft">{words.emptyHistoryText}</p>
        </div>
      </div>
    </div>
  );
}
