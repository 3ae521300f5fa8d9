import { Child, type ChildEvents } from './child.js';
import type { RoleName, Setting } from './records.js';

const parts: readonly (readonly [role: RoleName, name: string])[] = [
  ['leader', 'leader-1'],
  ['leader', 'leader-2'],
  ['worker', 'worker-1'],
  ['worker', 'worker-2'],
  ['producer', 'producer'],
];

export interface CastEvents extends Omit<ChildEvents, 'onNews'> {
  readonly onNews: (news: Parameters<ChildEvents['onNews']>[0], child: Child) => void;
}

/** The five processes. */
export class Cast {
  readonly children: readonly Child[];

  constructor(setting: Omit<Setting, 'name'>, events: CastEvents) {
    this.children = parts.map(([role, name]) => {
      const child: Child = new Child(
        role,
        { ...setting, name },
        { ...events, onNews: (news) => events.onNews(news, child) },
      );
      return child;
    });
  }

  async ready(): Promise<void> {
    await Promise.all(this.children.map(({ ready }) => ready));
  }

  begin(): void {
    for (const child of this.children) child.begin();
  }

  withPid(pid: number): Child | undefined {
    return this.children.find((child) => child.pid === pid);
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => child.stop()));
  }
}
