/** What `/healthz`, `/readyz` and `worker.health()` say. */
export interface Health {
  /** The process does what it is there for, or tries to. */
  readonly ok: boolean;
  /** It can do it now: Redis answers, its work gets through. */
  readonly ready: boolean;
  /** Why not, in words, a line each. */
  readonly problems: readonly string[];
}

export function healthOf(ok: boolean, problems: readonly (string | false)[]): Health {
  const said = problems.filter((problem) => problem !== false);
  return { ok, ready: ok && said.length === 0, problems: said };
}
