// The foot of a long log: a button for older entries, that they load, that there are none, or the error.
import type { ErrorBody } from '../../shared/errors.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { ErrorWords, Notice } from '../ui/Notice.tsx';

export function PageFoot(props: {
  readonly count: number;
  readonly next: number | null;
  readonly isLoading: boolean;
  readonly error: ErrorBody | null;
  /** The words shown when the log has no entry at all. */
  readonly empty: string;
  readonly onOlder: () => unknown;
  readonly onReload: () => unknown;
}) {
  const { text } = useSpeech();
  const words = text.activity;
  if (props.error !== null)
    return (
      <Notice
        tone="bad"
        title={words.failed}
        live="assertive"
        action={<Button onPress={props.onReload}>{words.again}</Button>}
      >
        <ErrorWords body={props.error} />
      </Notice>
    );
  const said = props.isLoading
    ? words.loading
    : props.count === 0
      ? props.empty
      : props.next === null
        ? words.oldest
        : '';
  return (
    <div className="page-foot">
      {props.next !== null ? (
        <Button onPress={props.onOlder} isDisabled={props.isLoading}>
          {words.older}
        </Button>
      ) : null}
      <p className="quiet" role="status">
        {said}
      </p>
    </div>
  );
}
