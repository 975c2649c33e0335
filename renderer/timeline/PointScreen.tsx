// What the screen showed when a point was taken. A guest's pixels: shown as a picture and as nothing else.
import type { VmId } from '../../shared/ids.ts';
import type { Moment } from '../../shared/timeline.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { useAnswer } from '../ui/use-answer.ts';
import { pointName } from '../view/points.ts';

export function PointScreen(props: { readonly vmId: VmId; readonly moment: Moment }) {
  const { text } = useSpeech();
  const { vmId, moment } = props;
  const hasScreen = moment.extras?.hasScreen === true;
  const ask = () => call('moment.screen', { vmId, momentId: moment.id });
  const shown = useAnswer(`${vmId} ${moment.id} ${hasScreen}`, hasScreen ? ask : null);
  const png = shown.kind === 'known' ? shown.value.png : null;
  if (!hasScreen) return null;
  const name = pointName(moment, text);
  // The picture's place is kept while it is fetched, so that nothing jumps.
  return (
    <div className="point-screen">
      {png === null ? null : <img src={`data:image/png;base64,${png}`} alt={text.moments.screenOf(name)} />}
    </div>
  );
}
