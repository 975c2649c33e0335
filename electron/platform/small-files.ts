// Small files as control keeps them: whoever needs some asks for them by name, and a test gives it others.
import { makePrivateFolder, readJson, readText, removeFile, removeTree, writeJson } from './json-file.ts';
import { bytesOf, copyDurably, fileExists, listFolder, readWhole } from './vm-files.ts';

export const smallFiles = {
  readJson,
  readText,
  /** Faults where it cannot be read. */
  readWhole,
  /** Durable. */
  writeJson,
  removeFile,
  removeTree,
  makePrivateFolder,
  /** Null where there is nothing. */
  bytesOf,
  copyDurably,
  exists: fileExists,
  listFolder,
} as const;
export type SmallFiles = typeof smallFiles;
