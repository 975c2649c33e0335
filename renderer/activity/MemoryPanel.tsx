// Why memory moved, as far back as the ledger goes (M7).
import { useCallback, useState } from 'react';
import type { VmId } from '../../shared/ids.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Ledger } from '../memory/Ledger.tsx';
import { Choice, VmChoice } from './Choice.tsx';
import { PageFoot } from './PageFoot.tsx';
import { usePages } from './use-pages.ts';

const PAGE = 60;

export function MemoryPanel() {
  const { text } = useSpeech();
  const words = text.activity.memory;
  const [vmId, setVmId] = useState<VmId | null>(null);
  const [which, setWhich] = useState<'all' | 'trouble'>('all');
  const ask = useCallback(
    async (beforeSeq: number | null) => {
      const { entries } = await call('memory.ledger', { vmId, limit: PAGE, beforeSeq });
      return { entries, next: entries.length < PAGE ? null : (entries.at(-1)?.seq ?? null) };
    },
    [vmId],
  );
  const pages = usePages(ask);
  const shown = pages.entries.filter(
    ({ result }) => which === 'all' || result === 'slow' || result === 'refused',
  );
  return (
    <>
      <div className="filters">
        <Choice
          label={text.activity.state}
          value={which}
          options={[
            ['all', words.all],
            ['trouble', words.trouble],
          ]}
          onChange={setWhich}
        />
        <VmChoice value={vmId} onChange={setVmId} />
      </div>
      {shown.length === 0 ? null : <Ledger entries={shown} empty="" limit={shown.length} isLong />}
      <PageFoot
        {...pages}
        count={shown.length}
        empty={which === 'all' && vmId === null ? words.empty : words.none}
        onOlder={pages.older}
        onReload={pages.reload}
      />
    </>
  );
}
