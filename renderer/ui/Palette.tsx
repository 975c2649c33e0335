// The command palette (Ctrl+K): jumps to a VM, or does any verb to it.
import { useState } from 'react';
import { Dialog as AriaDialog, Modal, ModalOverlay } from 'react-aria-components';
import { useSpeech } from '../i18n/text.ts';
import { useRoleWords } from '../policy/RoleStrip.tsx';
import { type Needs, useRole } from '../policy/role.ts';
import { findEntries, offered } from '../view/palette.ts';
import { useDiskEntries } from './palette-disks.ts';
import { useVmEntries } from './palette-vms.ts';

export interface Entry {
  readonly id: string;
  readonly label: string;
  /** The method the entry calls in the end. */
  readonly needs?: Needs;
  readonly run: () => void;
}
const SHOWN_MAX = 9;
/** Made from the index: an element's id may have no spaces, which names and verbs have. */
const optionId = (index: number): string => `palette-${index}`;

export function Palette(props: { readonly onClose: () => void }) {
  const { text } = useSpeech();
  const entries = [...useVmEntries(), ...useDiskEntries()];
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const every = findEntries(entries, typed);
  const all = offered(every, useRole());
  const reason = useRoleWords();
  const found = all.slice(0, SHOWN_MAX);
  const here = Math.min(at, found.length - 1);
  const chosen = found[here];
  const run = (entry: Entry | undefined): void => {
    if (entry === undefined) return;
    props.onClose();
    entry.run();
  };
  return (
    <ModalOverlay
      className="overlay top"
      isOpen
      isDismissable
      onOpenChange={open => !open && props.onClose()}
    >
      <Modal className="modal palette">
        <AriaDialog className="dialog" aria-label={text.palette.title}>
          <input
            className="palette-input"
            role="combobox"
            aria-expanded
            aria-controls="palette-list"
            aria-activedescendant={chosen === undefined ? undefined : optionId(here)}
            aria-label={text.palette.title}
            placeholder={text.palette.placeholder}
            // biome-ignore lint/a11y/noAutofocus: the palette opens to be typed into
            autoFocus
            value={typed}
            onChange={event => {
              setTyped(event.target.value);
              setAt(0);
            }}
            onKeyDown={event => {
              if (event.key === 'ArrowDown') setAt(Math.min(found.length - 1, at + 1));
              else if (event.key === 'ArrowUp') setAt(Math.max(0, at - 1));
              else if (event.key === 'Enter') run(chosen);
              else return;
              event.preventDefault();
            }}
          />
          <div id="palette-list" role="listbox" aria-label={text.palette.title} className="palette-list">
            {found.map((entry, index) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the input above is the keyboard's way
              <div
                key={entry.id}
                id={optionId(index)}
                role="option"
                tabIndex={-1}
                aria-selected={entry === chosen}
                onClick={() => run(entry)}
              >
                {entry.label}
              </div>
            ))}
          </div>
          {found.length === 0 ? (
            <p className="palette-none" role="status">
              {text.palette.none}
            </p>
          ) : null}
          {all.length > found.length ? (
            <p className="palette-none">{text.palette.more(all.length - found.length)}</p>
          ) : null}
          {every.length > all.length ? <p className="palette-none">{reason}</p> : null}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
