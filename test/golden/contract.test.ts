import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenFiles } from '../../build/golden.ts';
import { contract } from '../../shared/rpc/contract.ts';
import { contractHash, describeContract } from '../../shared/rpc/hash.ts';
import { defineContract } from '../../shared/rpc/table.ts';

describe('golden contract', () => {
  it.each(Object.entries(goldenFiles()).map(([path, text]) => [basename(path), path, text]))(
    '%s is the committed copy of its table (after a wanted change: node build/golden.ts)',
    (_, path, text) => {
      expect(existsSync(path)).toBe(true);
      expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(path, 'utf8')));
    },
  );

  it('describes every method and topic with real schemas', () => {
    const { methods, topics } = describeContract(contract) as {
      methods: { name: string; params: object }[];
      topics: { name: string }[];
    };
    expect(methods.map(row => row.name)).toEqual(Object.keys(contract.methods));
    expect(topics.map(row => row.name)).toEqual(Object.keys(contract.topics));
    for (const row of methods) expect(row.params, row.name).toHaveProperty('type', 'object');
  });

  it('gives another hash for another table: a drift is told at hello, not oddly later', () => {
    const { 'app.quit': _, ...rest } = contract.methods;
    const other = defineContract({ methods: rest, topics: contract.topics });
    expect(contractHash(other)).not.toBe(contractHash(contract));
    expect(contractHash({ ...contract })).toBe(contractHash(contract));
  });
});
