import type { Arguments } from './arguments.js';

/** A flag takes a text, unless it is a switch. */
export interface Flag {
  readonly describe: string;
  readonly isSwitch?: boolean;
  readonly isRequired?: boolean;
  /** Left out of --help: for completeness, not for use. */
  readonly hidden?: boolean;
}

/** What a verb's module exports: loaded only when that verb is called. */
export interface Command {
  readonly flags: Readonly<Record<string, Flag>>;
  /** Command lines without the leading `duestream`, and what they do. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** Returns the exit code, 0 when it returns none. */
  run(args: Arguments): Promise<number | void>;
}

/** What can be said of a verb without loading it. */
export interface Verb {
  readonly name: string;
  /** Its arguments, as in `<queue> [id]`. */
  readonly usage: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

export interface VerbGroup {
  readonly name: string;
  readonly summary: string;
  readonly verbs: readonly Verb[];
}

export const json: Readonly<Record<'json', Flag>> = {
  json: { describe: 'Print the result as one JSON document', isSwitch: true },
};

/** Every verb that talks to Redis has these. */
export const connected: Readonly<Record<string, Flag>> = {
  redis: {
    describe:
      'Redis URL, or redis+sentinel://host,host,host/master, or redis+cluster://host,host,host; else DUESTREAM_REDIS_URL, else REDIS_URL, else redis://127.0.0.1:6379. ' +
      'A password belongs in the environment: others on this machine can see arguments',
  },
  'tls-ca': { describe: "With rediss://: file of the CA of Redis' certificate; else DUESTREAM_TLS_CA" },
  'tls-cert': { describe: 'File of the client certificate; else DUESTREAM_TLS_CERT' },
  'tls-key': { describe: 'File of its key; else DUESTREAM_TLS_KEY' },
  'tls-servername': {
    describe: "Name in Redis' certificate, where it is not the host of the URL; else DUESTREAM_TLS_SERVERNAME",
  },
  prefix: { describe: 'What every key begins with (default: duestream)' },
};
