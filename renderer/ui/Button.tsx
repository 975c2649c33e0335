// The one button: plain, go (acts), flat (quiet), danger. Named by its verb.
import type { ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components';

export function Button(props: {
  readonly children: ReactNode;
  readonly onPress?: () => unknown;
  readonly look?: 'plain' | 'go' | 'flat' | 'danger' | 'icon';
  readonly label?: string;
  readonly isDisabled?: boolean;
  readonly isPressed?: boolean;
  readonly type?: 'button' | 'submit';
  readonly autoFocus?: boolean;
}) {
  return (
    <AriaButton
      className={`btn ${props.look ?? 'plain'}`}
      type={props.type ?? 'button'}
      isDisabled={props.isDisabled ?? false}
      autoFocus={props.autoFocus ?? false}
      onPress={() => void props.onPress?.()}
      {...(props.label === undefined ? {} : { 'aria-label': props.label })}
      {...(props.isPressed === undefined ? {} : { 'aria-pressed': props.isPressed })}
    >
      {props.children}
    </AriaButton>
  );
}
