/**
 * The library names the option it refuses, `lockTtl`; who typed a command line knows it as `--lock-ttl`. Only flags that
 * were typed are put in: the same word may be an argument.
 */
export function withFlagNames(line: string, argv: readonly string[]): string {
  const [start = '', option = '', inner] = /^(\w+)(?:\.(\w+))?(?= )/.exec(line) ?? [];
  const kebab = option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const names = [`--${kebab}`, `--${kebab}-ms`];
  const flag = names.find((name) => argv.some((token) => token === name || token.startsWith(`${name}=`)));
  if (option === '' || flag === undefined) return line;
  return `${flag}${inner === undefined ? '' : `: ${inner}`}${line.slice(start.length)}`;
}
