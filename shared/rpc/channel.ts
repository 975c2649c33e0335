/** A connection to a caller or a service. Adapters live in electron/transport and renderer/api. */
export interface Channel {
  /** One frame as JSON text. Never throws; a closed channel drops it. */
  send(text: string): void;
  /** Bytes accepted by send and not yet handed to the other side: back-pressure for bounded queues. */
  bufferedBytes(): number;
  onMessage(listener: (text: string) => void): void;
  onClose(listener: () => void): void;
  close(): void;
}
