// The one button: plain, go (acts), flat (quiet), danger. Named by its verb.
import type { ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components';
import { type Needs, ROLE_REASON_ID, useMay } from '../policy/role.ts';

export function Button(props: {
  readonly children: ReactNode;
  readonly onPress?: () => unknown;
  readonly look?: 'plain' | 'go' | 'flat' | 'danger' | 'icon';
  readonly label?: string;
  readonly isDisabled?: boolean;
  /** The method the button calls in the end: it is off, with the reason, for a role that may not call it. */
  readonly needs?: Needs;
  readonly isPressed?: boolean;
  readonly type?: 'button' | 'submit';
  readonly autoFocus?: boolean;
}) {
  const may = useMay(props.needs);
  return (
    <AriaButton
      className={`btn ${props.look ?? 'plain'}`}
      type={props.type ?? 'button'}
      isDisabled={!may || (props.isDisabled ?? false)}
      autoFocus={props.autoFocus ?? false}
      onPress={() => void props.onPress?.()}
      {...(may ? {} : { 'aria-describedby': ROLE_REASON_ID })}
      {...(props.label === undefined ? {} : { 'aria-label': props.label })}
      {...(props.isPressed === undefined ? {} : { 'aria-pressed': props.isPressed })}
    >
      {props.children}
    </AriaButton>
  );
}
