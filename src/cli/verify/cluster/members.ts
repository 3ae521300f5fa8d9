/** A node of a cluster, as another node sees it. */
export interface Member {
  readonly id: string;
  readonly port: number;
  readonly isMaster: boolean;
  /** It is there, and whoever says so is connected to it. */
  readonly isWell: boolean;
  /** Of a replica: whose. */
  readonly masterId: string;
  /** Of a master: the slots it serves, each range with its first and last. */
  readonly slots: readonly (readonly [first: number, last: number])[];
}

/** What CLUSTER NODES says: `id ip:port@bus[,name] flags master ping pong epoch link slot…`. */
export function membersIn(text: string): Member[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [id = '', address = '', flags = '', masterId = '', , , , link, ...slots] = line.split(' ');
    const port = /:(\d+)@/.exec(address)?.[1];
    if (id.length !== 40 || port === undefined) return [];
    const words = flags.split(',');
    const isGone = ['fail', 'fail?', 'handshake', 'noaddr'].some((word) => words.includes(word));
    return {
      id,
      port: Number(port),
      isMaster: words.includes('master'),
      isWell: !isGone && link === 'connected',
      masterId,
      slots: slots.flatMap(rangeIn),
    };
  });
}

/** `5`, `5-9`; what is in brackets is on its way. */
function rangeIn(text: string): [number, number][] {
  const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  return first === undefined ? [] : [[Number(first), Number(last ?? first)]];
}

/** Who serves a slot; undefined when nobody does. */
export function masterOf(members: readonly Member[], slot: number): Member | undefined {
  return members.find(({ slots }) => slots.some(([first, last]) => first <= slot && slot <= last));
}

/** Whether this many masters are well, with a replica each that is well; and nobody is on its way. */
export function isWhole(members: readonly Member[], masters: number): boolean {
  const serving = members.filter(({ isMaster, slots }) => isMaster && slots.length > 0);
  const replicas = serving.map(({ id }) => members.filter(({ masterId }) => masterId === id).length);
  const isComplete = serving.length === masters && replicas.every((count) => count === 1);
  return isComplete && members.length === 2 * masters && members.every(({ isWell }) => isWell);
}

/** The same text for the same view of who serves what. */
export function viewOf(members: readonly Member[]): string {
  const serving = members.filter(({ slots }) => slots.length > 0);
  return serving
    .map(({ id, slots }) => `${id} ${slots.map(([first, last]) => `${first}-${last}`).join()}`)
    .toSorted()
    .join('\n');
}
