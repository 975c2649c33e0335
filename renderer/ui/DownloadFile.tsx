// A button to download the file a task has written, for a person at another computer.
import { Download } from 'lucide-react';
import type { Task } from '../../shared/task.ts';
import { attempt } from '../api/commands.ts';
import { downloadOf, isElsewhere } from '../api/download.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from './Button.tsx';

export function DownloadFile(props: { readonly task: Task | null }) {
  const { text } = useSpeech();
  const { task } = props;
  if (task === null || task.state !== 'done' || task.fileName === null || !isElsewhere()) return null;
  const words = text.tasks;
  return (
    <div>
      <Button
        needs="moment.download"
        label={words.downloadTitle(task.fileName)}
        onPress={() => attempt(words.download, () => downloadOf(task.id))}
      >
        <Download size={14} aria-hidden />
        {words.download}
      </Button>
    </div>
  );
}
