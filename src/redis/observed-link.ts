import type { Observe } from '../events.js';
import { queuesKey } from '../keys.js';
import type { Common } from '../options.js';
import type { ConnectionOption } from './connection.js';
import { Link, type LinkEvent } from './link.js';
import { lockRights, scriptRights, withRights } from './rights.js';
import { type Target, targetOf } from './target.js';

let opened = 0;

/** Without all of these such a connection is not used. Producers and operators may have fewer: each call tells. */
const demanded: Readonly<Record<string, readonly string[]>> = {
  worker: scriptRights,
  leader: scriptRights,
  lock: lockRights,
};

/** A link whose ups and downs are observed. */
export function openLink(
  common: Common<ConnectionOption>,
  purpose: string,
  connection: ConnectionOption | Target = common.connection,
): Link {
  const { clock, random, commandTimeoutMs, observe, prefix } = common;
  const target = targetOf(connection);
  const rights = demanded[purpose];
  opened += 1;
  const where = `${target.shown} ${purpose} ${opened}`; // one name for one link: observers add up over them
  const trusted = rights ? withRights(target, { key: queuesKey(prefix), rights, who: purpose }) : target;
  const isVoter = purpose === 'lock' && target.kind === undefined; // else a master of the queue's own cluster votes
  return new Link({
    connection: isVoter ? { ...trusted, isVoter } : trusted,
    purpose,
    clock,
    random,
    commandTimeoutMs,
    onEvent: (event) => tell(event, where, purpose === 'lock' ? exceptUp(observe) : observe),
  });
}

function tell(event: LinkEvent, connection: string, observe: Observe): void {
  switch (event.type) {
    case 'connected':
      observe({ type: 'redis_up', connection, up: true });
      if (event.life > 1) observe({ type: 'redis_reconnected', connection });
      break;
    case 'lost':
      observe({ type: 'redis_up', connection, up: false });
      observe({ type: 'redis_error', connection, kind: 'lost' });
      break;
    case 'connect_failed':
      observe({ type: 'redis_up', connection, up: false });
      observe({ type: 'redis_error', connection, kind: 'connect', error: event.error });
      break;
    case 'timeout':
      observe({ type: 'redis_error', connection, kind: 'timeout' });
      break;
    case 'refused':
      observe({ type: 'redis_error', connection, kind: 'reply' });
      break;
    case 'closed':
      observe({ type: 'redis_closed', connection });
      break;
    case 'command':
      observe({ type: 'redis_command', op: event.command, durationMs: event.ms });
      break;
  }
}

/** A lock node that is down is an error, but no outage: the others vote, and the queue lies elsewhere. */
function exceptUp(observe: Observe): Observe {
  return (observation) => {
    if (observation.type !== 'redis_up') observe(observation);
  };
}
