/**
 * The next error that would end the process, kept from the test runner, which takes any for a failure. In the meantime the
 * runner's own listeners are away.
 */
export function nextFatal(event: 'uncaughtException' | 'unhandledRejection'): Promise<unknown> {
  const listeners = process.rawListeners(event);
  process.removeAllListeners(event);
  return new Promise((resolve) => {
    process.once(event, (error: unknown) => {
      for (const listener of listeners) process.on(event, listener as () => void);
      resolve(error);
    });
  });
}
