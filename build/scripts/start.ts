// `npm start`: opens Ebb. Opens the Electron window if its runtime and a display can be had. Otherwise says
// so in one line, starts the headless shell and prints its link (or opens it in an app window of Chromium, if
// there is a display). The shell finds or starts control; a second start reuses the running one.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { findProgram } from '../../electron/platform/process.ts';
import { buildAll } from '../build-all.ts';
import { fetchElectronRuntime } from '../electron-runtime.ts';
import { repositoryRoot } from '../layers.ts';

const args = process.argv.slice(2);
const hasDisplay =
  process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);

function openInChromium(url: string): void {
  const browser = ['chromium', 'chromium-browser', 'google-chrome']
    .map(name => findProgram(name))
    .find(path => path !== null);
  if (browser === undefined || browser === null) return;
  // Chromium refuses to run as root inside its sandbox.
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  spawn(browser, [`--app=${url}`, ...asRoot], { detached: true, stdio: 'ignore' }).unref();
}

function runHeadless(): void {
  const main = join(repositoryRoot, 'dist', 'electron', 'shells', 'headless', 'main.js');
  const child = spawn(process.execPath, [main, ...args], { stdio: ['inherit', 'pipe', 'inherit'] });
  let isOpened = !hasDisplay;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text);
    const url = /http:\/\/\S+/.exec(text)?.[0];
    if (url === undefined || isOpened) return;
    isOpened = true;
    openInChromium(url);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('close', code => process.exit(code ?? 1));
}

await buildAll({ always: false });
const runtime = hasDisplay ? fetchElectronRuntime() : { executable: '', reason: 'there is no display' };
if (runtime.executable === '') {
  console.log(`Ebb opens in a browser: no Electron window, because ${runtime.reason}.`);
  runHeadless();
} else {
  const child = spawn(runtime.executable, [repositoryRoot, ...args], { stdio: 'inherit' });
  child.on('close', code => process.exit(code ?? 1));
}
