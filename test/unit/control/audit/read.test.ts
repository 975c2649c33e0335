// The records as a client reads them, page by page, whatever the files hold.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Audit } from '../../../../electron/control/audit/audit.ts';
import type { AuditLog } from '../../../../electron/control/audit/audit-log.ts';
import { auditHandlers } from '../../../../electron/control/audit/handlers.ts';
import type { AuditPlace } from '../../../../shared/audit.ts';
import { AuditWorld, draft, entry } from '../../../support/audit-world.ts';

let world: AuditWorld;
let log: AuditLog;
let audit: Audit;

beforeEach(() => {
  world = new AuditWorld();
  log = world.log();
  audit = world.audit(log);
  audit.begin(() => false);
});

describe('read through the contract', () => {
  /** As a client reads it. */
  const exportOf = (limit: number, sinceMs = 0) => {
    const lines: string[] = [];
    let [after, pages]: [AuditPlace | null, number] = [null, 0];
    do {
      const since = lines.length > 0 ? 0 : sinceMs;
      const page = auditHandlers(audit, log)['audit.export']({ after, sinceMs: since, limit });
      lines.push(...page.lines);
      after = page.next;
      pages++;
    } while (after !== null && pages < 100);
    return { lines, pages };
  };
  const list = async (params: object) =>
    auditHandlers(audit, log)['audit.list']({
      beforeSeq: null,
      limit: 2,
      vmId: null,
      action: '',
      outcome: null,
      all: false,
      ...params,
    });

  it('newest first, page by page, a beginning only while its end is to come', async () => {
    for (const name of ['one', 'two', 'three'])
      audit.end(audit.start(draft(name), 'go-on'), { outcome: 'done' });
    audit.start(draft('four'), 'go-on');
    const first = await list({});
    expect(first.entries.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'four begun',
      'three done',
    ]);
    expect(first.head.seq).toBe(7);
    const second = await list({ beforeSeq: first.nextBeforeSeq });
    expect(second.entries.map(({ action }) => action)).toEqual(['two', 'one']);
    expect(second.nextBeforeSeq).toBe(null);
    expect((await list({ all: true, limit: 10 })).entries).toHaveLength(7);
    expect((await list({ action: 'th' })).entries.map(({ action }) => action)).toEqual(['three']);
    expect((await list({ outcome: 'denied' })).entries).toEqual([]);
  });

  it('the lines themselves, in pages that together are the chain', async () => {
    for (let n = 0; n < 5; n++) audit.note(draft(`did.${n}`));
    expect(`${exportOf(2).lines.join('\n')}\n`).toBe(world.folder.text());
  });

  it('the lines of a file that is full of what nobody can read, to their end', () => {
    audit.note(draft('one'));
    const [name = ''] = world.folder.list();
    const noise = `${'x\n'.repeat(4500)}${'y'.repeat(100_000)}\n`;
    world.folder.files.set(name, `${noise}${world.folder.read(name)}torn`);
    const { lines, pages } = exportOf(500);
    expect(lines.map(line => line[0]).join('')).toBe(`${'x'.repeat(4500)}y{t`);
    expect(lines[4500]?.length).toBeLessThan(40_000);
    expect(pages).toBe(10);
    expect(exportOf(500, 1)).toMatchObject({ lines: [expect.stringMatching('"one"'), 'torn'], pages: 3 });
  });

  it('from a time on all that was written, also where the clock was set back', () => {
    for (const at of [1000, 2000, 500, 2500]) log.append({ ...entry('did'), at });
    expect(exportOf(2, 1500).lines.map(line => JSON.parse(line).at)).toEqual([2000, 500, 2500]);
  });
});
