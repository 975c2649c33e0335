// The functions on small files that control uses, as one object: a module names those it needs, and a test
// can pass it others.
import { makePrivateFolder, readJson, readText, removeFile, removeTree, writeJson } from './json-file.ts';
import { bytesOf, copyDurably, fileExists, listFolder, readWhole } from './vm-files.ts';

export const smallFiles = {
  readJson,
  readText,
  /** Throws Fault disk.io when the file cannot be read. */
  readWhole,
  /** Durable. */
  writeJson,
  removeFile,
  removeTree,
  makePrivateFolder,
  /** Null: there is no such file. */
  bytesOf,
  copyDurably,
  exists: fileExists,
  listFolder,
} as const;
export type SmallFiles = typeof smallFiles;
