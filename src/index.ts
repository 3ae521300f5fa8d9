export type { Backoff, BackoffFunction } from './backoff.js';
export type { AbortReason } from './consumer/delivery.js';
export { DeliveryAborted } from './consumer/delivery.js';
export type { WorkerEvents } from './consumer/events.js';
export type { Check, Diagnosis, DoctorOptions } from './doctor.js';
export { doctor, listQueues } from './doctor.js';
export type { Duration } from './duration.js';
export { durationMs, formatDuration } from './duration.js';
export type { ErrorCode } from './errors.js';
export { DuestreamError, RejectTask } from './errors.js';
export type { Observation, Observe } from './events.js';
export type { Context, HandlerFunction, HandlerOptions, Handlers, StandardSchema } from './handler.js';
export type { Health } from './health.js';
export type { Instant } from './instant.js';
export { instantMs } from './instant.js';
export type { LeaderEvents, LeaderOptions } from './leader/leader.js';
export { Leader } from './leader/leader.js';
export { Metrics } from './metrics/metrics.js';
export type { NewTask, TaskOptions } from './producer/new-task.js';
export type { ScheduledTask, ScheduledTaskOf, ScheduleOptions } from './producer/new-schedule.js';
export type { Durability, QueueOptions } from './producer/queue-options.js';
export { Queue } from './producer/queue.js';
export type {
  AddResult,
  AlreadySettled,
  CancelResult,
  DeadLetter,
  LeaderInfo,
  NotFound,
  PartitionStats,
  QueueInfo,
  QueueStats,
  ReplayResult,
  RescheduleResult,
  RunNowResult,
  StatsOptions,
  TaskPage,
  UpdateResult,
} from './producer/results.js';
export { AddManyError } from './producer/results.js';
export type { AppliedSchedule, ApplyOptions, WantedSchedule } from './producer/schedule-apply.js';
export type { FieldChange } from './producer/schedule-fields.js';
export type { BackfillOptions, BackfillPreview } from './producer/schedule-backfill.js';
export type {
  BackfillInfo,
  PassedInfo,
  ScheduleInfo,
  ScheduleSummary,
  ScheduleTaskInfo,
} from './producer/schedule-info.js';
export type { SchedulePage, ScheduleResult, Schedules } from './producer/schedules.js';
export type { TaskKey } from './producer/task-place.js';
export type { ClusterOptions } from './redis/cluster/cluster-options.js';
export type { ConnectionOption } from './redis/connection.js';
export type { SentinelOptions } from './redis/sentinel-options.js';
export type { Passed, PassedWhy } from './schedule/cursor.js';
export type { CatchUp, Overlap, Policy, SchedulePolicy } from './schedule/policy.js';
export type { PreviewedOccurrence, PreviewOptions } from './schedule/preview.js';
export { previewSchedule } from './schedule/preview.js';
export type { Fold, Gap, ScheduleRule, ScheduleTiming, Timing } from './schedule/rule.js';
export type { Task, TaskFailure, TaskInfo, TaskLimits, TaskMap, TaskState } from './task.js';
export { Worker } from './worker.js';
export type { WorkerOptions } from './worker-options.js';
