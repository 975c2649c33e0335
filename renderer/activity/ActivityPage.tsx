// What happens and what happened: jobs, memory, audit.
import { useSpeech } from '../i18n/text.ts';
import { ACTIVITY_TABS, type ActivityTab, goTo } from '../state/navigation.ts';
import { TabPanel, Tabs } from '../ui/Tabs.tsx';
import { AuditPanel } from './AuditPanel.tsx';
import { JobsPanel } from './JobsPanel.tsx';
import { MemoryPanel } from './MemoryPanel.tsx';

const PANELS = { jobs: JobsPanel, memory: MemoryPanel, audit: AuditPanel } as const;

export function ActivityPage(props: { readonly tab: ActivityTab }) {
  const { text } = useSpeech();
  const Panel = PANELS[props.tab];
  return (
    <>
      <div className="head">
        <h1>{text.activity.title}</h1>
      </div>
      <Tabs
        label={text.activity.tabsLabel}
        tabs={ACTIVITY_TABS}
        tab={props.tab}
        names={text.activity.tabs}
        panelId="activity-panel"
        onSelect={tab => goTo({ kind: 'activity', tab })}
      />
      <TabPanel panelId="activity-panel" tab={props.tab}>
        <div className="page activity">
          <Panel />
        </div>
      </TabPanel>
    </>
  );
}
