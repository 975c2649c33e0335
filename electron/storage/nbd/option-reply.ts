// Builds the bytes of option replies; decides nothing. Source: proto.md "Option negotiation".
import { NBD_REP_MAGIC } from './wire.ts';

export const u16 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(2);
  new DataView(bytes.buffer).setUint16(0, value);
  return bytes;
};

export const u32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
};

export const u64 = (value: number | bigint): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
};

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** `magic.8 option.4 type.4 length.4 data`. */
export function optionReply(option: number, type: number, ...data: Uint8Array[]): Uint8Array {
  const body = concat(data);
  return concat([u64(NBD_REP_MAGIC), u32(option), u32(type), u32(body.length), body]);
}
