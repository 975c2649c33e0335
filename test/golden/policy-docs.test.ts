// The pages about IT policy, and its schema, are those the table of keys makes.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { policyPages } from '../../build/policy-docs.ts';
import { POLICY_KEY_NAMES } from '../../shared/policy/keys.ts';

it.each(Object.entries(policyPages()))('%s is current', (path, text) => {
  expect(readFileSync(path, 'utf8'), 'run: node build/policy-docs.ts').toBe(text);
});

it('every key is on every page', () => {
  expect(POLICY_KEY_NAMES.length).toBeGreaterThan(30);
  for (const text of Object.values(policyPages())) expect(POLICY_KEY_NAMES.filter(key => !text.includes(`${key}`))).toEqual([]);
});
