/** A certification authority of a test's own, and what it signed, made on the spot by openssl. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const hasOpenssl: boolean = spawnSync('openssl', ['version']).status === 0;
export const skipped: string = hasOpenssl ? '' : ' (skipped: no openssl)';

/** The files of a certificate and its key. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
}

export class Authority {
  readonly #folder: string;
  readonly #name: string;
  readonly #own: Pair;

  constructor(folder: string, name = 'ca') {
    this.#folder = folder;
    this.#name = name;
    this.#own = this.#filesOf(name);
    openssl('req', '-x509', ...this.#newKey(this.#own), '-out', this.#own.cert, '-days', '2', '-subj', `/CN=${name}`);
  }

  /** Its own certificate, which is what others have to know. */
  get cert(): string {
    return this.#own.cert;
  }

  get text(): string {
    return readFileSync(this.cert, 'utf8');
  }

  /** `names` as in a subjectAltName: DNS:localhost,IP:127.0.0.1. */
  sign(name: string, { names = 'DNS:localhost', days = 2 }: { names?: string; days?: number } = {}): Pair {
    const pair = this.#filesOf(`${this.#name}-${name}`);
    const request = join(this.#folder, `${name}.csr`);
    openssl(
      'req',
      '-new',
      ...this.#newKey(pair),
      '-out',
      request,
      '-subj',
      `/CN=${name}`,
      '-addext',
      `subjectAltName=${names}`,
    );
    const signer = ['-CA', this.#own.cert, '-CAkey', this.#own.key, '-CAcreateserial', '-copy_extensions', 'copy'];
    openssl('x509', '-req', '-in', request, ...signer, '-out', pair.cert, '-days', String(days));
    return pair;
  }

  /** The text of a key, encrypted with a passphrase. */
  encrypted({ key }: Pair, passphrase = 'secret'): string {
    const { status, stdout, stderr } = spawnSync(
      'openssl',
      ['pkcs8', '-topk8', '-in', key, '-passout', `pass:${passphrase}`],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`openssl pkcs8: ${stderr}`);
    return stdout;
  }

  #filesOf(name: string): Pair {
    return { cert: join(this.#folder, `${name}.crt`), key: join(this.#folder, `${name}.key`) };
  }

  #newKey({ key }: Pair): string[] {
    return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];
  }
}

/** What redis-server is told to speak TLS with. */
export function tlsFlags(
  port: number,
  { server, ca, clients = 'no' }: { server: Pair; ca: Authority; clients?: 'no' | 'yes' },
): string[] {
  const files = ['--tls-cert-file', server.cert, '--tls-key-file', server.key, '--tls-ca-cert-file', ca.cert];
  return ['--tls-port', String(port), ...files, '--tls-auth-clients', clients];
}
