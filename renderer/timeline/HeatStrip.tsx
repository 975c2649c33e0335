// What may differ on each disk: a sentence, and a strip that shows where on the disk.
import type { PointDifference, Timeline } from '../../shared/timeline.ts';
import { useSpeech } from '../i18n/text.ts';
import { ErrorWords, Notice } from '../ui/Notice.tsx';
import { busiestStretch, HEAT_BINS, HEAT_LEVELS, heatRuns, heatStrip } from '../view/difference.ts';
import { formatBytes } from '../view/format.ts';
import type { Difference } from './use-difference.ts';

function Strip(props: {
  readonly difference: PointDifference;
  readonly bytes: number;
  readonly label: string;
}) {
  const { text } = useSpeech();
  const strip = heatStrip(props.difference, props.bytes);
  const isCut = strip.knownBins < HEAT_BINS;
  return (
    <div className="heat">
      <svg
        role="img"
        aria-label={props.label}
        viewBox={`0 0 ${HEAT_BINS} 1`}
        preserveAspectRatio="none"
        shapeRendering="crispEdges"
      >
        {heatRuns(strip.bins).map(({ from, length, level }) => (
          <rect
            key={from}
            x={from}
            y="0"
            width={length}
            height="1"
            opacity={0.2 + (0.8 * level) / HEAT_LEVELS}
          />
        ))}
      </svg>
      {isCut ? (
        <i
          className="heat-rest"
          title={text.compare.notTold}
          style={{ left: `${(strip.knownBins / HEAT_BINS) * 100}%` }}
        />
      ) : null}
    </div>
  );
}

/** "1.6 GiB may differ, in 812 places." */
function useWords(isSince: boolean): (difference: PointDifference) => string {
  const { text, language } = useSpeech();
  const words = text.compare;
  const [nothing, differs] = isSince
    ? [words.nothingSince, words.differsSince]
    : [words.nothing, words.differs];
  return ({ bytes, ranges, isTruncated }) => {
    const count = new Intl.NumberFormat(language).format(ranges.length);
    return bytes === 0
      ? nothing
      : differs(formatBytes(bytes, language), count, ranges.length === 1, isTruncated);
  };
}

function DiskDifference(props: {
  readonly name: string;
  readonly bytes: number;
  readonly difference: PointDifference;
  readonly isShort: boolean;
}) {
  const { text, language } = useSpeech();
  const words = text.compare;
  const { difference, bytes } = props;
  const sentence = useWords(props.isShort)(difference);
  const size = (at: number): string => formatBytes((at / HEAT_BINS) * bytes, language);
  const busiest = props.isShort ? null : busiestStretch(heatStrip(difference, bytes));
  const where =
    busiest === null
      ? ''
      : busiest.from === 0
        ? words.busiestFirst(size(busiest.to))
        : words.busiest(size(busiest.from), size(busiest.to));
  return (
    <section className="difference">
      {props.isShort ? null : <h3>{props.name}</h3>}
      <p className={props.isShort ? 'quiet' : ''}>
        {sentence} <span className="soft">{where}</span>
      </p>
      {props.isShort && difference.bytes === 0 ? null : (
        <Strip difference={difference} bytes={bytes} label={`${props.name}: ${sentence} ${where}`.trim()} />
      )}
      {props.isShort ? null : (
        <div className="heat-scale" aria-hidden>
          <span>0</span>
          <span>{formatBytes(bytes / 2, language)}</span>
          <span>{formatBytes(bytes, language)}</span>
        </div>
      )}
      {difference.isTruncated && !props.isShort ? <p className="quiet">{words.notTold}</p> : null}
    </section>
  );
}

/** `isShort`: for a card, which shows the numbers only. */
export function DiskDifferences(props: {
  readonly found: Difference;
  readonly timeline: Timeline;
  readonly isShort?: boolean;
}) {
  const { text, language } = useSpeech();
  const { found, timeline } = props;
  if (found.kind === 'asking')
    return (
      <p className="quiet" role="status">
        {text.compare.asking}
      </p>
    );
  if (found.kind === 'failed')
    return (
      <Notice tone="bad" title={text.app.failed(text.compare.title)} live="polite">
        <ErrorWords body={found.error} />
      </Notice>
    );
  return (
    <div className="differences" role="status">
      {found.value.disks.map(({ diskId, difference }) => {
        const index = timeline.disks.findIndex(({ id }) => id === diskId);
        // The disk may have been larger at a point than it is now.
        const end = difference.ranges.reduce((most, range) => Math.max(most, range.offset + range.length), 0);
        const bytes = Math.max(timeline.disks[index]?.virtualBytes ?? 0, end);
        return (
          <DiskDifference
            key={diskId}
            name={text.compare.disk(Math.max(0, index) + 1, formatBytes(bytes, language))}
            bytes={bytes}
            difference={difference}
            isShort={props.isShort === true}
          />
        );
      })}
    </div>
  );
}
