// A table of the memory each VM has now, and will have after the change.
import type { StartPreview } from '../../shared/memory.ts';
import { useSpeech } from '../i18n/text.ts';
import { formatKib } from '../view/format.ts';

export function ChangesTable(props: { readonly changes: StartPreview['changes'] }) {
  const { text, language } = useSpeech();
  if (props.changes.length === 0) return null;
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{text.preview.who}</th>
          <th scope="col" className="right">
            {text.preview.from}
          </th>
          <th scope="col" className="right">
            {text.preview.to}
          </th>
        </tr>
      </thead>
      <tbody>
        {props.changes.map(change => (
          <tr key={change.vmId}>
            <td>{change.vmName}</td>
            <td className="right">{formatKib(change.fromKib, language)}</td>
            <td className="right">{formatKib(change.toKib, language)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
