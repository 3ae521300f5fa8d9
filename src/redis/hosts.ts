import { invalid } from '../errors.js';

/** Where one of several servers is. An IPv6 address has no brackets here. */
export interface Host {
  readonly host: string;
  readonly port: number;
}

const portMax = 65_535;

/**
 * Reads `h1:p1,h2,[::1]:p3`: what `new URL()` can't. Throws ERR_INVALID_ARGUMENT, and shows nothing of the text: in a
 * wrong URL a password may stand where the hosts should.
 */
export function parseHosts(text: string, defaultPort: number): Host[] {
  return text.split(',').map((each, at) => {
    const [, v6, name, digits] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(each) ?? [];
    const host = v6 ?? name;
    const port = digits === undefined ? defaultPort : Number(digits);
    if (host === undefined || port < 1 || port > portMax) {
      throw invalid(`connection: host ${at + 1} of the list is not host, host:port or [address]:port`);
    }
    return { host, port };
  });
}

/** `host:port`, as in a URL. */
export function shownHost({ host, port }: Host): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
