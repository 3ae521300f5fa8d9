import { aptInstall, hasApt, isRoot, onPath } from './system-packages.mjs';
import { run, say, SetupError } from './run.mjs';

const majorMin = 7;
const servers = ['redis-server', 'valkey-server'];

/** Per package manager, what a person types. Only apt-get as root is run by the set-up itself. */
const installs = [
  { tool: 'apt-get', command: 'apt-get install -y redis-server' },
  { tool: 'dnf', command: 'dnf install -y valkey' },
  { tool: 'pacman', command: 'pacman -S --noconfirm valkey' },
  { tool: 'apk', command: 'apk add redis' },
  { tool: 'zypper', command: 'zypper install -y redis' },
  { tool: 'brew', command: 'brew install redis', asUser: true },
];

/** A redis-server or valkey-server on PATH: the tests and the demo start their own from it, and stop them. */
export async function installRedis() {
  if (await hasServer()) return;
  if (!hasApt() || !isRoot()) throw new SetupError(`no redis-server or valkey-server on PATH. ${advice()}`);
  say('installing redis-server, its service neither started nor enabled (apt-get install redis-server)');
  await aptInstall(['redis-server']);
  if (!(await hasServer())) throw new SetupError('apt-get installed redis-server, but it is not on PATH.');
}

async function hasServer() {
  const found = servers.find((name) => onPath(name));
  if (!found) return false;
  const { output } = await run(found, ['--version']);
  const version = /\bv=([\d.]+)/.exec(output)?.[1];
  if (version && Number.parseInt(version, 10) >= majorMin) return true;
  const got = version ?? `an answer without a version (${output.trim()})`;
  throw new SetupError(`Duestream needs Redis ${majorMin}.0 or newer; ${found} on PATH is ${got}. ${newer()}`);
}

function advice() {
  const install = installs.find(({ tool }) => onPath(tool));
  if (!install) return `Install Redis ${majorMin}.0 or newer and try again: https://redis.io/docs/latest/get-started/`;
  const sudo = install.asUser || isRoot() ? '' : 'sudo ';
  return `Install it and try again: ${sudo}${install.command}`;
}

function newer() {
  return 'Install a newer one, for example from https://packages.redis.io, and put it first on PATH.';
}
