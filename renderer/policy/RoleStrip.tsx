// Tells a person with fewer rights so, before any button refuses; a person with a name can sign out.
import { Eye, UserRound } from 'lucide-react';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { useService } from '../ui/hooks.ts';
import { ROLE_REASON_ID, useRole } from './role.ts';

/** The answer may never arrive: signing out ends the session it would arrive on. */
async function signOut(): Promise<void> {
  await call('headless.sign-out', {}).catch(() => undefined);
  window.location.reload();
}

/** What this sign-in's role may not do, in words; null: it may do everything. */
export function useRoleWords(): string | null {
  const { text } = useSpeech();
  const role = useRole();
  return role === 'administer' ? null : text.policy.roles[role];
}

export function RoleStrip() {
  const { text } = useSpeech();
  const role = useRole();
  const words = useRoleWords();
  const user = useService(state => state.info?.user ?? '');
  if (role === 'administer' && user === '') return null;
  const Sign = role === 'administer' ? UserRound : Eye;
  return (
    <div className="role-strip" role="note">
      <Sign size={14} strokeWidth={2} aria-hidden />
      {words === null ? null : <span id={ROLE_REASON_ID}>{words}</span>}
      {user === '' ? null : (
        <>
          <span>{text.policy.signedInAs(user)}</span>
          <Button look="flat" onPress={signOut}>
            {text.policy.signOut}
          </Button>
        </>
      )}
    </div>
  );
}
