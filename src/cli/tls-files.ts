import { readFileSync } from 'node:fs';
import type { Arguments } from './arguments.js';
import { codeOf, usage } from './failure.js';

/** The options of a TLS connection, as the library and Node take them. */
export interface Tls {
  readonly tls: true;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

const files = ['ca', 'cert', 'key'] as const;

/** Where a setting of TLS was found: the flag, else the environment. */
interface Found {
  readonly source: string;
  readonly value: string;
}

function find(args: Arguments, name: (typeof files)[number] | 'servername'): Found | undefined {
  const flag = args.text(`tls-${name}`);
  if (flag !== undefined) return { source: `--tls-${name}`, value: flag };
  const variable = `DUESTREAM_TLS_${name.toUpperCase()}`;
  const value = process.env[variable];
  return value ? { source: variable, value } : undefined;
}

/** What the command line says of TLS, with the files read, and where it says it; undefined when it says nothing. */
export function tlsOf(args: Arguments): { tls: Tls; source: string } | undefined {
  const found = new Map(files.map((name) => [name, find(args, name)] as const));
  const servername = find(args, 'servername');
  const source = [...found.values(), servername].find((each) => each !== undefined)?.source;
  if (source === undefined) return undefined;
  const [cert, key] = [found.get('cert'), found.get('key')];
  if (cert && !key) throw usage(`${cert.source} goes with its key: give --tls-key`);
  if (key && !cert) throw usage(`${key.source} goes with its certificate: give --tls-cert`);
  const texts = files.flatMap((name) => {
    const file = found.get(name);
    return file ? [[name, textOf(file)]] : [];
  });
  const name = servername && { servername: servername.value };
  return { tls: { tls: true, ...(Object.fromEntries(texts) as Partial<Tls>), ...name }, source };
}

function textOf({ source, value }: Found): string {
  try {
    return readFileSync(value, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw usage(`${source}: no such file: ${value}`);
    throw usage(`${source}: can't read ${value}: ${codeOf(error)}`);
  }
}
