/**
 * What stands between a process and the C library, by LD_PRELOAD: the clock on the wall, which the campaign moves, and
 * fsync, of which it keeps the books. The C is a text here so that it ships with the package; it is compiled where it
 * is used.
 *
 * It answers before its constructor ran, for the dynamic linker and the allocator ask for the time early: by system
 * calls then, and unmoved. CLOCK_MONOTONIC, timers and waits are left alone; servers break when those are moved.
 */
export const shimSource: string = String.raw`
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX 64

/* Shared with the campaign, which knows it by these offsets: board.ts. */
struct board {
  volatile uint32_t pid;           /*  0: who took it last */
  volatile uint32_t which;         /*  4: which of the two steps counts */
  volatile int64_t step_ns[2];     /*  8 */
  struct {                         /* 24 */
    volatile uint64_t inode;       /* 0: this row is free */
    volatile uint64_t synced;      /* so many bytes are on the disk for sure */
  } files[FILES_MAX];
};

static struct board *board;
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

__attribute__((constructor)) static void take_hold(void) {
  const char *path = getenv("DUESTREAM_SHIM_BOARD");
  *(void **)&real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  *(void **)&real_fsync = dlsym(RTLD_NEXT, "fsync");
  *(void **)&real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  if (!path) return;
  int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void *at = mmap(0, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (at == MAP_FAILED) return;
  board = at;
  board->pid = (uint32_t)getpid();
}

static int read_clock(clockid_t clock, struct timespec *now) {
  if (real_clock_gettime) return real_clock_gettime(clock, now);
  return (int)syscall(SYS_clock_gettime, clock, now);
}

static void move(struct timespec *now) {
  if (!board) return;
  int64_t step_ns = board->step_ns[board->which & 1];
  int64_t nsec = now->tv_nsec + step_ns % 1000000000;
  now->tv_sec += step_ns / 1000000000;
  if (nsec < 0) { nsec += 1000000000; now->tv_sec -= 1; }
  if (nsec >= 1000000000) { nsec -= 1000000000; now->tv_sec += 1; }
  now->tv_nsec = nsec;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int failed = read_clock(clock, now);
  if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) move(now);
  return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec exact;
  (void)zone; /* nobody asks for it any more */
  if (read_clock(CLOCK_REALTIME, &exact)) return -1;
  move(&exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *copy) {
  struct timespec now;
  if (read_clock(CLOCK_REALTIME, &now)) return (time_t)-1;
  move(&now);
  if (copy) *copy = now.tv_sec;
  return now.tv_sec;
}

/* What was written before the call began is on the disk when it succeeds; of later bytes nobody knows. */
static void note_synced(const struct stat *before) {
  for (int at = 0; at < FILES_MAX; at += 1) {
    uint64_t free_row = 0;
    if (board->files[at].inode != before->st_ino &&
        !__atomic_compare_exchange_n(&board->files[at].inode, &free_row, before->st_ino, 0, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST) && free_row != before->st_ino) continue;
    board->files[at].synced = before->st_size;
    return;
  }
}

static int synced(int file, int (*real)(int), long number) {
  struct stat before;
  int known = board && !fstat(file, &before) && S_ISREG(before.st_mode);
  int failed = real ? real(file) : (int)syscall(number, file);
  if (!failed && known) note_synced(&before);
  return failed;
}

int fsync(int file) { return synced(file, real_fsync, SYS_fsync); }

int fdatasync(int file) { return synced(file, real_fdatasync, SYS_fdatasync); }
`;
