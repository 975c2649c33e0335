import { useState } from 'react';
import { KIB } from '../../shared/units.ts';
import { useSpeech } from '../i18n/text.ts';
import { AmountField } from '../ui/AmountField.tsx';

/** A line to edit an amount in bytes; emptying it calls `onClear`. */
export function SizeLine(props: {
  readonly label: string;
  readonly note: string;
  readonly bytes: number | null;
  readonly onBytes: (bytes: number) => void;
  readonly onClear: () => void;
}) {
  const { text } = useSpeech();
  const [isBad, setBad] = useState(false);
  return (
    <div className="setting-line">
      <span>
        {props.label}
        <small>{isBad ? text.memory.badAmount : props.note}</small>
      </span>
      <AmountField
        label={props.label}
        kib={props.bytes === null ? null : props.bytes / KIB}
        isInvalid={isBad}
        onCommit={kib => {
          setBad(kib === null);
          if (kib !== null) props.onBytes(Math.max(1024, kib) * KIB);
        }}
        onClear={() => {
          setBad(false);
          props.onClear();
        }}
      />
    </div>
  );
}
