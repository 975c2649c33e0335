// Starting the machine's own Chromium for pictures and measurements.
import { type Browser, chromium } from 'playwright';
import { findProgram } from '../../electron/platform/process.ts';

/** A root in a container has no user namespace; a closed network is not to be knocked at. */
export const CHROMIUM_ARGS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const launchChromium = (more: readonly string[] = []): Promise<Browser> =>
  chromium.launch({ executablePath: findProgram('chromium') ?? '', args: [...CHROMIUM_ARGS, ...more] });
