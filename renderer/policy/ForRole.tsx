// Shows its children to people whose role may see them; others are told so, and nothing is asked that the
// service would refuse.
import type { ReactNode } from 'react';
import { useSpeech } from '../i18n/text.ts';
import { Notice } from '../ui/Notice.tsx';
import { useRoleWords } from './RoleStrip.tsx';
import { type Needs, useMay } from './role.ts';

export function ForRole(props: { readonly needs: Needs; readonly children: ReactNode }) {
  const { text } = useSpeech();
  const words = useRoleWords();
  if (useMay(props.needs)) return props.children;
  return (
    <div className="panel-notice">
      <Notice tone="calm" title={text.policy.notHere}>
        {words}
      </Notice>
    </div>
  );
}
