/** What producers and workers agree on: a task's name and its payload's type. A type alias, not an interface. */
export type Mail = {
  welcome: { to: string };
  digest: { userId: number };
};
