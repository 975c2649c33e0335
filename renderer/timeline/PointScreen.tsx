// What the screen showed when a point was taken. A guest's pixels, shown as a picture and as nothing else.
import { useEffect, useState } from 'react';
import type { VmId } from '../../shared/ids.ts';
import type { Moment } from '../../shared/timeline.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';

export function PointScreen(props: { readonly vmId: VmId; readonly moment: Moment }) {
  const { text } = useSpeech();
  const { vmId, moment } = props;
  const hasScreen = moment.extras?.hasScreen === true;
  const [shown, setShown] = useState<{ readonly of: string; readonly png: string } | null>(null);
  useEffect(() => {
    let isWanted = hasScreen;
    if (hasScreen)
      void call('moment.screen', { vmId, momentId: moment.id }).then(
        ({ png }) => isWanted && png !== null && setShown({ of: moment.id, png }),
        () => undefined,
      );
    return () => {
      isWanted = false;
    };
  }, [vmId, moment.id, hasScreen]);
  if (!hasScreen) return null;
  const name = moment.name === '' ? text.history.unnamed : moment.name;
  // Its place is kept while it is fetched: nothing jumps.
  return (
    <div className="point-screen">
      {shown?.of === moment.id ? (
        <img src={`data:image/png;base64,${shown.png}`} alt={text.moments.screenOf(name)} />
      ) : null}
    </div>
  );
}
