// A page's row of tabs (arrow keys go round it) and the panel of the chosen tab.
import type { ReactNode } from 'react';
import { ROLE_REASON_ID } from '../policy/role.ts';

const tabId = (panelId: string, tab: string): string => `${panelId}-${tab}`;

export function Tabs<T extends string>(props: {
  readonly label: string;
  readonly tabs: readonly T[];
  readonly tab: T;
  readonly names: Readonly<Record<T, string>>;
  /** The id of the panel element in which the chosen tab shows; the tabs' own ids begin with it. */
  readonly panelId: string;
  /** Tabs that this role may not open: they are off, with the reason. */
  readonly off?: readonly T[];
  readonly onSelect: (tab: T) => void;
}) {
  const { tabs, tab: chosen, panelId, off = [], onSelect } = props;
  const onKey = (key: string): void => {
    const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
    const on = tabs.filter(tab => tab === chosen || !off.includes(tab));
    const tab = step === 0 ? undefined : on.at((on.indexOf(chosen) + step) % on.length);
    if (tab === undefined) return;
    onSelect(tab);
    document.getElementById(tabId(panelId, tab))?.focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label={props.label}>
      {tabs.map(tab => (
        <button
          key={tab}
          id={tabId(panelId, tab)}
          type="button"
          role="tab"
          aria-selected={tab === chosen}
          aria-controls={panelId}
          tabIndex={tab === chosen ? 0 : -1}
          {...(off.includes(tab)
            ? { 'aria-disabled': true, 'aria-describedby': ROLE_REASON_ID }
            : { onClick: () => onSelect(tab) })}
          onKeyDown={event => onKey(event.key)}
        >
          {props.names[tab]}
        </button>
      ))}
    </div>
  );
}

export function TabPanel(props: {
  readonly panelId: string;
  readonly tab: string;
  readonly children: ReactNode;
}) {
  const { panelId, tab } = props;
  return (
    <div
      className="tab-panel"
      role="tabpanel"
      id={panelId}
      aria-labelledby={tabId(panelId, tab)}
      tabIndex={-1}
    >
      {props.children}
    </div>
  );
}
