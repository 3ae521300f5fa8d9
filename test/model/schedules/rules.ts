/** What keeps a schedule to one occurrence for each nominal time, each in a sentence; every one can be taken away. */
export const sentences = {
  tickCompares: 'a tick moves a schedule only from the cursor it was decided upon',
  tickInOne: 'a tick adds the occurrence where it moves the cursor, in one script',
  moveMarks: 'who moves a schedule marks it first, so that it fires nothing where it was',
  moveKeepsMark: 'a marked schedule is only moved, by whoever meets it',
  markSaysWhere: 'a mark says where to, and whoever goes on from it keeps to that',
  moveOnce: 'a move has a name, by which it makes a schedule once',
  moveFenced: 'a move makes a schedule only under the term that is accepted there',
  usersWait: 'who changes a schedule waits while it is marked anywhere',
} as const;

export type Rule = keyof typeof sentences;
export type Rules = Readonly<Record<Rule, boolean>>;

export const allRules: readonly Rule[] = Object.keys(sentences) as Rule[];

export function rulesWithout(removed: readonly Rule[]): Rules {
  return Object.fromEntries(allRules.map((rule) => [rule, !removed.includes(rule)])) as Record<Rule, boolean>;
}
