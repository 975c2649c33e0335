// Completion of words in a shell. The shell scripts only pass the words on. The table of commands says what
// may follow; names of VMs, points and tasks come from the service, if it runs already.
import { COMMANDS, findCommand, GROUPS, shownCommands } from './table.ts';
import { type Option, optionsOf, type Value } from './words.ts';

/** What only a running service knows. */
export type Living = 'vm' | 'deleted' | 'point' | 'trashed' | 'task' | 'disk';

export interface Candidates {
  readonly words: readonly string[];
  /** Names to ask the service for; `vm`: the VM named earlier in the line, whose points are meant. */
  readonly living: { readonly kind: Living; readonly vm: string | null } | null;
  /** File names may stand here: the shell completes those. */
  readonly isFile: boolean;
  /** Begins every word, those of the service too. */
  readonly prefix: string;
}

const NONE: Candidates = { words: [], living: null, isFile: false, prefix: '' };

function ofValue(value: Value, vm: string | null): Candidates {
  const words = [...(value.choices ?? []), ...(value.or ?? []).filter(word => word !== '')];
  switch (value.kind) {
    case 'vm':
    case 'deleted':
    case 'task':
    case 'point':
    case 'trashed':
    case 'disk':
      return { ...NONE, words, living: { kind: value.kind, vm } };
    case 'file':
      return { ...NONE, words, isFile: true };
    default:
      return { ...NONE, words };
  }
}

function commandWords(before: readonly string[]): string[] {
  const [first] = before;
  const names = shownCommands().flatMap(([name, { alias }]) =>
    alias === undefined ? [name] : [name, alias],
  );
  if (first === undefined) return [...new Set(names.map(name => name.split(' ')[0] ?? ''))];
  if (before.length > 1 || !GROUPS.includes(first)) return [];
  return names.filter(name => name.startsWith(`${first} `)).map(name => name.slice(first.length + 1));
}

/** Bash passes words on with their quotes and backslashes. */
const unquoted = (word: string): string => word.replace(/^["']|["']$/g, '').replace(/\\(.)/g, '$1');

/** `words`: those after `ebb`, the last unfinished, perhaps empty. Bash splits --name=value into three. */
export function candidates(words: readonly string[]): Candidates {
  const [, head, value] = /^(--[a-z-]+)=(.*)$/s.exec(words.at(-1) ?? '') ?? [];
  if (head !== undefined && value !== undefined) {
    const of = candidates([...words.slice(0, -1), head, value]);
    return { ...of, words: of.words.map(word => `${head}=${word}`), prefix: `${head}=` };
  }
  const typed = words.at(-1) ?? '';
  const before = words
    .slice(0, -1)
    .filter(word => word !== '=')
    .map(unquoted);
  const found = findCommand(before);
  if (found === null) return { ...NONE, words: commandWords(before.filter(word => !word.startsWith('-'))) };
  const options = optionsOf(found.row);
  const takesValue = (word: string | undefined): Option | undefined => {
    const option = word?.startsWith('--') === true ? options[word.slice(2)] : undefined;
    return option?.kind === 'flag' ? undefined : option;
  };
  const plain = before
    .slice(found.length)
    .filter((word, index, all) => !word.startsWith('-') && takesValue(all[index - 1]) === undefined);
  const vmAt = found.row.arguments.findIndex(({ kind }) => kind === 'vm');
  const vm = vmAt < 0 ? null : (plain[vmAt] ?? null);
  const expecting = takesValue(before.at(-1));
  if (expecting !== undefined) return ofValue(expecting, vm);
  if (found.name === 'help') return { ...NONE, words: commandWords(plain) };
  if (typed.startsWith('-')) return { ...NONE, words: Object.keys(options).map(name => `--${name}`) };
  const argument = found.row.arguments[plain.length] ?? found.row.arguments.find(({ many }) => many === true);
  return argument === undefined ? NONE : ofValue(argument, vm);
}

/** This line tells the shell that file names may stand here. */
export const FILES_LINE = ':files';

const BASH = `# bash completion of ebb: source <(ebb completion bash)
_ebb() {
  local typed="\${COMP_WORDS[COMP_CWORD]}" line word
  [[ "$typed" == "=" ]] && typed=
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ "$line" == ${FILES_LINE} ]]; then
      compopt -o filenames 2>/dev/null
      mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$typed")
    else
      printf -v word %q "$line"
      [[ "$typed" == [\\"\\']* ]] && word="\${typed:0:1}$line"
      [[ "$word" == "$typed"* ]] && COMPREPLY+=("$word")
    fi
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _ebb ebb
`;

const ZSH = `#compdef ebb
# zsh completion of ebb: source <(ebb completion zsh), or as _ebb in a folder of $fpath
_ebb() {
  local -a lines
  lines=("\${(@f)$("\${words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  if (( \${lines[(Ie)${FILES_LINE}]} )); then
    lines=("\${(@)lines:#${FILES_LINE}}")
    _files
  fi
  compadd -- "\${(@)lines:#}"
}
if [[ "$funcstack[1]" == _ebb ]]; then _ebb "$@"; else compdef _ebb ebb; fi
`;

const FISH = `# fish completion of ebb: ebb completion fish | source
function __ebb_complete
    set -l words (commandline -opc)[2..-1] (commandline -ct)
    for line in (ebb __complete -- $words 2>/dev/null)
        if test "$line" = ${FILES_LINE}
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c ebb -f -a '(__ebb_complete)'
`;

export const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;
/** Does not compile when the shells above are not those the table accepts. */
COMMANDS.completion.arguments[0].choices satisfies readonly (keyof typeof SCRIPTS)[];
