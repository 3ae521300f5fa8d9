/** Along what Duestream's growth is measured, and the rows of results that lie on each axis. */
export const axes = [
  {
    name: 'tasks',
    rows: [
      'drain, ready',
      'promotion, scheduled',
      'longest script, ready',
      'longest script, scheduled',
      'longest script, add',
    ],
  },
  {
    name: 'payload in bytes',
    rows: ['drain, payload', 'bulk add, payload', 'longest script, payload', 'longest script, bulk add'],
  },
  { name: 'worker processes', rows: ['drain, workers', 'longest script, workers'] },
];

/** What a row is called where the axis is known: "drain, ready" and "longest script, scheduled" keep all their words. */
export function columnName(row) {
  return row.replace(/, (?:payload|workers)$/, '');
}
