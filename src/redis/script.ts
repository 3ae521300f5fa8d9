import { BugError, DuestreamError, messageOf } from '../errors.js';
import type { Reply } from './reply.js';
import { refusalOf } from './rights.js';

/**
 * Calls the Lua scripts. A script is known by its definition, which scripts/generate-bindings.mjs makes from the
 * header of lua/<name>.lua: the names of keys and arguments in their order, and the shape of every reply.
 *
 * A call is EVALSHA, and once more as EVAL when the server does not know the script: after a restart, a failover or
 * SCRIPT FLUSH. NOSCRIPT means that nothing ran, so this second call can't make anything happen twice. Every other
 * error is the caller's to judge.
 *
 * A reply comes back as the object of its status, never with a value of the wrong type. A status that the definition
 * does not know is a BugError: the build holds header and body together. A field that does not fit may come from what
 * others wrote into Redis: ERR_REDIS_REPLY, which ends no loop.
 */
export type ScalarType = 'int' | 'string' | 'int?' | 'string?';

/** How one field of a reply is decoded; an object is a flat array whose elements come in groups of these fields. */
export type FieldType = ScalarType | 'int[]' | 'string[]' | Readonly<Record<string, ScalarType>>;

/** The fields of one status, in the order in which the script returns them. */
export type ReplyShape = Readonly<Record<string, FieldType>>;

export interface ScriptDefinition {
  readonly name: string;
  readonly sha1: string;
  readonly source: string;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** The fields of one item; items follow the fixed arguments. Empty for a script without ITEMS. */
  readonly items: readonly string[];
  readonly reply: Readonly<Record<string, ReplyShape>>;
}

/** A definition that knows the types of its keys, its arguments and its replies. */
export interface Script<K, A, R extends { status: string }> extends ScriptDefinition {
  readonly keys: readonly (keyof K & string)[];
  readonly args: readonly (keyof A & string)[];
  readonly reply: { readonly [S in R['status']]: ReplyShape };
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
  const args = encodeCall(script, call);
  const op = script.name;
  const options = call.timeoutMs === undefined ? { op } : { op, timeoutMs: call.timeoutMs };
  let reply: Reply;
  try {
    reply = await caller.send(args, options);
  } catch (error) {
    const send = (words: readonly string[]): Promise<Reply> => caller.send(words, options);
    reply = await afterRefusal(error, { script, args, send });
  }
  return decodeReply(script, reply);
}

/** The reply to the script sent whole, where only its name was not known. Rejects with what users should know of any other error. */
async function afterRefusal(
  error: unknown,
  {
    script,
    args,
    send,
  }: { script: ScriptDefinition; args: readonly string[]; send: (words: readonly string[]) => Promise<Reply> },
): Promise<Reply> {
  const refused = async (refusal: unknown): Promise<never> => {
    throw await refusalOf(refusal, script, { send, key: args[3] ?? '' });
  };
  if (!messageOf(error).startsWith('NOSCRIPT')) return refused(error);
  return send(['EVAL', script.source, ...args.slice(2)]).catch(refused);
}

/** The whole EVALSHA command. */
export function encodeCall<K, A, R extends { status: string }>(
  script: Script<K, A, R>,
  call: ScriptCall<NoInfer<K>, NoInfer<A>>,
): string[] {
  const out = ['EVALSHA', script.sha1, String(script.keys.length)];
  for (const name of script.keys) out.push(encode(script, name, call.keys[name]));
  for (const name of script.args) out.push(encode(script, name, call.args[name]));
  if (script.items.length > 0) {
    const { items } = call.args as { items: readonly Readonly<Record<string, unknown>>[] };
    for (const item of items) {
      for (const name of script.items) out.push(encode(script, name, item[name]));
    }
  }
  return out;
}

/** Lua would read 'NaN' as a number, and 'undefined' as a name: they stop here. */
function encode(script: ScriptDefinition, name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  throw new BugError(`${script.name}: ${name} must be a string or an integer, got ${shown(value)}`);
}

/** The object of the reply's status, with its fields in place. */
export function decodeReply<K, A, R extends { status: string }>(script: Script<K, A, R>, reply: Reply): R {
  const definition: ScriptDefinition = script;
  const status = Array.isArray(reply) ? reply[0] : undefined;
  if (!Array.isArray(reply) || typeof status !== 'string' || !Object.hasOwn(definition.reply, status)) {
    throw new BugError(`${script.name}: expected {${Object.keys(script.reply).join(' | ')}, …}, got ${shown(reply)}`);
  }
  const shape = definition.reply[status] as ReplyShape;
  const decoded: Record<string, unknown> = { status };
  let at = 0;
  for (const name of Object.keys(shape)) {
    at += 1;
    const value = decode(shape[name] as FieldType, reply[at]);
    if (value === undefined) throw misfit({ script, path: `${status}.${name}`, type: shape[name], value: reply[at] });
    decoded[name] = value;
  }
  if (reply.length > at + 1) throw new BugError(`${script.name}: ${status} has ${at} fields, got ${reply.length - 1}`);
  return decoded as R;
}

type Scalar = string | number | null;
type Decoded = Scalar | Scalar[] | Record<string, Scalar>[];

/** Undefined when the value does not fit. A field missing at the end was nil in Lua, where a reply ends at a nil. */
function decode(type: FieldType, value: Reply | undefined): Decoded | undefined {
  if (typeof type === 'object') return decodeGroups(type, value);
  if (type === 'int[]') return decodeList('int', value);
  if (type === 'string[]') return decodeList('string', value);
  return decodeScalar(type, value);
}

function decodeScalar(type: ScalarType, value: Reply | undefined): Scalar | undefined {
  if (value === null || value === undefined) return type === 'int?' || type === 'string?' ? null : undefined;
  if (type === 'string' || type === 'string?') {
    if (typeof value === 'string') return value;
    return typeof value === 'number' ? String(value) : undefined;
  }
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const parsed = Number(value);
  return Number.isSafeInteger(parsed) && String(parsed) === value ? parsed : undefined;
}

function decodeList(type: ScalarType, value: Reply | undefined): Scalar[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const list: Scalar[] = [];
  for (const element of value) {
    const decoded = decodeScalar(type, element);
    if (decoded === undefined) return undefined;
    list.push(decoded);
  }
  return list;
}

function decodeGroups(
  type: Readonly<Record<string, ScalarType>>,
  value: Reply | undefined,
): Record<string, Scalar>[] | undefined {
  const names = Object.keys(type);
  if (!Array.isArray(value) || value.length % names.length !== 0) return undefined;
  const groups: Record<string, Scalar>[] = [];
  for (let at = 0; at < value.length; ) {
    const group: Record<string, Scalar> = {};
    for (const name of names) {
      const decoded = decodeScalar(type[name] as ScalarType, value[at]);
      if (decoded === undefined) return undefined;
      group[name] = decoded;
      at += 1;
    }
    groups.push(group);
  }
  return groups;
}

function misfit(field: { script: ScriptDefinition; path: string; type: unknown; value: unknown }): DuestreamError {
  const { script, path, type, value } = field;
  const expected = typeof type === 'string' ? type : `groups of ${JSON.stringify(type)}`;
  return new DuestreamError('ERR_REDIS_REPLY', `${script.name}: ${path} must be ${expected}, got ${kindOf(value)}`);
}

/** Never the value, for it may be a payload. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  return Array.isArray(value) ? 'a list' : `another ${typeof value}`;
}

/** Short, for a reply may carry whole payloads. */
function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 80);
}
