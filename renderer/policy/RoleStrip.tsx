// Whoever signed in from elsewhere with fewer rights is told before a button refuses.
import { Eye } from 'lucide-react';
import { useSpeech } from '../i18n/text.ts';
import { useService } from '../ui/hooks.ts';

export function RoleStrip() {
  const { text } = useSpeech();
  const role = useService(state => state.info?.role ?? 'administer');
  if (role === 'administer') return null;
  return (
    <p className="role-strip" role="note">
      <Eye size={14} strokeWidth={2} aria-hidden />
      {text.policy.roles[role]}
    </p>
  );
}
