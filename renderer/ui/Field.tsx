// Labelled fields, each with its help and its error in words beside it.
import { type ReactNode, useId } from 'react';

export function Field(props: {
  readonly label: string;
  readonly help?: string | undefined;
  readonly error?: string | null;
  readonly children: (control: {
    id: string;
    'aria-describedby': string | undefined;
    'aria-invalid': boolean;
  }) => ReactNode;
}) {
  const id = useId();
  const error = props.error ?? null;
  const described = error !== null ? `${id}-e` : props.help !== undefined ? `${id}-h` : undefined;
  return (
    <div className="field-row">
      <label htmlFor={id}>{props.label}</label>
      {props.children({ id, 'aria-describedby': described, 'aria-invalid': error !== null })}
      {error !== null ? (
        <span className="field-error" id={`${id}-e`}>
          {error}
        </span>
      ) : props.help === undefined ? null : (
        <span className="field-help" id={`${id}-h`}>
          {props.help}
        </span>
      )}
    </div>
  );
}

/** A check box, with its meaning below. */
export function CheckField(props: {
  readonly label: string;
  readonly help?: string;
  readonly isOn: boolean;
  readonly isDisabled?: boolean;
  readonly onChange: (isOn: boolean) => void;
}) {
  const id = useId();
  return (
    <div className="check-row">
      <label>
        <input
          type="checkbox"
          checked={props.isOn}
          disabled={props.isDisabled === true}
          aria-describedby={props.help === undefined ? undefined : id}
          onChange={event => props.onChange(event.target.checked)}
        />
        {props.label}
      </label>
      {props.help === undefined ? null : (
        <span className="field-help" id={id}>
          {props.help}
        </span>
      )}
    </div>
  );
}

/** A row of exclusive choices, for small sets that are worth seeing at once. */
export function Segmented<T extends string>(props: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly onChange: (value: T) => void;
  readonly isDisabled?: boolean;
  readonly describedBy?: string | undefined;
}) {
  const name = useId();
  return (
    <div
      className="segmented"
      role="radiogroup"
      aria-label={props.label}
      aria-describedby={props.describedBy}
    >
      {props.options.map(option => (
        <label key={option.value} className={option.value === props.value ? 'on' : ''}>
          <input
            type="radio"
            name={name}
            disabled={props.isDisabled}
            checked={option.value === props.value}
            onChange={() => props.onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </div>
  );
}
