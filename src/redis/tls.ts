import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { invalid, messageOf } from '../errors.js';

/**
 * TLS, where users meet it: what they give for it is checked at the door, and what stands in the way of a connection is
 * told in words that say what to do. No word of a key or a certificate gets into a message, but for the names in one.
 */

const material = ['ca', 'cert', 'key', 'pfx'];

/** Throws ERR_INVALID_ARGUMENT for what would quietly make a connection without TLS, or none at all. No I/O. */
export function checkTls(options: object, socket: Readonly<Record<string, unknown>>): void {
  if ('tls' in options) throw invalid('connection.tls does nothing: set connection.socket.tls to true');
  const { tls } = socket;
  if (tls !== undefined && typeof tls !== 'boolean') {
    throw invalid(`connection.socket.tls must be true or false, got ${typeof tls}: ca, cert and key go beside it`);
  }
  const given = material.filter((name) => socket[name] !== undefined);
  if (given[0] !== undefined && tls !== true) {
    throw invalid(`connection.socket.${given[0]} is for TLS: use rediss://, or set connection.socket.tls to true`);
  }
  for (const name of ['ca', 'cert']) checkCertificates(name, socket[name]);
  if (given.length > 0) checkKey(socket);
}

/** Node passes over a CA that is none, and then knows no CA at all. */
function checkCertificates(name: string, value: unknown): void {
  for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
    if (one === undefined) continue;
    try {
      void new X509Certificate(one as Buffer);
    } catch {
      throw invalid(`connection.socket.${name} is not a certificate: expected the text of a PEM file`);
    }
  }
}

function checkKey({ cert, key, pfx, passphrase }: Readonly<Record<string, unknown>>): void {
  if ((cert === undefined) !== (key === undefined)) {
    throw invalid('connection.socket.cert and connection.socket.key go together: give both, or neither');
  }
  try {
    createSecureContext({ ca: [], cert, key, pfx, passphrase } as Parameters<typeof createSecureContext>[0]);
  } catch (error) {
    throw invalid(keyFault(`${codeOf(error)} ${messageOf(error)}`)); // without its cause: who knows what that shows
  }
}

function keyFault(said: string): string {
  if (/KEY_VALUES_MISMATCH/.test(said)) {
    return 'connection.socket.key is not the key of connection.socket.cert';
  }
  if (/PASSPHRASE|bad decrypt|BAD_DECRYPT|interrupted or cancelled/i.test(said)) {
    return 'connection.socket.key is encrypted: give it decrypted, or its passphrase as connection.socket.passphrase';
  }
  return 'connection.socket.key is not a private key, expected the text of a PEM file; or connection.socket.pfx is damaged';
}

/** What a code of Node or OpenSSL means, and what to do. */
const meanings: readonly (readonly [code: RegExp, meaning: string])[] = [
  [
    /^(?:SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w+|CERT_UNTRUSTED|CERT_CHAIN_TOO_LONG)$/,
    'its certificate is not from a CA that is known here: give the CA it is from as connection.socket.ca',
  ],
  [/^CERT_HAS_EXPIRED$/, 'its certificate has expired: renew it, or set the clock of this machine right'],
  [/^CERT_NOT_YET_VALID$/, 'its certificate is not valid yet: set the clock of this machine right'],
  [/^CERT_REVOKED$/, 'its certificate is revoked: give it another'],
  [/CERTIFICATE_REQUIRED$/, 'it wants a client certificate: give connection.socket.cert and connection.socket.key'],
  [
    /ALERT_(?:UNKNOWN_CA|\w*CERTIFICATE\w*|ACCESS_DENIED|DECRYPT_ERROR)$/,
    'it refuses the client certificate: is it from a CA that is known there, and has it not expired?',
  ],
  [
    /(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNEXPECTED_MESSAGE|HTTP_REQUEST|RECORD_OVERFLOW)$/,
    'it does not speak TLS at this port: name the port that does, or use redis:// without TLS',
  ],
  [
    /(?:HANDSHAKE_FAILURE|PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_SHARED_CIPHER|INSUFFICIENT_SECURITY|\w+_ALERT_\w+)$/,
    'it refuses the TLS handshake: allow a TLS version and a cipher that both sides know',
  ],
];

/** A Redis without TLS takes the handshake for the first half of a line, and waits for the rest. */
export const noHandshake =
  'no TLS connection came about: is the host reachable, and does it speak TLS at this port? Use redis:// where it does not';

/** How far a connection came. `socket`: made, and over TLS the handshake done, as far as this side can tell. */
export interface Progress {
  readonly isTls: boolean;
  readonly stage: 'connecting' | 'socket';
}

/** Why no connection came about, in words, where TLS has to do with it; else undefined. Only before the first answer. */
export function tlsTrouble(error: Error, { isTls, stage }: Progress): string | undefined {
  const code = codeOf(error);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return otherName(error);
  const [, meaning] = meanings.find(([codes]) => codes.test(code)) ?? [];
  if (meaning !== undefined) return `${meaning} (${code})`;
  if (isTls && stage === 'connecting' && isSilence(error)) return noHandshake;
  if (!isHangUp(error, code)) return undefined;
  if (!isTls) {
    return stage === 'socket'
      ? 'it closed the connection before it answered: if this port speaks TLS, use rediss://'
      : undefined;
  }
  return stage === 'socket'
    ? 'it closed the connection after the TLS handshake: it may want another client certificate, or one at all (connection.socket.cert and connection.socket.key)'
    : 'it broke off the TLS handshake: does it speak TLS at this port?';
}

function otherName(error: Error & { cert?: { subjectaltname?: string } }): string {
  const names = error.cert?.subjectaltname;
  return (
    `its certificate is for ${names === undefined ? 'another name' : `other names (${names})`}: connect by the name in ` +
    'it, or give that as connection.socket.servername'
  );
}

/** By name as well: a user's client may come from another copy of the package. */
function isHangUp(error: Error, code: string): boolean {
  return error.constructor.name === 'SocketClosedUnexpectedlyError' || ['ECONNRESET', 'EPIPE'].includes(code);
}

function isSilence({ constructor, message }: Error): boolean {
  return constructor.name === 'ConnectionTimeoutError' || message.startsWith('connecting: no answer');
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
