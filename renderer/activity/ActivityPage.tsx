// The Activity page: jobs, the memory ledger and the audit, each in a tab.
import { useSpeech } from '../i18n/text.ts';
import { ForRole } from '../policy/ForRole.tsx';
import { useMay } from '../policy/role.ts';
import { ACTIVITY_TABS, type ActivityTab, goTo } from '../state/navigation.ts';
import { TabPanel, Tabs } from '../ui/Tabs.tsx';
import { AuditPanel } from './AuditPanel.tsx';
import { JobsPanel } from './JobsPanel.tsx';
import { MemoryPanel } from './MemoryPanel.tsx';

const PANELS = { jobs: JobsPanel, memory: MemoryPanel, audit: AuditPanel } as const;
const NEEDS = { jobs: 'task.list', memory: 'memory.ledger', audit: 'audit.list' } as const;

export function ActivityPage(props: { readonly tab: ActivityTab }) {
  const { text } = useSpeech();
  const Panel = PANELS[props.tab];
  const mayAudit = useMay(NEEDS.audit);
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
        off={mayAudit ? [] : ['audit']}
        onSelect={tab => goTo({ kind: 'activity', tab })}
      />
      <TabPanel panelId="activity-panel" tab={props.tab}>
        <div className="page activity">
          <ForRole needs={NEEDS[props.tab]}>
            <Panel />
          </ForRole>
        </div>
      </TabPanel>
    </>
  );
}
