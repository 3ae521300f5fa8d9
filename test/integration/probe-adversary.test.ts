import { expect, test } from 'vitest';
import { Gate, useLab } from '../support/lab.js';
import { Proxy } from '../support/proxy.js';
import { until } from '../support/redis.js';
const lab = useLab({ port: 'free' });
test('stats with garbage at the head', async () => {
  await lab().send('XADD', lab().keys.stream, '*', 'a', 'b', 'c', 'd');
  await expect(lab().queue.stats()).resolves.toMatchObject({ ready: 1 });
});
test('delconsumer by operator', async () => {
  const { queue, keys } = lab();
  await queue.add('job', null, { id: 'a' });
  await lab().ghost(1);
  await lab().send('XGROUP', 'DELCONSUMER', keys.stream, 'workers', 'ghost');
  const { diary } = await lab().worker({ job: () => 0 });
  await until(() => diary.all('completed').length === 1, 'it', 8_000);
});
test('group recreated at $', async () => {
  const { queue, keys } = lab();
  await queue.add('job', null, { id: 'a' });
  await lab().send('XGROUP', 'CREATE', keys.stream, 'workers', '$');
  const { diary } = await lab().worker({ job: () => 0 });
  await until(() => diary.all('completed').length === 1, 'it', 8_000);
});
test('stop in a black hole', async () => {
  const { queue, server } = lab();
  const proxy = await Proxy.before(server);
  const gate = new Gate();
  const { worker } = await lab().worker({ job: () => gate.opened }, { connection: proxy.url, drain: '300ms' });
  await queue.add('job', null, { id: 'a' });
  await until(() => worker.inFlight === 1, 'start');
  proxy.blackHole();
  gate.open();
  const at = performance.now();
  await worker.stop();
  console.log('stop took', performance.now() - at);
  lab().errors = [];
}, 60_000);
test('close while calls are under way', async () => {
  const queue = lab().newQueue();
  const calls = Array.from({ length: 50 }, (_, at) => queue.add('job', null, { id: `t${at}` }).then((r) => r.status, (e: { code: string }) => e.code));
  await queue.close();
  console.log(new Set(await Promise.all(calls)));
});
