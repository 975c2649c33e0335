// The bar over the timeline: the disk's health, the size of the history, the choice of view, and the verbs.

import { Ellipsis } from 'lucide-react';
import { Button as AriaButton, Menu, MenuItem, MenuTrigger, Popover, Separator } from 'react-aria-components';
import { mayCall } from '../../shared/roles.ts';
import type { Timeline } from '../../shared/timeline.ts';
import { useSpeech } from '../i18n/text.ts';
import { useRole } from '../policy/role.ts';
import type { HistoryVerb } from '../state/asked.ts';
import { Button } from '../ui/Button.tsx';
import { Segmented } from '../ui/Field.tsx';
import { formatBytes } from '../view/format.ts';
import { healthOf, historyBytes } from '../view/settle.ts';

export type HistoryView = 'timeline' | 'table';

function Health(props: { readonly timeline: Timeline }) {
  const { text } = useSpeech();
  const health = healthOf(props.timeline);
  const isWaiting = health === 'paused' || health === 'held';
  const tone = health === 'blocked' || health === 'poisoned' ? 'warn' : isWaiting ? 'calm' : '';
  return <span className={`chip ${tone}`}>{text.history.health[health]}</span>;
}

function MoreMenu(props: { readonly onVerb: (verb: HistoryVerb) => void; readonly hasPoints: boolean }) {
  const { text } = useSpeech();
  const words = text.historyMenu;
  const { onVerb, hasPoints } = props;
  const role = useRole();
  return (
    <MenuTrigger>
      <AriaButton className="btn icon" aria-label={words.label}>
        <Ellipsis size={16} aria-hidden />
      </AriaButton>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu" aria-label={words.label}>
          {hasPoints ? <MenuItem onAction={() => onVerb('compare')}>{words.compare}</MenuItem> : null}
          <MenuItem onAction={() => onVerb('check')}>{words.check}</MenuItem>
          <MenuItem isDisabled={!mayCall(role, 'vm.compact')} onAction={() => onVerb('compact')}>
            {words.compact}
          </MenuItem>
          {hasPoints ? <Separator className="menu-line" /> : null}
          {hasPoints ? (
            <MenuItem
              isDisabled={!mayCall(role, 'moment.export-delta')}
              onAction={() => onVerb('export-update')}
            >
              {words.exportUpdate}
            </MenuItem>
          ) : null}
          {hasPoints ? (
            <MenuItem
              isDisabled={!mayCall(role, 'moment.import-delta')}
              onAction={() => onVerb('import-update')}
            >
              {words.importUpdate}
            </MenuItem>
          ) : null}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

export function HistoryBar(props: {
  readonly timeline: Timeline;
  readonly view: HistoryView;
  readonly setView: (view: HistoryView) => void;
  readonly onVerb: (verb: HistoryVerb) => void;
}) {
  const { text, language } = useSpeech();
  const { timeline } = props;
  const words = text.history;
  const hasPoints = timeline.moments.length > 0;
  return (
    <div className="history-bar">
      <Health timeline={timeline} />
      <span className="quiet">
        {words.count(
          timeline.moments.length,
          formatBytes(historyBytes(timeline), language),
          formatBytes(timeline.freeBytes, language),
        )}
      </span>
      <span className="grow" />
      {hasPoints ? (
        <Segmented
          label={words.viewLabel}
          value={props.view}
          options={[
            { value: 'timeline', label: words.asTimeline },
            { value: 'table', label: words.asTable },
          ]}
          onChange={props.setView}
        />
      ) : null}
      <MoreMenu onVerb={props.onVerb} hasPoints={hasPoints} />
      <Button needs="moment.take" look="go" onPress={() => props.onVerb('take')}>
        {words.take}
      </Button>
    </div>
  );
}
