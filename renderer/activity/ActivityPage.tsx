// What happens and what happened: jobs, memory, audit.
import { useSpeech } from '../i18n/text.ts';
import { ACTIVITY_TABS, type ActivityTab, goTo } from '../state/navigation.ts';
import { AuditPanel } from './AuditPanel.tsx';
import { JobsPanel } from './JobsPanel.tsx';
import { MemoryPanel } from './MemoryPanel.tsx';

const PANELS = { jobs: JobsPanel, memory: MemoryPanel, audit: AuditPanel } as const;

function Tabs(props: { readonly tab: ActivityTab }) {
  const { text } = useSpeech();
  const onKey = (key: string): void => {
    const at = ACTIVITY_TABS.indexOf(props.tab);
    const next = key === 'ArrowRight' ? at + 1 : key === 'ArrowLeft' ? at - 1 : null;
    if (next === null) return;
    const tab = ACTIVITY_TABS[(next + ACTIVITY_TABS.length) % ACTIVITY_TABS.length] ?? 'jobs';
    goTo({ kind: 'activity', tab });
    document.getElementById(`activity-${tab}`)?.focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label={text.activity.tabsLabel}>
      {ACTIVITY_TABS.map(tab => (
        <button
          key={tab}
          id={`activity-${tab}`}
          type="button"
          role="tab"
          aria-selected={tab === props.tab}
          aria-controls="activity-panel"
          tabIndex={tab === props.tab ? 0 : -1}
          onClick={() => goTo({ kind: 'activity', tab })}
          onKeyDown={event => onKey(event.key)}
        >
          {text.activity.tabs[tab]}
        </button>
      ))}
    </div>
  );
}

export function ActivityPage(props: { readonly tab: ActivityTab }) {
  const { text } = useSpeech();
  const Panel = PANELS[props.tab];
  return (
    <>
      <div className="head">
        <h1>{text.activity.title}</h1>
      </div>
      <Tabs tab={props.tab} />
      <div
        className="tab-panel"
        role="tabpanel"
        id="activity-panel"
        aria-labelledby={`activity-${props.tab}`}
        tabIndex={-1}
      >
        <div className="page activity">
          <Panel />
        </div>
      </div>
    </>
  );
}
