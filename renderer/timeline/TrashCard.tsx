// The trash: deleted points, each with a way back, and a button to purge all. Not shown while empty.
import { useState } from 'react';
import type { Timeline } from '../../shared/timeline.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Confirm } from '../ui/Dialog.tsx';
import { formatBytes, formatMoment } from '../view/format.ts';
import { pointName } from '../view/points.ts';

/** Points listed: more are rarely read one by one, and the CLI lists all. */
const SHOWN_MAX = 50;

export function TrashCard(props: { readonly timeline: Timeline }) {
  const { text, language } = useSpeech();
  const [isAsking, setAsking] = useState(false);
  const words = text.history.trash;
  const { vmId } = props.timeline;
  const { trash } = props.timeline;
  if (trash.length === 0) return null;
  const bytes = trash.reduce((sum, moment) => sum + moment.allocatedBytes, 0);
  return (
    <details className="card trash-card">
      <summary>
        {words.title(trash.length)} <span className="soft">{words.holds(formatBytes(bytes, language))}</span>
      </summary>
      <ul className="trash-list">
        {trash.slice(0, SHOWN_MAX).map(moment => {
          const name = pointName(moment, text);
          return (
            <li key={moment.id}>
              <span className="trash-name">{name}</span>
              <span className="soft">{formatMoment(moment.takenAt, language)}</span>
              <Button
                needs="moment.restore"
                label={words.restoreNamed(name)}
                onPress={() =>
                  void attempt(text.history.error.restore, () =>
                    call('moment.restore', { vmId, momentId: moment.id }),
                  )
                }
              >
                {words.restore}
              </Button>
            </li>
          );
        })}
      </ul>
      <div className="trash-foot">
        <p className="soft">{words.week}</p>
        <Button needs="trash.purge" look="flat" onPress={() => setAsking(true)}>
          {words.empty}
        </Button>
      </div>
      {isAsking ? (
        <Confirm
          title={words.emptyTitle(trash.length)}
          verb={words.emptyVerb}
          cancel={text.app.cancel}
          danger
          onClose={() => setAsking(false)}
          onConfirm={() => void attempt(text.history.error.purge, () => call('trash.purge', { vmId }))}
        >
          <p>{words.emptyText}</p>
          <p className="keep">{text.history.deleteKept(props.timeline.moments.length)}</p>
        </Confirm>
      ) : null}
    </details>
  );
}
