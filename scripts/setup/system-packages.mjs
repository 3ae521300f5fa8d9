/**
 * System packages through apt-get, as root, without leaving a service behind: what we want is the program, and a
 * Redis that listens on a machine whose owner only ran the tests would be a surprise.
 *
 * As a command: node scripts/setup/system-packages.mjs <package…> installs those that are missing.
 */
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run, say, SetupError } from './run.mjs';

/** Debian asks this program before it starts a service; 101 means no. */
const policyFile = '/usr/sbin/policy-rc.d';
const policy =
  '#!/bin/sh\n# Put here by the set-up of Duestream for the time of one install; delete it if you find it.\nexit 101\n';

export function hasApt() {
  return process.platform === 'linux' && onPath('apt-get');
}

export function isRoot() {
  return process.getuid?.() === 0;
}

export function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder || '.', program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export async function aptInstall(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' };
  const apt = (args) => run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args], { env });
  const update = await apt(['update']); // one broken source need not matter: the install tells
  const install = await withoutServices(() => apt(['install', '-y', '--no-install-recommends', ...packages]));
  if (install.code !== 0) {
    const told = `${update.output}\n${install.output}`;
    throw new SetupError(`apt-get install ${packages.join(' ')} failed with exit code ${install.code}:\n${told}`);
  }
  for (const name of packages) {
    if (existsSync(`/etc/init.d/${name}`)) await run('update-rc.d', [name, 'disable']); // else it starts at the next boot
  }
}

async function withoutServices(work) {
  if (existsSync(policyFile) && readFileSync(policyFile, 'utf8') !== policy) return work(); // the owner's; it decides
  writeFileSync(policyFile, policy, { mode: 0o755 });
  try {
    return await work();
  } finally {
    rmSync(policyFile, { force: true });
  }
}

async function isInstalled(name) {
  const { output } = await run('dpkg-query', ['--show', '--showformat=${Status}', name]);
  return output === 'install ok installed';
}

async function main(packages) {
  if (!hasApt() || !isRoot()) throw new SetupError(`needs apt-get and root to install ${packages.join(', ')}.`);
  const missing = [];
  for (const name of packages) if (!(await isInstalled(name))) missing.push(name);
  if (missing.length === 0) return;
  say(`installing ${missing.join(', ')}, no service started or enabled (apt-get install)`);
  await aptInstall(missing);
}

if (import.meta.filename === process.argv[1]) {
  main(process.argv.slice(2)).catch((error) => {
    say(error.message);
    process.exitCode = 1;
  });
}
