// Takes names, paths, addresses and secrets out of every text of a support bundle, which leaves this computer
// and must not reveal the person. Removes rather too much than too little. Pure.

export interface Known {
  /** Names that people gave to VMs, points and files, each with the placeholder that replaces it. */
  readonly names: ReadonlyMap<string, string>;
  readonly user: string;
  readonly host: string;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Replaces whole words in any case. The longest go first, so that no name hides inside another. */
function wordsIn(names: ReadonlyMap<string, string>): (text: string) => string {
  const byWord = new Map(
    [...names].filter(([name]) => name.trim() !== '').map(([name, as]) => [name.toLowerCase(), as]),
  );
  if (byWord.size === 0) return text => text;
  const longestFirst = [...byWord.keys()].sort((a, b) => b.length - a.length).map(escaped);
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${longestFirst.join('|')})(?![\\p{L}\\p{N}])`, 'giu');
  return text => text.replace(pattern, found => byWord.get(found.toLowerCase()) ?? '<name>');
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Keys, tokens, hashes, cookies: long words that belong to no language. */
const SECRET = /[\w+=-]{20,}/g;
const looksSecret = (word: string): boolean =>
  !UUID.test(word) && (/\d/.test(word) ? /[A-Za-z]/.test(word) : word.length >= 32);
const ASSIGNED =
  /\b(token|password|passwd|secret|cookie|authorization|api[_-]?key)(["']?\s*[=:]\s*["']?)(?:bearer\s+)?[^\s"'&,;]+/gi;

/** Host and origin headers that unknown callers sent (gateway.ts): they may say anything. */
const STRANGERS = /\b(another (?:host|origin): )\S+ (?:asked|at) .*/g;
const MAIL = /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}.-]+\.\p{L}{2,}/gu;
const MAC = /\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b/gi;
const IPV4 = /\b(?:\d{1,3}\.){3}\d{1,3}\b/g;
const IPV6 = /(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])/gi;
const URLS = /\b[a-z][a-z+.-]*:\/\/[^\s"')]+/gi;
const isTime = (text: string): boolean => /^\d{1,2}(?::\d{2}){1,2}$/.test(text);

/** Places in Ebb's own code are kept: the bundle exists to show where a mistake was made. */
const OWN_CODE =
  /(?:file:\/\/)?(?:\/|[A-Za-z]:\\)[^\s"']*?[/\\]((?:electron|shared|node_modules)[/\\][\w./\\@-]+(?::\d+)*)/g;
/** A path may have blanks and commas: it ends where no further piece of a path follows. */
const PATH =
  /(?:(?<![\w<>])|(?<=file:))(?:~?\/|[A-Za-z]:\\|\\\\)[^"\n]*?(?=["\n]|$|(?:: |, |; |\. |\.$| \(|\)| failed| could| cannot| is | was )[^"\n/\\]*(?:["\n]|$))/g;
const QUOTED = /"[^"\n]{1,400}"/g;

export function redactor({ names, user, host }: Known): (text: string) => string {
  const own = new Map(names);
  if (user.length > 1) own.set(user, '<user>');
  if (host.length > 1) own.set(host, '<host>');
  const words = wordsIn(own);
  const inQuotes = (found: string): string => (/^"<[^<>"]*>"$/.test(found) ? found : '"<name>"');
  return text =>
    text
      .split('\n')
      .map(line => {
        const code: string[] = [];
        const kept = line.replace(OWN_CODE, (_, place: string) => `\uE000${code.push(place) - 1}\uE000`);
        return words(kept.replace(STRANGERS, '$1<address>'))
          .replace(ASSIGNED, '$1$2<secret>')
          .replace(URLS, '<url>')
          .replace(MAIL, '<address>')
          .replace(QUOTED, inQuotes)
          .replace(PATH, '<path>')
          .replace(MAC, '<address>')
          .replace(IPV4, found => (found.startsWith('127.') ? found : '<address>'))
          .replace(IPV6, found => (isTime(found) ? found : '<address>'))
          .replace(SECRET, found => (looksSecret(found) ? '<secret>' : found))
          .replace(/\uE000(\d+)\uE000/g, (_, n: string) => `<path>/${code[Number(n)] ?? ''}`);
      })
      .join('\n');
}
