/** Writes how a script's calls are put into words, and its replies read: with what src/redis/wording.ts has for it. */
import { camelCase } from './header.mjs';
import { readers } from './readers.mjs';

export function wordingLines(definition) {
  return [...wordsLines(definition), ...readLines(definition)];
}

/** How a call is put into words: all of them in the order of the header, items last. */
function wordsLines({ name, sha1, keys, args, items }) {
  const wordOf = (of) => (field) => `word(${of}.${camelCase(field.name)}, '${name}: ${camelCase(field.name)}')`;
  const fixed = [
    "'EVALSHA'",
    `'${sha1}'`,
    `'${keys.length}'`,
    ...keys.map(wordOf('keys')),
    ...args.map(wordOf('args')),
  ];
  const list = fixed.map((part) => `    ${part},`);
  const first = keys.length > 0 ? 'keys' : '_keys';
  const given = args.length > 0 || items ? `${first}, args` : first;
  if (!items) return [`  words: (${given}) => [`, ...list, '  ],'];
  return [
    `  words: (${given}) => {`,
    '    const words = [',
    ...list.map((line) => `  ${line}`),
    '    ];',
    '    for (const item of args.items) {',
    `      words.push(${items.map(wordOf('item')).join(', ')});`,
    '    }',
    '    return words;',
    '  },',
  ];
}

/** How a reply is read: by its status, each field by its type. */
function readLines({ name, replies }) {
  return [
    '  read: (reply) => {',
    '    const all = Array.isArray(reply) ? reply : [];',
    '    switch (all[0]) {',
    ...replies.flatMap(({ status, fields }) => [
      `      case '${status}':`,
      `        atMost(${fields.length}, all, '${name}: ${status}');`,
      ...objectRead(fields, { name, status }),
    ]),
    '      default:',
    `        throw strange(reply, '${name}', '${replies.map(({ status }) => status).join(' | ')}');`,
    '    }',
    '  },',
  ];
}

function objectRead(fields, { name, status }) {
  if (fields.length === 0) return [`        return { status: '${status}' };`];
  const at = (nth) => ({ from: `all[${nth + 1}]`, path: `${name}: ${status}`, indent: '          ' });
  const lines = fields.flatMap((field, nth) => fieldRead(field, at(nth)));
  return ['        return {', `          status: '${status}',`, ...lines, '        };'];
}

function fieldRead({ name, type }, { from, path, indent }) {
  const field = camelCase(name);
  const where = `'${path}.${field}'`;
  if (typeof type === 'string') return [`${indent}${field}: ${readers[type]}(${from}, ${where}),`];
  const inner = { path: `${path}.${field}`, indent: `${indent}    ` };
  return [
    `${indent}${field}: groups(${from}, {`,
    `${indent}  size: ${type.length},`,
    `${indent}  where: ${where},`,
    `${indent}  read: (list, at) => ({`,
    ...type.flatMap((one, at) => fieldRead(one, { from: at === 0 ? 'list[at]' : `list[at + ${at}]`, ...inner })),
    `${indent}  }),`,
    `${indent}}),`,
  ];
}
