// The row of tabs of a page: one is chosen, arrows go round.
export function Tabs<T extends string>(props: {
  readonly label: string;
  readonly tabs: readonly T[];
  readonly tab: T;
  readonly names: Readonly<Record<T, string>>;
  /** Of the element each shows its page in; the tabs' own ids begin with it. */
  readonly panelId: string;
  readonly onSelect: (tab: T) => void;
}) {
  const { tabs, tab: chosen, panelId, onSelect } = props;
  const idOf = (tab: T): string => `${panelId}-${tab}`;
  const onKey = (key: string): void => {
    const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
    const tab = step === 0 ? undefined : tabs.at((tabs.indexOf(chosen) + step) % tabs.length);
    if (tab === undefined) return;
    onSelect(tab);
    document.getElementById(idOf(tab))?.focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label={props.label}>
      {tabs.map(tab => (
        <button
          key={tab}
          id={idOf(tab)}
          type="button"
          role="tab"
          aria-selected={tab === chosen}
          aria-controls={panelId}
          tabIndex={tab === chosen ? 0 : -1}
          onClick={() => onSelect(tab)}
          onKeyDown={event => onKey(event.key)}
        >
          {props.names[tab]}
        </button>
      ))}
    </div>
  );
}
