// One answer per handshake option. Pure: the export table is given, nothing is opened. Hostile lengths are
// checked before they are used; what does not parse is answered with ERR_INVALID and leaves the state as it
// was.
import { concat, optionReply, text, u16, u32, u64 } from './option-reply.ts';
import {
  BLOCK_BYTES_MIN,
  BLOCK_BYTES_PREFERRED,
  META_CONTEXT,
  META_CONTEXT_ID,
  NBD_FLAG,
  NBD_INFO,
  NBD_OPT,
  NBD_REP,
  PAYLOAD_BYTES_MAX,
} from './wire.ts';

/** What a client may learn of an export before it is connected to it. */
export interface ExportInfo {
  readonly name: string;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
}

export interface HandshakeState {
  readonly phase: 'client-flags' | 'options';
  readonly isFixed: boolean;
  readonly noZeroes: boolean;
  readonly structured: boolean;
  /** The export base:allocation was set for, or null. */
  readonly metaExport: string | null;
  readonly optionCount: number;
}

export interface OptionAnswer {
  readonly reply: Uint8Array;
  readonly state: HandshakeState;
  /** Set when negotiation ends: with a chosen export, or with nothing (ABORT). */
  readonly ends?: { readonly exportName: string } | 'abort';
}

const NAME_BYTES_MAX = 4096;
const QUERIES_MAX = 64;

/** An empty name means the only export there is; where there are several it means none. */
export function findExport(exports: readonly ExportInfo[], name: string): ExportInfo | undefined {
  if (name === '' && exports.length === 1) return exports[0];
  return exports.find(candidate => candidate.name === name);
}

/**
 * CAN_MULTI_CONN is true here: every connection of an export runs on one thread against one volume, a
 * finished write is visible to all of them at once, and a flush covers everything written before it, whoever
 * wrote it.
 */
export function transmissionFlags(info: ExportInfo, structured: boolean): number {
  const { HAS_FLAGS, SEND_FLUSH, SEND_FUA, CAN_MULTI_CONN } = NBD_FLAG;
  const common = HAS_FLAGS | SEND_FLUSH | SEND_FUA | CAN_MULTI_CONN | (structured ? NBD_FLAG.SEND_DF : 0);
  if (info.readOnly) return common | NBD_FLAG.READ_ONLY;
  return common | NBD_FLAG.SEND_TRIM | NBD_FLAG.SEND_WRITE_ZEROES | NBD_FLAG.SEND_FAST_ZERO;
}

/** Reads length-prefixed fields; every getter answers null past the end. */
class Fields {
  #at = 0;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }
  u16(): number | null {
    if (this.#at + 2 > this.#bytes.length) return null;
    this.#at += 2;
    return this.#view.getUint16(this.#at - 2);
  }
  u32(): number | null {
    if (this.#at + 4 > this.#bytes.length) return null;
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4);
  }
  string(): string | null {
    const length = this.u32();
    if (length === null || length > NAME_BYTES_MAX || this.#at + length > this.#bytes.length) return null;
    this.#at += length;
    return new TextDecoder().decode(this.#bytes.subarray(this.#at - length, this.#at));
  }
}

const blockSizes = (): Uint8Array =>
  concat([
    u16(NBD_INFO.BLOCK_SIZE),
    u32(BLOCK_BYTES_MIN),
    u32(BLOCK_BYTES_PREFERRED),
    u32(PAYLOAD_BYTES_MAX),
  ]);

function parseInfoRequest(data: Uint8Array): { name: string; wantsName: boolean } | null {
  const fields = new Fields(data);
  const name = fields.string();
  const count = fields.u16();
  if (name === null || count === null) return null;
  let wantsName = false;
  for (let index = 0; index < count; index++) {
    const item = fields.u16();
    if (item === null) return null;
    wantsName ||= item === NBD_INFO.NAME;
  }
  return fields.isAtEnd ? { name, wantsName } : null;
}

function answerInfo(
  option: number,
  data: Uint8Array,
  state: HandshakeState,
  exports: readonly ExportInfo[],
): OptionAnswer {
  const request = parseInfoRequest(data);
  if (request === null) return invalid(option, state, 'the request is not name, count and that many items');
  const info = findExport(exports, request.name);
  if (info === undefined) {
    return { state, reply: optionReply(option, NBD_REP.ERR_UNKNOWN, text('no such export')) };
  }
  const flags = transmissionFlags(info, state.structured);
  const parts = [
    optionReply(option, NBD_REP.INFO, u16(NBD_INFO.EXPORT), u64(info.sizeBytes), u16(flags)),
    optionReply(option, NBD_REP.INFO, blockSizes()),
    ...(request.wantsName ? [optionReply(option, NBD_REP.INFO, u16(NBD_INFO.NAME), text(info.name))] : []),
    optionReply(option, NBD_REP.ACK),
  ];
  const answer = { state, reply: concat(parts) };
  return option === NBD_OPT.GO ? { ...answer, ends: { exportName: info.name } } : answer;
}

function parseMetaRequest(data: Uint8Array): { name: string; queries: string[] } | null {
  const fields = new Fields(data);
  const name = fields.string();
  const count = fields.u32();
  if (name === null || count === null || count > QUERIES_MAX) return null;
  const queries: string[] = [];
  for (let index = 0; index < count; index++) {
    const query = fields.string();
    if (query === null) return null;
    queries.push(query);
  }
  return fields.isAtEnd ? { name, queries } : null;
}

function answerMeta(
  option: number,
  data: Uint8Array,
  state: HandshakeState,
  exports: readonly ExportInfo[],
): OptionAnswer {
  if (!state.structured) return invalid(option, state, 'negotiate structured replies first');
  const request = parseMetaRequest(data);
  if (request === null) return invalid(option, state, 'the request is not name, count and that many queries');
  const info = findExport(exports, request.name);
  if (info === undefined) {
    return { state, reply: optionReply(option, NBD_REP.ERR_UNKNOWN, text('no such export')) };
  }
  const isSet = option === NBD_OPT.SET_META_CONTEXT;
  const matches = isSet
    ? request.queries.includes(META_CONTEXT)
    : request.queries.length === 0 ||
      request.queries.some(query => query === 'base:' || query === META_CONTEXT);
  const id = u32(isSet ? META_CONTEXT_ID : 0);
  const found = matches ? [optionReply(option, NBD_REP.META_CONTEXT, id, text(META_CONTEXT))] : [];
  return {
    state: isSet ? { ...state, metaExport: matches ? info.name : null } : state,
    reply: concat([...found, optionReply(option, NBD_REP.ACK)]),
  };
}

function answerList(state: HandshakeState, exports: readonly ExportInfo[]): OptionAnswer {
  const rows = exports.map(info => {
    const name = text(info.name);
    return optionReply(NBD_OPT.LIST, NBD_REP.SERVER, u32(name.length), name);
  });
  return { state, reply: concat([...rows, optionReply(NBD_OPT.LIST, NBD_REP.ACK)]) };
}

const invalid = (option: number, state: HandshakeState, why: string): OptionAnswer => ({
  state,
  reply: optionReply(option, NBD_REP.ERR_INVALID, text(why)),
});

/** Answers every option but EXPORT_NAME, which has no reply header and belongs to the state machine. */
export function answerOption(
  option: number,
  data: Uint8Array,
  state: HandshakeState,
  exports: readonly ExportInfo[],
): OptionAnswer {
  switch (option) {
    case NBD_OPT.ABORT:
      return { state, reply: optionReply(option, NBD_REP.ACK), ends: 'abort' };
    case NBD_OPT.LIST:
      return data.length === 0 ? answerList(state, exports) : invalid(option, state, 'LIST carries no data');
    case NBD_OPT.STRUCTURED_REPLY:
      if (data.length !== 0) return invalid(option, state, 'STRUCTURED_REPLY carries no data');
      return { state: { ...state, structured: true }, reply: optionReply(option, NBD_REP.ACK) };
    case NBD_OPT.INFO:
    case NBD_OPT.GO:
      return answerInfo(option, data, state, exports);
    case NBD_OPT.LIST_META_CONTEXT:
    case NBD_OPT.SET_META_CONTEXT:
      return answerMeta(option, data, state, exports);
    default:
      return { state, reply: optionReply(option, NBD_REP.ERR_UNSUP) };
  }
}
