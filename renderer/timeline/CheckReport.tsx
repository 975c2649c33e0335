// What a check of the history found: what is whole, what is damaged, what to do, and what is safe.
import type { Timeline } from '../../shared/timeline.ts';
import type { VerifyReport } from '../../shared/verify.ts';
import { useSpeech } from '../i18n/text.ts';
import { Notice } from '../ui/Notice.tsx';
import { type Findings, findingsOf } from '../view/check.ts';
import { formatBytes, formatMoment, formatOffset } from '../view/format.ts';
import { pointName } from '../view/points.ts';

/** Damaged places listed: more would not help in a window. */
const PLACES_SHOWN = 50;

interface ReportProps {
  readonly report: VerifyReport;
  readonly timeline: Timeline;
}

function useNames(timeline: Timeline): (id: string) => string {
  const { text } = useSpeech();
  const names = new Map<string, string>();
  for (const moment of timeline.moments) names.set(moment.id, pointName(moment, text));
  for (const moment of timeline.trash) names.set(moment.id, text.check.trashed(pointName(moment, text)));
  return id => names.get(id) ?? id.slice(0, 8);
}

function Places({ report, timeline }: ReportProps) {
  const { text, language } = useSpeech();
  const nameOf = useNames(timeline);
  const words = text.check;
  const rows = report.damages.slice(0, PLACES_SHOWN);
  const size = (bytes: number): string => formatBytes(bytes, language);
  return (
    <details className="check-places">
      <summary>{words.places}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable */}
      <section className="table-wrap" tabIndex={0} aria-label={words.places}>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{words.columns.at}</th>
              <th scope="col">{words.columns.length}</th>
              <th scope="col">{words.columns.touches}</th>
              <th scope="col">{words.columns.what}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(damage => (
              <tr key={`${damage.file}${damage.kind}${damage.offset}`}>
                <td>{formatOffset(damage.offset, language)}</td>
                <td>{size(damage.length)}</td>
                <td className="wrap">
                  {[...damage.momentIds.map(nameOf), ...(damage.touchesNow ? [words.now] : [])].join(', ') ||
                    words.noPoint}
                </td>
                <td className="wrap">
                  {damage.what} <span className="quiet">{damage.file}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {report.damages.length > rows.length ? (
        <p className="quiet">{words.more(report.damages.length - rows.length)}</p>
      ) : null}
    </details>
  );
}

function useAdvice(): (findings: Findings) => { safe: string; todo: string } {
  const { text } = useSpeech();
  const words = text.check;
  return ({ touchesNow, wholeCount, newestWhole }) =>
    touchesNow
      ? {
          safe: words.safePoints(wholeCount),
          todo: words.todoNow(newestWhole === null ? null : pointName(newestWhole, text)),
        }
      : { safe: words.safeNow(wholeCount), todo: words.todoPoints };
}

/** The damage in words; the history page shows them too, without any dialog open. */
export function DamageWords({ report, timeline }: ReportProps) {
  const { text } = useSpeech();
  const findings = findingsOf(report, timeline);
  const { safe, todo } = useAdvice()(findings);
  return (
    <>
      <p>{text.check.damaged(report.damages.length, findings.files, report.isTruncated)}</p>
      <p>{safe}</p>
      <p className="todo">{todo}</p>
    </>
  );
}

function Damaged(props: ReportProps) {
  const { text, language } = useSpeech();
  const { report, timeline } = props;
  const words = text.check;
  const { touched, touchesNow } = findingsOf(report, timeline);
  const nameOf = useNames(timeline);
  return (
    <>
      <Notice tone="warn" title={words.damagedTitle}>
        <DamageWords {...props} />
      </Notice>
      <h3>{words.touches}</h3>
      <ul className="touched">
        {touchesNow ? <li>{words.now}</li> : null}
        {touched.map(moment => (
          <li key={moment.id}>
            {nameOf(moment.id)} <span className="quiet">{formatMoment(moment.takenAt, language)}</span>
          </li>
        ))}
        {!touchesNow && touched.length === 0 ? <li>{words.noPoint}</li> : null}
      </ul>
      <Places {...props} />
    </>
  );
}

export function CheckReport(props: ReportProps) {
  const { text, language } = useSpeech();
  const { report, timeline } = props;
  const words = text.check;
  const size = (bytes: number): string => formatBytes(bytes, language);
  return (
    <div className="check-report">
      {report.damages.length > 0 ? (
        <Damaged {...props} />
      ) : report.state === 'stopped' ? (
        <Notice tone="calm" title={words.stoppedTitle} live="polite">
          {words.stopped(size(report.checkedBytes), size(report.totalBytes))}
        </Notice>
      ) : (
        <Notice tone="good" title={words.wholeTitle} live="polite">
          {words.whole(timeline.moments.length)}
        </Notice>
      )}
      <p className="quiet">
        {words.last(formatMoment(report.startedAt, language), size(report.checkedBytes))}
      </p>
      {report.unrecordedBytes === 0 ? null : (
        <p className="quiet">{words.unrecorded(size(report.unrecordedBytes))}</p>
      )}
    </div>
  );
}
