import { messageOf } from '../errors.js';
import type { Reply } from './reply.js';
import { refusalOf } from './rights.js';

/**
 * Calls the Lua scripts. A script is known by its definition, which scripts/generate-bindings.mjs makes from the header of
 * lua/<name>.lua: how its keys and arguments are put into words, and how every reply is read.
 *
 * A call is EVALSHA, and once more as EVAL when the server does not know the script: after a restart, a failover or
 * SCRIPT FLUSH. NOSCRIPT means that nothing ran, so this second call can't make anything happen twice. Every other
 * error is the caller's to judge.
 *
 * A reply comes back as the object of its status, never with a value of the wrong type: see wording.ts.
 */
export interface ScriptDefinition {
  readonly name: string;
  readonly sha1: string;
  readonly source: string;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** The fields of one item; items follow the fixed arguments. Empty for a script without ITEMS. */
  readonly items: readonly string[];
  /** The object of the reply's status, with its fields in place. */
  readonly read: (reply: Reply) => { status: string };
}

/** A definition that knows the types of its keys, its arguments and its replies. */
export interface Script<K, A, R extends { status: string }> extends ScriptDefinition {
  readonly keys: readonly (keyof K & string)[];
  readonly args: readonly (keyof A & string)[];
  /** The whole EVALSHA command. */
  readonly words: (keys: K, args: A) => string[];
  readonly read: (reply: Reply) => R;
}

/** Whatever can send one command: a link, or a test's own. */
export interface Caller {
  send(args: readonly string[], options?: { timeoutMs?: number; op?: string }): Promise<Reply>;
}

/** `keys` may hold more names than the script asks for. `timeoutMs` counts for each of the two tries. */
export interface ScriptCall<K, A> {
  keys: K;
  args: A;
  timeoutMs?: number | undefined;
}

export async function runScript<K, A, R extends { status: string }>(
  caller: Caller,
  script: Script<K, A, R>,
  call: ScriptCall<NoInfer<K>, NoInfer<A>>,
): Promise<R> {
  const words = script.words(call.keys, call.args);
  const op = script.name;
  const options = call.timeoutMs === undefined ? { op } : { op, timeoutMs: call.timeoutMs };
  let reply: Reply;
  try {
    reply = await caller.send(words, options);
  } catch (error) {
    const send: SendWords = (others) => caller.send(others, options);
    reply = await afterRefusal(error, { script, words, send });
  }
  return script.read(reply);
}

type SendWords = (words: readonly string[]) => Promise<Reply>;

/** The reply to the script sent whole, where only its name was not known. Rejects with what users should know of any other error. */
async function afterRefusal(
  error: unknown,
  { script, words, send }: { script: ScriptDefinition; words: readonly string[]; send: SendWords },
): Promise<Reply> {
  const refused = async (refusal: unknown): Promise<never> => {
    throw await refusalOf(refusal, script, { send, key: words[3] ?? '' });
  };
  if (!messageOf(error).startsWith('NOSCRIPT')) return refused(error);
  return send(['EVAL', script.source, ...words.slice(2)]).catch(refused);
}
