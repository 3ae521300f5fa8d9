/**
 * What ends a command other than well: one line on stderr that says what to do, and an exit code a script can switch
 * on. The library's errors are told apart by their `code`, not their class: nothing of it is loaded to print a line.
 */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  timedOut: 5,
  partlyRefused: 6,
  unreachable: 69,
} as const;

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The command line, or a value in it, is wrong. Nothing was written. */
export function usage(message: string): Failure {
  return new Failure(exitCodes.usage, message);
}

export function notFound(message: string): Failure {
  return new Failure(exitCodes.notFound, message);
}

/** The state of the task forbids it. */
export function conflict(message: string): Failure {
  return new Failure(exitCodes.conflict, message);
}

const codes: Readonly<Record<string, number>> = {
  ERR_INVALID_ARGUMENT: exitCodes.usage,
  ERR_INVALID_PAYLOAD: exitCodes.usage,
  ERR_NO_QUEUE: exitCodes.notFound,
  ERR_NO_SCHEDULE: exitCodes.notFound,
  ERR_CONFLICT: exitCodes.conflict,
  ERR_REDIS_UNREACHABLE: exitCodes.unreachable,
  ERR_OUTCOME_UNKNOWN: exitCodes.timedOut,
};

/** A code of the library, of Node or of the system; '' when it has none. */
export function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

export function exitCodeOf(error: unknown): number {
  return error instanceof Failure ? error.exitCode : (codes[codeOf(error)] ?? exitCodes.failed);
}

/** On one line, whatever was thrown, with what to do about it where that is known. */
export function lineOf(error: unknown): string {
  const message = inFlags(error instanceof Error ? error.message || error.name : String(error));
  const hint = hintFor(codeOf(error), message);
  return oneLine(hint === '' ? message : `${message.replace(/\.$/, '')}${hint}`);
}

/** What the library calls an option of the connection is a flag here. */
function inFlags(message: string): string {
  return message.replaceAll(/\bconnection\.socket\.(ca|cert|key|servername)\b/g, '--tls-$1');
}

/** Whether the reason given for a connection that is not made has to do with TLS; it says what to do itself. */
export function isOfTls(message: string): boolean {
  return /\bTLS\b|\bcertificate\b|--tls-/.test(message);
}

export function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
}

/** What Redis says, first or behind a colon, and what to do about it. */
const hints: readonly (readonly [says: RegExp, todo: string])[] = [
  [
    /WRONGPASS|NOAUTH|invalid password|AUTH failed/i,
    'put the right user and password into its URL; in DUESTREAM_REDIS_URL no list of processes shows them',
  ],
  [/(?:^|: )NOPERM\b/, 'give the Redis user the rights that docs/operations.md names'],
  [
    /DB index is out of range/,
    'the number at the end of the URL is a database, and this Redis has fewer; most have 0 to 15',
  ],
  [/(?:^|: )WRONGTYPE\b/, 'a key of another program is in the way; use another --prefix, or remove that key'],
  [/(?:^|: )OOM\b/, 'Redis is full; raise its maxmemory, or let workers drain the queue'],
  [/(?:^|: )READONLY\b/, 'this is a replica; name its master'],
  [
    /(?:^|: )NOREPLICAS\b/,
    'this master takes no writes while it has fewer replicas than min-replicas-to-write; look at them',
  ],
  [/(?:^|: )CLUSTERDOWN\b/, 'see duestream doctor; it goes on when each slot has a master again'],
];

/** Why there is no way to Redis, where starting it would not help; the last is of all else. */
const wayHints: readonly (readonly [says: RegExp, todo: string])[] = [
  [/no node serves it/, 'see duestream doctor; redis-cli --cluster fix gives such a slot a master'],
  [/knows no master/, 'after the / of its URL goes the name that the Sentinels have for it'],
  [/(?:)/, 'start Redis, or name another with --redis or DUESTREAM_REDIS_URL'],
];

function hintFor(code: string, message: string): string {
  const isUnreachable = code === 'ERR_REDIS_UNREACHABLE';
  if ((!isUnreachable && code !== 'ERR_REDIS_REPLY') || (isUnreachable && isOfTls(message))) return '';
  const [, todo] = (isUnreachable ? wayHints : hints).find(([says]) => says.test(message)) ?? [];
  return todo === undefined ? '' : `; ${todo}`;
}
