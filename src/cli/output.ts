/** Results go to stdout, everything else to stderr. No colour and no redrawing where nobody watches. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The one document of `--json`. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, process.stdout.isTTY ? 2 : undefined));
}

/** One line to the person at the terminal, or to the log. */
export function note(text: string): void {
  process.stderr.write(`duestream: ${text}\n`);
}

/** Columns as wide as their widest cell. Error messages and payloads may hold what would steer a terminal: left out. */
export function table(texts: readonly (readonly string[])[]): string {
  const rows = texts.map((row) => row.map((cell) => cell.replaceAll(/\p{Cc}+/gu, ' ')));
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** An instant for people; a dash when there is none. */
export function timeText(epochMs: number | null | undefined): string {
  return epochMs === null || epochMs === undefined ? '-' : new Date(epochMs).toISOString();
}

/** Waits until what was written has left, so that `process.exit` cuts nothing off. */
export function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed || !stream.writable) return Promise.resolve();
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
