/** A connection to a caller or a service. Adapters live in electron/transport and renderer/api. */
export interface Channel {
  /** One frame as JSON text. Never throws; a closed channel drops it. */
  send(text: string): void;
  /** Bytes accepted by send and not yet handed to the other side: back-pressure for bounded queues. */
  bufferedBytes(): number;
  /** Runs once, when bufferedBytes may have fallen. A transport that cannot tell runs it a little later. */
  onDrain(run: () => void): void;
  onMessage(listener: (text: string) => void): void;
  /** Runs once, however the channel ended; soon, when it has ended already. */
  onClose(listener: () => void): void;
  close(): void;
}
