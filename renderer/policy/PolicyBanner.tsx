// Tells people, on every page, of a policy file that cannot be used as it is.
import { useSpeech } from '../i18n/text.ts';
import { openDialog } from '../state/navigation.ts';
import { Button } from '../ui/Button.tsx';
import { useService } from '../ui/hooks.ts';
import { Notice } from '../ui/Notice.tsx';
import { troubledFiles } from '../view/policy.ts';

export function PolicyBanner() {
  const { text } = useSpeech();
  const troubled = troubledFiles(useService(state => state.policy));
  const [first] = troubled;
  if (first === undefined) return null;
  return (
    <div className="panel-notice">
      <Notice
        tone="bad"
        title={text.policy.bannerTitle}
        live="polite"
        action={<Button onPress={() => openDialog('managed')}>{text.policy.look}</Button>}
      >
        <p className="wrap">
          {first.path}: {text.policy.states[first.state]}.
        </p>
        <p>{text.policy.bannerText}</p>
      </Notice>
    </div>
  );
}
