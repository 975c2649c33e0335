// The handshake as a pure state machine: (state, bytes) → (state, reply, outcome). Touches no socket and no
// disk. Source: proto.md "Newstyle negotiation", fixed newstyle only.
//
//   greet ──client flags──▶ options ──GO / EXPORT_NAME──▶ transmission
//                              │ ▲
//                              ├─┴─ INFO LIST STRUCTURED_REPLY *_META_CONTEXT, unknown → ERR_UNSUP
//                              └─ABORT, nonsense──▶ close
import { concat, u16, u64 } from './option-reply.ts';
import {
  answerOption,
  type ExportInfo,
  findExport,
  type HandshakeState,
  transmissionFlags,
} from './options.ts';
import {
  NBD_FLAG_FIXED_NEWSTYLE,
  NBD_FLAG_NO_ZEROES,
  NBD_IHAVEOPT,
  NBD_MAGIC,
  NBD_OPT,
  OPTION_HEADER_BYTES,
} from './wire.ts';

/** An honest handshake takes about five options; each is at most a name and a few queries. */
export const OPTIONS_MAX = 64;
export const OPTION_BYTES_MAX = 64 * 1024;
const EXPORT_NAME_PADDING = 124;

export type HandshakeOutcome =
  | { readonly kind: 'more' }
  | { readonly kind: 'close'; readonly why: string }
  | {
      readonly kind: 'transmission';
      readonly exportName: string;
      readonly structured: boolean;
      readonly blockStatus: boolean;
    };

export interface HandshakeStep {
  readonly state: HandshakeState;
  readonly consumedBytes: number;
  readonly reply: Uint8Array;
  readonly outcome: HandshakeOutcome;
}

export const firstState: HandshakeState = {
  phase: 'client-flags',
  isFixed: false,
  noZeroes: false,
  structured: false,
  metaExport: null,
  optionCount: 0,
};

const NOTHING = new Uint8Array(0);
const MORE = { kind: 'more' } as const;

/** The server speaks first. */
export const greeting = (): Uint8Array =>
  concat([u64(NBD_MAGIC), u64(NBD_IHAVEOPT), u16(NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES)]);

/** Takes one message off the front of `bytes`; null when it is not complete yet. */
export function stepHandshake(
  state: HandshakeState,
  bytes: Uint8Array,
  exports: readonly ExportInfo[],
): HandshakeStep | null {
  return state.phase === 'client-flags' ? stepFlags(state, bytes) : stepOption(state, bytes, exports);
}

function stepFlags(state: HandshakeState, bytes: Uint8Array): HandshakeStep | null {
  if (bytes.length < 4) return null;
  const flags = viewOf(bytes).getUint32(0);
  if ((flags & ~(NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES)) !== 0) {
    return close(state, `client flags 0x${flags.toString(16)} hold unknown bits`);
  }
  const next: HandshakeState = {
    ...state,
    phase: 'options',
    isFixed: (flags & NBD_FLAG_FIXED_NEWSTYLE) !== 0,
    noZeroes: (flags & NBD_FLAG_NO_ZEROES) !== 0,
  };
  return { state: next, consumedBytes: 4, reply: NOTHING, outcome: MORE };
}

function stepOption(
  state: HandshakeState,
  bytes: Uint8Array,
  exports: readonly ExportInfo[],
): HandshakeStep | null {
  if (bytes.length < OPTION_HEADER_BYTES) return null;
  const view = viewOf(bytes);
  if (view.getBigUint64(0) !== NBD_IHAVEOPT) return close(state, 'an option without its magic');
  const option = view.getUint32(8);
  const length = view.getUint32(12);
  if (length > OPTION_BYTES_MAX) return close(state, `option ${option} is ${length} bytes long`);
  if (state.optionCount >= OPTIONS_MAX) return close(state, `more than ${OPTIONS_MAX} options`);
  if (!state.isFixed && option !== NBD_OPT.EXPORT_NAME) return close(state, 'not a fixed newstyle client');
  const consumedBytes = OPTION_HEADER_BYTES + length;
  if (bytes.length < consumedBytes) return null;
  const data = bytes.subarray(OPTION_HEADER_BYTES, consumedBytes);
  const counted = { ...state, optionCount: state.optionCount + 1 };
  if (option === NBD_OPT.EXPORT_NAME) return stepExportName(counted, data, consumedBytes, exports);
  const answer = answerOption(option, data, counted, exports);
  return { state: answer.state, consumedBytes, reply: answer.reply, outcome: outcomeOf(answer) };
}

function outcomeOf(answer: ReturnType<typeof answerOption>): HandshakeOutcome {
  if (answer.ends === undefined) return MORE;
  if (answer.ends === 'abort') return { kind: 'close', why: 'the client aborted' };
  return transmission(answer.state, answer.ends.exportName);
}

/** EXPORT_NAME can only be refused by closing the connection, and its reply has no header. */
function stepExportName(
  state: HandshakeState,
  data: Uint8Array,
  consumedBytes: number,
  exports: readonly ExportInfo[],
): HandshakeStep {
  const info = findExport(exports, new TextDecoder().decode(data));
  if (info === undefined) return close(state, 'an unknown export name');
  const padding = new Uint8Array(state.noZeroes ? 0 : EXPORT_NAME_PADDING);
  const reply = concat([u64(info.sizeBytes), u16(transmissionFlags(info, state.structured)), padding]);
  return { state, consumedBytes, reply, outcome: transmission(state, info.name) };
}

const transmission = (state: HandshakeState, exportName: string): HandshakeOutcome => ({
  kind: 'transmission',
  exportName,
  structured: state.structured,
  // A context that was set for another export does not count.
  blockStatus: state.metaExport === exportName,
});

const close = (state: HandshakeState, why: string): HandshakeStep => ({
  state,
  consumedBytes: 0,
  reply: NOTHING,
  outcome: { kind: 'close', why },
});

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
