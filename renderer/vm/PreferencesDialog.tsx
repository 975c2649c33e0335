// Settings of the window (theme, language) and of this computer's memory (reserve, budget, mode of sharing).
import { useState } from 'react';
import { useStore } from 'zustand';
import type { HostMemory } from '../../shared/memory.ts';
import type { PolicyRow } from '../../shared/policy/report.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { LANGUAGE_NAMES, useSpeech } from '../i18n/text.ts';
import { ManagedMark, useRule } from '../policy/ManagedMark.tsx';
import { useRoleWords } from '../policy/RoleStrip.tsx';
import { ROLE_REASON_ID, useMay } from '../policy/role.ts';
import { openDialog } from '../state/navigation.ts';
import { type Language, preferencesStore, setPreferences, type Theme } from '../state/preferences.ts';
import { AmountField } from '../ui/AmountField.tsx';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Segmented } from '../ui/Field.tsx';
import { useService } from '../ui/hooks.ts';

function Appearance() {
  const { text } = useSpeech();
  const { theme, language } = useStore(preferencesStore);
  const words = text.settings;
  return (
    <section className="settings-group">
      <h3>{words.appearance}</h3>
      <div className="setting-line">
        <span>{words.theme}</span>
        <Segmented<Theme>
          label={words.theme}
          value={theme}
          options={(['system', 'light', 'dark'] as const).map(value => ({
            value,
            label: words.themes[value],
          }))}
          onChange={value => setPreferences({ theme: value })}
        />
      </div>
      <div className="setting-line">
        <span>{words.language}</span>
        <Segmented<Language>
          label={words.language}
          value={language}
          options={(['en', 'zh-CN'] as const).map(value => ({ value, label: LANGUAGE_NAMES[value] }))}
          onChange={value => setPreferences({ language: value })}
        />
      </div>
    </section>
  );
}

function HostPolicy(props: { readonly host: HostMemory }) {
  const { text } = useSpeech();
  const { host } = props;
  const words = text.settings;
  const [problem, setProblem] = useState<string | null>(null);
  const rules = {
    mode: useRule('memory.mode'),
    reserve: useRule('memory.host.reserve'),
    budget: useRule('memory.host.budget'),
    cap: useRule('memory.vm.max'),
  };
  const may = useMay('memory.set-policy');
  const reason = useRoleWords();
  const isOff = (rule: PolicyRow | null): boolean => !may || rule?.isLocked === true;
  const why = (rule: PolicyRow | null, id: string): string | undefined =>
    may ? (rule === null ? undefined : id) : ROLE_REASON_ID;
  const set = (change: Parameters<typeof call<'memory.set-policy'>>[1]): void =>
    void attempt(words.memory, () => call('memory.set-policy', change));
  const setSize = (key: 'reserveKib' | 'budgetKib' | 'capKib', kib: number | null): void => {
    setProblem(kib === null ? text.memory.badAmount : null);
    if (kib !== null) set({ [key]: kib });
  };
  return (
    <section className="settings-group">
      <h3>{words.memory}</h3>
      {may ? null : <p className="soft">{reason}</p>}
      <div className="setting-line">
        <span>
          {words.sharing}
          <small>{words.sharingNotes[host.mode]}</small>
          <ManagedMark rule={rules.mode} />
        </span>
        <Segmented<HostMemory['mode']>
          label={words.sharing}
          isDisabled={isOff(rules.mode)}
          describedBy={may ? undefined : ROLE_REASON_ID}
          value={host.mode}
          options={(['demand', 'proportional'] as const).map(value => ({
            value,
            label: words.sharingModes[value],
          }))}
          onChange={mode => set({ mode })}
        />
      </div>
      <div className="setting-line">
        <span>
          {words.reserve}
          <small>{words.reserveNote}</small>
          <ManagedMark rule={rules.reserve} id="rule-reserve" />
        </span>
        <AmountField
          label={words.reserve}
          isDisabled={isOff(rules.reserve)}
          describedBy={why(rules.reserve, 'rule-reserve')}
          kib={host.reserveKib}
          onCommit={kib => setSize('reserveKib', kib)}
        />
      </div>
      <div className="setting-line">
        <span>
          {words.budget}
          <small>{words.budgetNote}</small>
          <ManagedMark rule={rules.budget} id="rule-budget" />
        </span>
        <AmountField
          label={words.budget}
          isDisabled={isOff(rules.budget)}
          describedBy={why(rules.budget, 'rule-budget')}
          kib={host.budgetKib}
          onCommit={kib => setSize('budgetKib', kib)}
          onClear={() => set({ budgetKib: null })}
        />
      </div>
      <div className="setting-line">
        <span>
          {words.cap}
          <small>{words.capNote}</small>
          <ManagedMark rule={rules.cap} id="rule-cap" />
        </span>
        <AmountField
          label={words.cap}
          isDisabled={isOff(rules.cap)}
          describedBy={why(rules.cap, 'rule-cap')}
          kib={host.capKib}
          onCommit={kib => setSize('capKib', kib)}
          onClear={() => set({ capKib: null })}
        />
      </div>
      {problem === null ? null : (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}

export function PreferencesDialog(props: { readonly onClose: () => void }) {
  const { text } = useSpeech();
  const host = useService(state => state.host);
  const info = useService(state => state.info);
  const isManaged = useService(state => (state.policy?.files.length ?? 0) > 0);
  return (
    <Dialog
      title={text.settings.title}
      size="medium"
      onClose={props.onClose}
      actions={
        <>
          {isManaged ? <Button onPress={() => openDialog('managed')}>{text.policy.open}</Button> : null}
          <Button look="go" onPress={props.onClose}>
            {text.app.close}
          </Button>
        </>
      }
    >
      <Appearance />
      {host === null ? null : <HostPolicy host={host} />}
      {info === null ? null : (
        <section className="settings-group">
          <h3>{text.settings.about}</h3>
          <p className="soft">{text.settings.version(info.version, info.pid)}</p>
          <p className="soft wrap">
            {text.settings.folder}: {info.dataFolder}
          </p>
        </section>
      )}
    </Dialog>
  );
}
