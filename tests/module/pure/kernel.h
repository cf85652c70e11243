/* SPDX-License-Identifier: GPL-2.0-only */
/* As much of the kernel as the pure sources of the module need, for a process of user space. */
#ifndef PURE_KERNEL_H
#define PURE_KERNEL_H

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define S64_MAX INT64_MAX
#define ALIGN(value, to) (((value) + (to) - 1) & ~((__typeof__(value))(to) - 1))
#define PAGE_ALIGNED(value) (!((value) & (PAGE_SIZE - 1)))
#define check_add_overflow(a, b, sum) __builtin_add_overflow(a, b, sum)
#define GFP_KERNEL 0
#define kmalloc(size, flags) malloc(size)
#define kvzalloc(size, flags) calloc(1, size)
#define kvcalloc(nr, size, flags) calloc(nr, size)
#define kfree(what) free(what)
#define kvfree(what) free(what)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define struct_size(what, member, nr) (sizeof(*(what)) + sizeof((what)->member[0]) * (nr))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))

#define READ_ONCE(what) (*(volatile __typeof__(what) *)&(what))
#define WRITE_ONCE(what, value) (*(volatile __typeof__(what) *)&(what) = (value))
#define smp_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_mb__after_atomic() smp_mb()
#define smp_load_acquire(what) __atomic_load_n(what, __ATOMIC_ACQUIRE)
#define smp_store_release(what, value) __atomic_store_n(what, value, __ATOMIC_RELEASE)

typedef struct { int value; } atomic_t;
typedef struct { long value; } atomic_long_t;
#define atomic_inc(what) ((void)__atomic_add_fetch(&(what)->value, 1, __ATOMIC_SEQ_CST))
#define atomic_read(what) __atomic_load_n(&(what)->value, __ATOMIC_RELAXED)
#define atomic_read_acquire(what) __atomic_load_n(&(what)->value, __ATOMIC_ACQUIRE)
#define atomic_long_inc(what) ((void)__atomic_add_fetch(&(what)->value, 1, __ATOMIC_SEQ_CST))
#define atomic_long_dec(what) ((void)__atomic_sub_fetch(&(what)->value, 1, __ATOMIC_SEQ_CST))
#define atomic_long_read(what) __atomic_load_n(&(what)->value, __ATOMIC_RELAXED)

#define BITS_PER_LONG 64
#define DECLARE_BITMAP(name, bits) unsigned long name[(bits) / BITS_PER_LONG]

static inline void set_bit(unsigned long i, unsigned long *map)
{
	__atomic_or_fetch(map + i / BITS_PER_LONG, 1UL << i % BITS_PER_LONG, __ATOMIC_SEQ_CST);
}

static inline void clear_bit(unsigned long i, unsigned long *map)
{
	__atomic_and_fetch(map + i / BITS_PER_LONG, ~(1UL << i % BITS_PER_LONG), __ATOMIC_SEQ_CST);
}

static inline bool test_bit(unsigned long i, const unsigned long *map)
{
	return __atomic_load_n(map + i / BITS_PER_LONG, __ATOMIC_RELAXED) >> i % BITS_PER_LONG & 1;
}

static inline bool test_and_clear_bit(unsigned long i, unsigned long *map)
{
	unsigned long bit = 1UL << i % BITS_PER_LONG;

	return __atomic_fetch_and(map + i / BITS_PER_LONG, ~bit, __ATOMIC_SEQ_CST) & bit;
}

static inline unsigned long find_next_bit(const unsigned long *map, unsigned long size,
					  unsigned long i)
{
	while (i < size && !test_bit(i, map))
		i++;
	return i;
}

typedef pthread_mutex_t spinlock_t;
#define spin_lock_init(lock) pthread_mutex_init(lock, NULL)
#define spin_lock(lock) pthread_mutex_lock(lock)
#define spin_unlock(lock) pthread_mutex_unlock(lock)
#define DEFINE_MUTEX(name) pthread_mutex_t name = PTHREAD_MUTEX_INITIALIZER
#define mutex_lock(lock) pthread_mutex_lock(lock)
#define mutex_unlock(lock) pthread_mutex_unlock(lock)

static inline void rcu_read_lock_sched(void)
{
}

static inline void rcu_read_unlock_sched(void)
{
}

extern unsigned long jiffies;
#define msecs_to_jiffies(ms) ((unsigned long)(ms))

u64 ktime_get_mono_fast_ns(void);

#endif /* PURE_KERNEL_H */
