/**
 * Mistakes that Duestream could have made: each is a rule taken away, and has to turn the explorer or the campaign red.
 * `edits`: the text that goes, which must stand there exactly once, and what takes its place. `campaign`: the faults
 * that bring it to light, and for how long; `checks`: the promises one of which must be reported broken.
 */
const promoteCheck = 'if accepted[1] ~= term or accepted[2] ~= token then\n';

export const mutants = [
  {
    name: 'no term check in promote',
    edits: [{ file: 'lua/promote.lua', from: promoteCheck, to: 'if false then\n' }],
    campaign: ['--faults', 'leader-freeze,net-late-requests', '--seconds', '25'],
  },
  {
    name: '>= instead of equality in promote',
    edits: [
      {
        file: 'lua/promote.lua',
        from: promoteCheck,
        to: "if tonumber(term) < tonumber(accepted[1] or '0') then\n",
      },
    ],
  },
  {
    name: 'no live check in open',
    edits: [{ file: 'lua/open.lua', from: "redis.call('HGET', live, id) == number, bytes", to: 'true, bytes' }],
  },
  {
    name: 'no live check in next',
    edits: [{ file: 'lua/next.lua', from: 'lives[i] == number, bytes', to: 'true, bytes' }],
  },
  {
    name: 'no live check in settle',
    edits: [{ file: 'lua/next.lua', from: 'elseif lives[i] == entry then', to: 'elseif entry then' }],
  },
  {
    name: 'no live check where all seem good',
    edits: [{ file: 'lua/next.lua', from: " ~= '1' or lives[i] ~= entry then", to: " ~= '1' then" }],
  },
  {
    name: 'what a late script may still open is opened by another',
    edits: [
      {
        file: 'src/consumer/fetcher.ts',
        from: 'if (isStillOpening) read.turnAway(left);',
        to: 'if (isStillOpening && left.length === 0) read.turnAway(left);',
      },
    ],
  },
  {
    name: 'consumer name kept over connections',
    edits: [
      {
        file: 'src/consumer/membership.ts',
        from: 'const name = newToken();',
        to: 'const name = (this.#kept ??= newToken());',
      },
      {
        file: 'src/consumer/membership.ts',
        from: 'readonly #former = new Set<string>();',
        to: 'readonly #former = new Set<string>();\n  #kept: string | undefined;',
      },
    ],
  },
  {
    name: 'record written by Lua',
    edits: [
      {
        file: 'lua/promote.lua',
        from: '      lives[#lives + 1] = id\n',
        to: "      lives[#lives + 1] = id\n      redis.call('HSET', tasks, id, cjson.encode(cjson.decode(redis.call('HGET', tasks, id))))\n",
      },
    ],
    campaign: ['--faults', 'none', '--seconds', '3'],
  },
  {
    name: 'a repeated call without its number',
    edits: [
      {
        file: 'src/redis/lanes.ts',
        from: 'const answer = await send({ lane: name, call, timeoutMs });',
        to: 'const answer = await send({ lane: `${name}${tries}`, call, timeoutMs });',
      },
    ],
    campaign: ['--faults', 'net-reset,net-cut-replies,client-kill', '--seconds', '20'],
  },
  {
    name: 'ZREM before XADD',
    edits: [
      {
        file: 'lua/promote.lua',
        from: "  local entries, expiries = redis.call('HMGET', live, unpack(ids))",
        to: "  redis.call('ZREM', due, unpack(ids))\n  local entries, expiries = redis.call('HMGET', live, unpack(ids))",
      },
    ],
  },
  {
    name: 'settle without owner check',
    edits: [
      {
        file: 'lua/next.lua',
        from: 'if held[entry] ~= count then',
        to: 'if held[entry] ~= count and lives[i] ~= entry then',
      },
    ],
    campaign: ['--faults', 'worker-freeze,worker-block', '--seconds', '30'],
  },
  {
    name: 'heartbeat without owner check',
    edits: [
      {
        file: 'lua/beat.lua',
        from: "if pending and pending[4] == count and redis.call('HGET', live, id) == entry then",
        to: "if redis.call('HGET', live, id) == entry then",
      },
    ],
    campaign: ['--faults', 'worker-freeze,worker-block', '--seconds', '30'],
  },
  {
    name: 'stream trimmed',
    edits: [
      {
        file: 'lua/promote.lua',
        from: "redis.call('XADD', stream, '*', 'id'",
        to: "redis.call('XADD', stream, 'MAXLEN', 20, '*', 'id'",
      },
    ],
    campaign: ['--faults', 'redis-stall,worker-freeze', '--seconds', '20'],
  },
  {
    name: 'DELCONSUMER with pending entries',
    edits: [
      { file: 'lua/leave.lua', from: 'if pending[1] then', to: 'if pending[1] and not pending then' },
      { file: 'lua/reap.lua', from: 'if not pending[1] then', to: 'if true then' },
    ],
    campaign: ['--faults', 'net-reset,net-hole-replies,client-kill', '--seconds', '25'],
  },
  {
    name: 'the stock client reconnecting by itself',
    edits: [
      {
        file: 'src/redis/connection.ts',
        from: 'reconnectStrategy: false, signal',
        to: 'reconnectStrategy: () => 20, signal',
      },
      {
        file: 'src/redis/life.ts',
        from: '    else this.end(reason);',
        to: "    else if (messageOf(error) === '') this.end(reason);",
      },
      {
        file: 'src/redis/link.ts',
        from: "if (fault.kind === 'lost') life.end(fault.error);",
        to: "if (fault.kind === 'lost') { if (this.#settled(call, life)) this.#fail(call, fault); }",
      },
    ],
    campaign: ['--faults', 'net-cut-replies,redis-kill-in-reply', '--seconds', '25'],
  },
  {
    name: 'COUNT fixed at 100',
    edits: [
      {
        file: 'src/consumer/fetcher.ts',
        from: 'const free = booking.left;',
        to: 'const free = readMax;',
      },
    ],
    campaign: ['--faults', 'redis-stall', '--seconds', '8'],
  },
  {
    name: 'trust window counted from the reply',
    edits: [
      {
        file: 'src/leader/lock.ts',
        from: 'const extended = { token: held.token, attemptedAtMs };',
        to: 'const extended = { token: held.token, attemptedAtMs: this.#clock.monotonicMs() + 0 * attemptedAtMs };',
      },
    ],
    campaign: ['--faults', 'leader-freeze-in-vote', '--seconds', '40'],
  },
  {
    name: 'recovery without the pause after an outage',
    edits: [{ file: 'lua/recover.lua', from: 'local held = gap_ms', to: 'local held = false and gap_ms' }],
    campaign: ['--faults', 'redis-stall', '--seconds', '25'],
  },
  {
    name: 'a task is completed that never ran',
    edits: [
      {
        file: 'src/consumer/invoke.ts',
        from: '    if (schema) return validated',
        to: "    if (task.id.endsWith('7')) return Promise.resolve();\n    if (schema) return validated",
      },
    ],
    campaign: ['--faults', 'none', '--seconds', '2'],
  },
  {
    name: 'a stop that fails',
    edits: [
      {
        file: 'src/worker.ts',
        from: '    await servers.stop();\n',
        to: "    await servers.stop();\n    throw new Error('stopped, and failed');\n",
      },
    ],
    campaign: ['--faults', 'none', '--seconds', '2'],
  },
  {
    name: 'a duty of the leader that throws',
    edits: [
      {
        file: 'src/leader/ager.ts',
        from: '    this.#cursor = reply.cursor;',
        to: '    this.#cursor = (reply as unknown as { no: { cursor: string } }).no.cursor;',
      },
    ],
    campaign: ['--faults', 'none', '--seconds', '2'],
  },
  {
    name: 'no cursor comparison in tick',
    edits: [
      {
        file: 'lua/tick.lua',
        from: "if (redis.call('HGET', cursors, schedule) or '') ~= was then",
        to: 'if false then',
      },
    ],
    campaign: ['--faults', 'schedules-paused,net-latency', '--lanes', '3', '--seconds', '60'],
  },
  {
    name: 'no term check in tick',
    edits: [
      { file: 'lua/tick.lua', from: 'if accepted[1] ~= term or accepted[2] ~= token then\n', to: 'if false then\n' },
    ],
    campaign: ['--faults', 'leader-freeze,net-late-requests', '--seconds', '40'],
  },
  {
    name: 'tick moves the cursor and adds nothing',
    edits: [
      { file: 'lua/tick.lua', from: "  elseif id ~= '' then\n", to: "  elseif id ~= '' and now_ms % 7 > 0 then\n" },
    ],
    campaign: ['--faults', 'none', '--seconds', '5'],
  },
  {
    name: 'the cursor set by a call before the one that adds',
    edits: [
      {
        file: 'src/leader/scheduler.ts',
        from: '    const marks = await this.#send(\n      reign,\n      moves.map(({ item }) => item),\n    );\n',
        to:
          "    await this.#send(reign, moves.map(({ item }) => ({ ...item, id: '' })));\n" +
          '    const marks = await this.#send(reign, moves.map(({ item }) => ({ ...item, was: item.cursor })));\n',
      },
    ],
    campaign: ['--faults', 'leader-kill,net-latency', '--seconds', '40'],
  },
  {
    name: 'the cursor set by a call after the one that adds',
    edits: [
      {
        file: 'src/leader/scheduler.ts',
        from: '    const marks = await this.#send(\n      reign,\n      moves.map(({ item }) => item),\n    );\n',
        to:
          '    const marks = await this.#send(reign, moves.map(({ item }) => ({ ...item, cursor: item.was })));\n' +
          "    await this.#send(reign, moves.map(({ item }) => ({ ...item, id: '' })));\n",
      },
    ],
    campaign: ['--faults', 'leader-kill,net-latency', '--seconds', '40'],
  },
  {
    name: 'a scheduler that goes on from now',
    edits: [
      {
        file: 'src/schedule/plan.ts',
        from: '  let nominalMs = cursor.nextMs;\n',
        to: '  let nominalMs = cursor.nextMs && nextNominal(definition.timing, Math.max(cursor.nextMs, at.nowMs) - 1);\n',
      },
    ],
    campaign: ['--faults', 'leader-kill', '--seconds', '15'],
  },
  {
    name: 'a schedule that does not catch up',
    edits: [
      {
        file: 'src/schedule/fate.ts',
        from: 'cursor.caughtUp < catchUp.all',
        to: 'cursor.caughtUp < 0 * catchUp.all',
      },
    ],
    campaign: ['--faults', 'schedules-paused', '--seconds', '10'],
  },
];
