import { Leader } from '../../../index.js';
import type { Role, RoleParts } from './role.js';
import { noteError } from './note-error.js';

export function leader({ setting, writer, observe }: RoleParts): Role {
  const { connection, prefix, lockNodes, lockTtlMs: lockTtl } = setting;
  const nodes = lockNodes.length > 0 ? { lockNodes } : {};
  const candidate = new Leader(setting.queue, { connection, prefix, observe, lockTtl, ...nodes });
  candidate.on('error', (error) => noteError(writer, error));
  return {
    start: async () => {
      writer.note({ what: 'ready', role: 'leader', pid: process.pid, lockTtlMs: lockTtl });
      await candidate.start();
    },
    stop: () => candidate.stop(),
  };
}
