import type { Page } from 'playwright';

/** Errors and warnings of the page from now on, as they come. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', message => {
    // noVNC reads its own canvas when the guest changes its mode; the browser's hint on that is not ours to follow.
    if (message.text().startsWith('Canvas2D: Multiple readback')) return;
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', error => complaints.push(error.message));
  return complaints;
}
