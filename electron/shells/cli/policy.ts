// `ebb policy …`: shows and explains what IT set, and checks policy files before they are put in place.
import { sayAmount } from '../../../shared/policy/amount.ts';
import { hasErrors, isAmount, readPolicyFile } from '../../../shared/policy/file.ts';
import { isPolicyKey, keyRow } from '../../../shared/policy/keys.ts';
import type { PolicyReport, PolicyRow, PolicyValue } from '../../../shared/policy/report.ts';
import { policyJsonSchema } from '../../../shared/policy/schema.ts';
import { readPolicyPath } from '../../platform/policy-files.ts';
import { EXIT_FAILED, EXIT_OK } from './exits.ts';
import { table } from './output.ts';
import type { Output, Run } from './session.ts';
import type { POLICY_ROWS } from './table/policy.ts';

type Rows = typeof POLICY_ROWS;

function wordOf(key: string, value: PolicyValue): string {
  if (!isPolicyKey(key)) return String(value);
  const row = keyRow(key);
  if (row.kind === 'flag') return value === false ? 'not allowed' : 'allowed';
  if (typeof value === 'number' && isAmount(row)) return sayAmount(row.kind, value);
  return value === null ? '–' : String(value);
}

function limitText({ key, min, max, allowed }: PolicyRow): string {
  const parts = [
    min === null ? '' : `at least ${wordOf(key, min)}`,
    max === null ? '' : `at most ${wordOf(key, max)}`,
    allowed === null ? '' : allowed.join(', ') || 'nothing',
  ];
  return parts.filter(Boolean).join(', ') || '–';
}

const placeOf = ({ by, line }: PolicyRow['said'][number]): string => (line === 0 ? by : `${by}:${line}`);
const setBy = ({ said, isManaged }: PolicyRow): string =>
  !isManaged
    ? '–'
    : said
        .filter(({ effect }) => effect === 'binds')
        .map(placeOf)
        .join(', ');

const STATES = {
  'in-force': 'in force',
  'last-good': 'what it said before is in force',
  'in-part': 'only what could be understood is in force',
  refused: 'not in force',
} as const;

function filesText({ files, folders }: PolicyReport): string {
  if (files.length === 0) return `No policy files in ${folders.join(', ')}.`;
  return files
    .map(({ path, state, problems }) =>
      [
        `${path}: ${STATES[state]}`,
        ...problems.map(
          ({ line, severity, what }) => `  ${severity}${line === 0 ? '' : `, line ${line}`}: ${what}`,
        ),
      ].join('\n'),
    )
    .join('\n');
}

export const showPolicy: Run<Rows['policy show']> = async ({ client, given }) => {
  const report = await client.call('policy.show', {});
  const rows = report.rows.filter(({ isManaged, from }) => given.all || isManaged || from === 'recommended');
  const who = report.organization === '' ? '' : `Managed by ${report.organization}.\n`;
  const shown =
    rows.length === 0
      ? 'Nothing is set for this computer.'
      : table(
          ['KEY', 'IN FORCE', 'LIMITS', 'SET BY'],
          rows.map(row => [row.key, wordOf(row.key, row.value), limitText(row), setBy(row)]),
        );
  const conflicts = report.conflicts.map(text => `\nConflict: ${text}`).join('');
  return { text: `${who}${shown}\n\n${filesText(report)}${conflicts}`, json: report };
};

export const explainPolicy: Run<Rows['policy explain']> = async ({ client, given }) => {
  const report = await client.call('policy.show', {});
  const row = report.rows.find(({ key }) => key === given.KEY);
  if (row === undefined) return { text: `Nothing is known of ${given.KEY}.`, json: null };
  const { en } = keyRow(given.KEY as Parameters<typeof keyRow>[0]);
  const said = row.said.map(
    entry =>
      `  ${entry.effect === 'binds' ? 'binds' : 'beaten'}  ${placeOf(entry)} (${entry.layer}): ${entry.text}`,
  );
  const conflicts = report.conflicts.filter(text => text.startsWith(`${row.key}: `));
  const lines = [
    `${row.key}: ${en.title}`,
    en.doc,
    `In force: ${wordOf(row.key, row.value)} (${row.from}). Limits: ${limitText(row)}. ${row.isLocked ? 'Locked.' : 'People may change it within the limits.'}`,
    row.reason === '' ? '' : `Why: ${row.reason}`,
    said.length === 0 ? 'Nobody set it.' : `Said by:\n${said.join('\n')}`,
    ...conflicts.map(text => `Conflict: ${text}`),
  ];
  return { text: lines.filter(Boolean).join('\n'), json: { ...row, conflicts } };
};

/** Reads a file as control would, and tells whether control would trust it where it is. */
export function validatePolicy(path: string, isRecommended: boolean): Output {
  const found = readPolicyPath(path, [0]);
  const text = found.text ?? readPolicyPath(path, 'anyone').text;
  if (text === null)
    return {
      text: `${path}: ${found.problem}.`,
      json: { ok: false, trust: found.problem, problems: [] },
      exit: EXIT_FAILED,
    };
  const { file, problems } = readPolicyFile(text, isRecommended ? 'recommended' : 'managed');
  const ok = file !== null && !hasErrors(problems);
  const lines = [
    ok
      ? `${path}: understood, ${file.rules.length} ${file.rules.length === 1 ? 'rule' : 'rules'}.`
      : `${path}: not understood.`,
    ...problems.map(
      ({ line, severity, what }) => `  ${severity}${line === 0 ? '' : `, line ${line}`}: ${what}`,
    ),
    found.problem === '' ? '' : `  Where it is it would not be trusted: ${found.problem}.`,
  ];
  return {
    text: lines.filter(Boolean).join('\n'),
    json: { ok, trust: found.problem, problems },
    exit: ok ? EXIT_OK : EXIT_FAILED,
  };
}

export const schemaText = (): Output => {
  const json = policyJsonSchema();
  return { text: JSON.stringify(json, null, 2), json };
};
