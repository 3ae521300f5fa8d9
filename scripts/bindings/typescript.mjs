/** Writes the generated file. */
import { createHash } from 'node:crypto';
import { camelCase } from './header.mjs';
import { helperNames } from './readers.mjs';
import { wordingLines } from './wording.mjs';

const widthMax = 120;
const banner = `// Made from lua/*.lua by scripts/generate-bindings.mjs: change the script, then run \`npm run build\`.`;

export function typescriptOf(scripts) {
  const definitions = scripts.map((one) => ({ ...one, sha1: createHash('sha1').update(one.source).digest('hex') }));
  const names = definitions.map(({ name }) => camelCase(name));
  const code = definitions.flatMap(wordingLines).join('\n');
  const used = helperNames.filter((one) => new RegExp(`\\b${one}\\(`).test(code));
  return [
    `${banner}\nimport type { Script, ScriptDefinition } from './script.js';`,
    fitted('import ', { brackets: '{}', parts: used, indent: '', end: " from './wording.js';\n" }),
    ...definitions.map(scriptText),
    fitted('export const scripts: readonly ScriptDefinition[] = ', {
      brackets: '[]',
      parts: names,
      indent: '',
      end: ';\n',
    }),
  ].join('\n');
}

function scriptText(definition) {
  const { name, summary, sha1, keys, args, items, replies, source } = definition;
  const constName = camelCase(name);
  const typeName = constName[0].toUpperCase() + constName.slice(1);
  const argMembers = args.map(({ name, type, comment }) => ({ name, type: typeOf(type), comment }));
  if (items) argMembers.push({ name: 'items', type: `readonly ${groupType(items)}[]`, comment: '' });
  const keyMembers = keys.map(({ name, type, comment }) => ({ name, type: 'string', comment: `${type}: ${comment}` }));
  return [
    interfaceText(`${typeName}Keys`, keyMembers),
    interfaceText(`${typeName}Args`, argMembers),
    replyText(typeName, replies),
    `/** ${docText(summary)} */`,
    `export const ${constName}: Script<${typeName}Keys, ${typeName}Args, ${typeName}Reply> = {`,
    `  name: '${name}',`,
    `  sha1: '${sha1}',`,
    namesText('keys', keys),
    namesText('args', args),
    namesText('items', items ?? []),
    ...wordingLines(definition),
    `  source: \`${source.replace(/[`\\]|\$\{/g, '\\$&')}\`,`,
    '};\n',
  ].join('\n');
}

const docText = (text) => text.trim().replaceAll('*/', '*\\/');

function interfaceText(name, members) {
  if (members.length === 0) return `export type ${name} = Readonly<Record<never, never>>;\n`;
  const lines = members.flatMap(({ name, type, comment }) => {
    const doc = docText(comment.replace(/: $/, ''));
    return [...(doc ? [`  /** ${doc} */`] : []), `  ${camelCase(name)}: ${type};`];
  });
  return `export interface ${name} {\n${lines.join('\n')}\n}\n`;
}

function typeOf(type) {
  if (typeof type !== 'string') return `${groupType(type)}[]`;
  return type.replace('int', 'number').replace('?', ' | null');
}

const groupType = (fields) => `{ ${membersOf(fields).join('; ')} }`;
const membersOf = (fields) => fields.map(({ name, type }) => `${camelCase(name)}: ${typeOf(type)}`);

function replyText(typeName, replies) {
  const head = `export type ${typeName}Reply =`;
  const members = replies.map(({ status, fields }) => [`status: '${status}'`, ...membersOf(fields)]);
  const oneLine = `${head} ${members.map((parts) => `{ ${parts.join('; ')} }`).join(' | ')};`;
  if (oneLine.length <= widthMax) return `${oneLine}\n`;
  if (members.length === 1) return `${head} {\n${members[0].map((part) => `  ${part};`).join('\n')}\n};\n`;
  const lines = members.map((parts, index) => {
    const end = index === members.length - 1 ? ';' : '';
    const line = `  | { ${parts.join('; ')} }${end}`;
    if (line.length <= widthMax) return line;
    return `  | {\n${parts.map((part) => `      ${part};`).join('\n')}\n    }${end}`;
  });
  return `${head}\n${lines.join('\n')}\n`;
}

const namesText = (property, entries) =>
  fitted(`  ${property}: `, {
    brackets: '[]',
    parts: entries.map(({ name }) => `'${camelCase(name)}'`),
    indent: '  ',
    end: ',',
  });

/** A list on one line if it fits, else one part a line. */
function fitted(head, { brackets: [open, close], parts, indent, end }) {
  const space = open === '{' && parts.length > 0 ? ' ' : '';
  const oneLine = `${head}${open}${space}${parts.join(', ')}${space}${close}${end}`;
  if (oneLine.trimEnd().length <= widthMax) return oneLine;
  return [`${head}${open}`, ...parts.map((part) => `${indent}  ${part},`), `${indent}${close}${end}`].join('\n');
}
