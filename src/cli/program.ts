import { readFileSync } from 'node:fs';
import yargs, { type Argv } from 'yargs';
import { Arguments, markValues, unmark } from './arguments.js';
import type { Command, Verb, VerbGroup } from './command.js';
import { Failure, oneLine, usage } from './failure.js';
import { verbs } from './verbs.js';

/**
 * Reads the command line and gives the call it asks for; it runs nothing itself. yargs goes on to the handler after a
 * usage error when `.fail` does not throw, so its handlers only note what was asked for.
 */
export interface Call {
  readonly command: Command;
  readonly args: Arguments;
}

interface Reading {
  readonly argv: readonly string[];
  call?: Call;
  /** The verb that is being read, as in `task get`, and its arguments. */
  path: string;
  usage: string;
}

/** Undefined when it was --help or --version, which are printed. Throws a usage failure. */
export async function readCommandLine(argv: readonly string[]): Promise<Call | undefined> {
  const reading: Reading = { argv, path: '', usage: '' };
  const parser = yargs(markValues(argv))
    .scriptName('duestream')
    .locale('en') // the messages are told apart below
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'dot-notation': false,
      'boolean-negation': false,
      'short-option-groups': false,
    })
    .usage('$0 <verb> …: a distributed task queue on Redis')
    .epilogue(
      'Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 conflict, 5 timed out, 6 import partly refused, 69 no Redis',
    )
    .example('$0 add mail welcome \'{"to":"a@b.c"}\' --in 5m', 'a task, due in five minutes')
    .example('$0 worker mail --handlers ./handlers.mjs', 'run what is due')
    .version(version())
    .help()
    .alias('h', 'help')
    .exitProcess(false)
    .strictCommands()
    .strictOptions()
    .recommendCommands()
    .demandCommand(1, 'no verb')
    .fail((message, error) => {
      throw error instanceof Failure ? error : usage(sayWhatToDo(oneLine(unmark(message || error.message)), reading));
    });
  parser.wrap(Math.min(110, process.stdout.columns === 0 ? 80 : (process.stdout.columns ?? 110)));
  for (const verb of verbs) await declare(parser, verb, reading);
  await parser.parseAsync();
  return reading.call;
}

/** A module is loaded when its verb's name is on the command line: then it is that verb, or a word that looks like it. */
async function declare(parser: Argv, verb: Verb | VerbGroup, reading: Reading): Promise<void> {
  const isNamed = reading.argv.includes(verb.name);
  if ('load' in verb) return declareVerb(parser, isNamed ? { verb, command: await verb.load() } : { verb }, reading);
  const loaded = await Promise.all(
    verb.verbs.map(async (inner) => {
      const isCalled = isNamed && reading.argv.includes(inner.name);
      return isCalled ? { verb: inner, command: await inner.load() } : { verb: inner };
    }),
  );
  parser.command(verb.name, verb.summary, (inner) => {
    reading.path = verb.name;
    for (const each of loaded) declareVerb(inner, { ...each, parent: verb.name }, reading);
    return inner.demandCommand(1, `no verb of ${verb.name}`);
  });
}

function declareVerb(parser: Argv, entry: { verb: Verb; command?: Command; parent?: string }, reading: Reading): void {
  const { verb, command, parent } = entry;
  const build = (inner: Argv): Argv => {
    reading.path = parent === undefined ? verb.name : `${parent} ${verb.name}`;
    reading.usage = verb.usage;
    refuseHiddenFlags(verb, reading);
    return command ? declareFlags(inner, verb, command) : inner;
  };
  parser.command(`${verb.name} ${verb.usage}`.trim(), verb.summary, build, (values) => {
    if (command) reading.call = { command, args: new Arguments(values) };
  });
}

function declareFlags(parser: Argv, verb: Verb, command: Command): Argv {
  // yargs gives a repeated argument the default [], and says so in the help beside [required].
  for (const name of argumentsOf(verb)) {
    parser.positional(name, { type: 'string', ...(verb.usage.includes(`${name}..`) && { default: undefined }) });
  }
  if ('version' in command.flags) parser.version(false); // that of a schedule, not of this program
  for (const [name, { describe, isSwitch = false, isRequired = false, hidden = false }] of Object.entries(
    command.flags,
  )) {
    const type = isSwitch ? 'boolean' : 'string';
    parser.option(name, {
      describe,
      hidden,
      type,
      ...(isRequired && { demandOption: true }),
      ...(!isSwitch && { requiresArg: true }),
    });
  }
  for (const [line, does] of command.examples) parser.example(`$0 ${line}`, does);
  return parser;
}

function argumentsOf(verb: Verb): string[] {
  return Array.from(verb.usage.matchAll(/[<[](\w+)/g), (found) => found[1] ?? '');
}

/** yargs takes `--queue x` for the argument of that name and then drops one of the two without a word. */
function refuseHiddenFlags(verb: Verb, { argv, path }: Reading): void {
  const names = ['_', '$0', ...argumentsOf(verb)];
  const end = argv.indexOf('--');
  const bad = argv.slice(0, end === -1 ? argv.length : end).find((token) => {
    return token.startsWith('--') && names.includes(token.slice(2).split('=')[0] ?? '');
  });
  if (bad !== undefined) throw usage(`unknown flag ${bad.split('=')[0]}; see duestream ${path} --help`);
}

/** yargs' messages in the words of this command line. */
function sayWhatToDo(message: string, reading: Reading): string {
  const { path, usage: wanted } = reading;
  const see = `see duestream ${path === '' ? '' : `${path} `}--help`;
  if (message.startsWith('no verb')) return `name a verb${path === '' ? '' : ` of ${path}`}; ${see}`;
  if (message.startsWith('Not enough non-option')) return `an argument is missing: duestream ${path} ${wanted}; ${see}`;
  const [, lacking] = /^Not enough arguments following: (.*)$/.exec(message) ?? [];
  if (lacking !== undefined) return `--${lacking} needs a value; ${see}`;
  const [, required] = /^Missing required arguments?: (\S+)$/.exec(message) ?? [];
  if (required !== undefined) return `--${required} is missing; ${see}`;
  const [, flags] = /^Unknown arguments?: (.*)$/.exec(message) ?? [];
  if (flags !== undefined) return `unknown flag ${flagText(flags)}; ${see}`;
  const [, word] = /^Unknown commands?: ?(.*)$/.exec(message) ?? [];
  if (word !== undefined) {
    const quotes = reading.argv.includes('--cron') ? ': put the pattern of --cron in quotes' : '';
    return `${wanted === '' ? 'unknown verb' : 'unexpected argument'} ${JSON.stringify(word)}${quotes}; ${see}`;
  }
  const [, meant] = /^Did you mean (.*)\?$/.exec(message) ?? [];
  if (meant !== undefined)
    return `unknown verb ${JSON.stringify(typedVerb(reading))}; did you mean "${`${path} ${meant}`.trim()}"? ${see}`;
  return `${message}; ${see}`;
}

/** The first word behind the verbs that were understood. */
function typedVerb({ argv, path }: Reading): string {
  const words = argv.filter((token) => !token.startsWith('-'));
  return words[path === '' ? 0 : words.indexOf(path) + 1] ?? '';
}

/** The first one is enough; yargs lists a dashed one again in camel case. */
function flagText(flags: string): string {
  const [first = ''] = flags.split(', ');
  return `${first.length === 1 ? '-' : '--'}${first}`;
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
