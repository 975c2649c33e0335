// Joins a page's channel to a service's socket and passes frames on unread. Bounded by the slower side: while
// the page does not read, the service is not read either, which the service sees as back-pressure.
import type { Channel } from '../../shared/rpc/channel.ts';
import type { SocketChannel } from './unix-socket.ts';

/** With more bytes than this unread by the page, the service is not read: a few screens of console. */
const TO_PAGE_BYTES_MAX = 1024 * 1024;
/** A page that has sent more than this to a service that does not read is not ours, and is hung up on. */
const TO_SERVICE_BYTES_MAX = 32 * 1024 * 1024;

/** When either side ends, the other is closed. */
export function relay(page: Channel, service: SocketChannel): void {
  let isHeld = false;
  const release = (): void => {
    if (page.bufferedBytes() > TO_PAGE_BYTES_MAX) return page.onDrain(release);
    isHeld = false;
    service.resume();
  };
  service.onMessage(text => {
    page.send(text);
    if (isHeld || page.bufferedBytes() <= TO_PAGE_BYTES_MAX) return;
    isHeld = true;
    service.pause();
    page.onDrain(release);
  });
  page.onMessage(text => {
    if (service.bufferedBytes() > TO_SERVICE_BYTES_MAX) page.close();
    else service.send(text);
  });
  service.onClose(() => page.close());
  page.onClose(() => {
    // A socket whose reading is paused would not see its end.
    service.resume();
    service.close();
  });
}
