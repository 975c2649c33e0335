// Modal dialogs: a title, a body, actions at the foot. A dialog that destroys says what is kept.
import { type ReactNode, useEffect, useRef } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { Button } from './Button.tsx';

/** Keeps the keyboard's focus in the dialog when the pressed button is gone or disabled in the next step. */
function useHeldFocus() {
  const box = useRef<HTMLElement | null>(null);
  useEffect(() => {
    const held = document.activeElement;
    if (held === null || held === document.body || held.matches(':disabled')) box.current?.focus();
  });
  return box;
}

export function Dialog(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly actions?: ReactNode;
  readonly size?: 'small' | 'medium' | 'wide';
  /** A click beside the dialog does not close it: a form in progress is not lost. */
  readonly keepOpen?: boolean;
}) {
  const box = useHeldFocus();
  return (
    <ModalOverlay
      className="overlay"
      isOpen
      isDismissable={props.keepOpen !== true}
      onOpenChange={open => {
        if (!open) props.onClose();
      }}
    >
      <Modal className={`modal ${props.size ?? 'small'}`}>
        <AriaDialog className="dialog" aria-label={props.title} ref={box}>
          <Heading slot="title" className="dialog-title" level={2}>
            {props.title}
          </Heading>
          <div className="dialog-body">{props.children}</div>
          {props.actions === undefined ? null : <div className="dialog-actions">{props.actions}</div>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

/** Asks before a verb: says what happens and what is kept; its button is the verb. */
export function Confirm(props: {
  readonly title: string;
  readonly verb: string;
  readonly cancel: string;
  readonly danger?: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}) {
  return (
    <Dialog
      title={props.title}
      onClose={props.onClose}
      actions={
        <>
          <Button onPress={props.onClose} autoFocus>
            {props.cancel}
          </Button>
          <Button
            look={props.danger === true ? 'danger' : 'go'}
            onPress={() => {
              props.onConfirm();
              props.onClose();
            }}
          >
            {props.verb}
          </Button>
        </>
      }
    >
      {props.children}
    </Dialog>
  );
}
