// Chooses which points are shown, and the zoom.
import { Minus, Plus } from 'lucide-react';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Segmented } from '../ui/Field.tsx';
import { formatPercent } from '../view/format.ts';
import { POINT_FILTERS, type PointFilter, ZOOMS } from '../view/timeline-view.ts';

export function HistoryFilter(props: {
  readonly filter: PointFilter;
  readonly setFilter: (filter: PointFilter) => void;
  readonly shown: number;
  /** Null: the view (the table) cannot be zoomed. */
  readonly zoom: number | null;
  readonly onZoom: (steps: 1 | -1) => void;
}) {
  const { text, language } = useSpeech();
  const { zoom, filter } = props;
  const words = text.historyView;
  return (
    <div className="history-filter">
      <Segmented
        label={words.filterLabel}
        value={filter}
        options={POINT_FILTERS.map(value => ({ value, label: words.filters[value] }))}
        onChange={props.setFilter}
      />
      <span className="quiet" role="status">
        {filter === 'all' ? '' : words.shown(props.shown)}
      </span>
      <span className="grow" />
      {zoom === null ? null : (
        <>
          <Button
            look="icon"
            label={words.out}
            onPress={() => props.onZoom(-1)}
            isDisabled={zoom === ZOOMS[0]}
          >
            <Minus size={14} aria-hidden />
          </Button>
          <span className="zoom quiet">{formatPercent(zoom, language)}</span>
          <Button
            look="icon"
            label={words.in}
            onPress={() => props.onZoom(1)}
            isDisabled={zoom === ZOOMS.at(-1)}
          >
            <Plus size={14} aria-hidden />
          </Button>
        </>
      )}
    </div>
  );
}
