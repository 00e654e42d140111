/* The stub's slow side: what a sampled allocation, a free of a possibly sampled block and a thread's first
 * allocation do. Runs inside the target, between the program and its allocator. Freestanding: see stub_abi.h
 * for what it may not use.
 *
 * Every shared word is changed atomically, and each place of the set by one thread at a time: who turned it
 * to BUSY. */
#include "hook/stub/math.h"
#include "hook/stub/walk.h"

/* A call on its way into the allocator, as entry.S lays it out. */
struct hook_call {
    uint64_t args[3];
    uint64_t function; /* enum hook_function */
    uint64_t charged;  /* the countdown was charged, and is exhausted */
    uint64_t hazard;   /* when charged */
    struct hook_frame frame;
};

typedef uint64_t (*hook_real_fn)(uint64_t, uint64_t, uint64_t);

/* The page after the code: stub.ld puts it there. */
struct hook_data hook_data __attribute__((section(".bss.hook_data"), visibility("hidden")));

void hook_site_alloc(uint64_t token, uint64_t block, uint64_t variance, uint64_t weight_bytes,
                     uint64_t weight_blocks, const struct hook_frame *frame)
    __attribute__((visibility("hidden")));
void hook_site_free(uint64_t token, uint64_t block, uint64_t weight_bytes)
    __attribute__((visibility("hidden")));

/* What entry.S calls. */
uint64_t hook_alloc_sampled(struct hook_call *call) __attribute__((visibility("hidden")));
uint64_t hook_realloc_sampled(struct hook_call *call) __attribute__((visibility("hidden")));
uint64_t hook_free_sampled(struct hook_call *call) __attribute__((visibility("hidden")));

#define HOOK_SHAPE_OF_(id, shape, names) HOOK_SHAPE_##shape,
static const uint8_t shapes[] = {HOOK_FUNCTIONS(HOOK_SHAPE_OF_)};

#define header          (hook_data.header)
#define relaxed(word)   __atomic_load_n(&(word), __ATOMIC_RELAXED)
#define count(word, by) ((void)__atomic_fetch_add(&(word), (by), __ATOMIC_RELAXED))

static uint64_t call_real(const struct hook_call *call)
{
    return ((hook_real_fn)relaxed(header.real[call->function]))(call->args[0], call->args[1], call->args[2]);
}

/* ---- the filter ---- */

/* A counter that has reached 255 stays there: its blocks always take the slow side. */
static void filter_add(uint64_t block)
{
    uint8_t *counter = &hook_data.filter[hook_filter_index(block)];
    uint8_t old = relaxed(*counter);
    while (old != UINT8_MAX &&
           !__atomic_compare_exchange_n(counter, &old, old + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        ;
}

static void filter_remove(uint64_t block)
{
    uint8_t *counter = &hook_data.filter[hook_filter_index(block)];
    uint8_t old = relaxed(*counter);
    while (old != UINT8_MAX && old != 0 &&
           !__atomic_compare_exchange_n(counter, &old, old - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        ;
}

static int filter_has(uint64_t block)
{
    return relaxed(hook_data.filter[hook_filter_index(block)]) != 0;
}

/* ---- the set ---- */

#define NO_PLACE UINT32_MAX

static int place_change(uint32_t place, uint64_t from, uint64_t to)
{
    return __atomic_compare_exchange_n(&hook_data.set[place], &from, to, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED);
}

static int place_is_current(uint32_t place)
{
    uint32_t attachment = relaxed(header.attachment) & ((1u << (32 - HOOK_SITE_BITS)) - 1);
    return hook_data.blocks[place].attachment == attachment;
}

static uint64_t place_token(uint32_t place)
{
    return (uint64_t)hook_data.blocks[place].generation << 32 | place;
}

/* Takes the block's place for this thread: BUSY until `place_return` or `place_release`. */
static uint32_t place_take(uint64_t block)
{
    uint32_t home = hook_set_index(block);
    for (uint32_t i = 0; i < HOOK_SET_WINDOW; i++) {
        uint32_t place = (home + i) & (HOOK_SET - 1);
        if (relaxed(hook_data.set[place]) == block && place_change(place, block, HOOK_PLACE_BUSY))
            return place;
    }
    return NO_PLACE;
}

static void place_return(uint32_t place, uint64_t block)
{
    __atomic_store_n(&hook_data.set[place], block, __ATOMIC_RELEASE);
}

/* ---- known stacks ---- */

static void stack_count_alloc(const struct hook_block *block)
{
    struct hook_stack *stack = &hook_data.stacks[block->stack];
    count(stack->alloc_bytes, block->weight_bytes * HOOK_COUNT_SCALE);
    count(stack->alloc_blocks, block->weight_blocks / (HOOK_BLOCKS_SCALE / HOOK_COUNT_SCALE));
    count(stack->samples, 1);
    if (block->variance)
        count(stack->live_variance, block->variance);
}

static void stack_count_free(const struct hook_block *block)
{
    struct hook_stack *stack = &hook_data.stacks[block->stack];
    count(stack->freed_bytes, block->weight_bytes * HOOK_COUNT_SCALE);
    count(stack->freed_blocks, block->weight_blocks / (HOOK_BLOCKS_SCALE / HOOK_COUNT_SCALE));
    count(stack->frees, 1);
    if (block->variance)
        count(stack->live_variance, -block->variance);
}

/* The number of the stack that a call comes from, or HOOK_NO_STACK. */
static uint32_t stack_recognize(struct hook_thread *thread, const struct hook_frame *frame)
{
    uint64_t end = relaxed(thread->stack_end), hash;
    if (frame->rsp < relaxed(thread->stack_start) || frame->rsp >= end || frame->rsp % 8) {
        thread->stranger = frame->rsp;
        count(header.counters.strangers, 1);
        return HOOK_NO_STACK;
    }
    const struct hook_entry *entry = hook_walk(hook_data.rules, frame, end, &hash)
                                         ? hook_entry_find(hook_data.hashes, HOOK_HASHES, hash)
                                         : 0;
    return entry ? (uint32_t)entry->stack : HOOK_NO_STACK;
}

/* ---- the end of a block ---- */

/* The block of a place that is BUSY is gone: tell, and give the place back. */
static void place_release(uint32_t place, uint64_t block)
{
    struct hook_block *gone = &hook_data.blocks[place];
    filter_remove(block);
    if (place_is_current(place) && gone->stack != HOOK_NO_STACK) {
        stack_count_free(gone);
    } else if (place_is_current(place)) {
        struct hook_site *site = &hook_data.sites[gone->site];
        count(site->frees, 1);
        count(site->freed_bytes, gone->weight_bytes);
        count(header.counters.frees, 1);
        hook_site_free(place_token(place), block, gone->weight_bytes);
    }
    __atomic_store_n(&hook_data.set[place], HOOK_PLACE_EMPTY, __ATOMIC_RELEASE);
}

/* A place for a new block: an empty one, else one whose block belongs to an earlier attachment. */
static uint32_t place_claim(uint64_t block)
{
    uint32_t home = hook_set_index(block);
    for (uint32_t i = 0; i < HOOK_SET_WINDOW; i++) {
        uint32_t place = (home + i) & (HOOK_SET - 1);
        if (relaxed(hook_data.set[place]) == HOOK_PLACE_EMPTY &&
            place_change(place, HOOK_PLACE_EMPTY, HOOK_PLACE_BUSY))
            return place;
    }
    for (uint32_t i = 0; i < HOOK_SET_WINDOW; i++) {
        uint32_t place = (home + i) & (HOOK_SET - 1);
        uint64_t old = relaxed(hook_data.set[place]);
        if (old > HOOK_PLACE_BUSY && !place_is_current(place) && place_change(place, old, HOOK_PLACE_BUSY)) {
            filter_remove(old);
            return place;
        }
    }
    return NO_PLACE;
}

/* ---- threads and rates ---- */

static uint64_t thread_pointer(void)
{
    uint64_t pointer;
    __asm__("movq %%fs:0, %0" : "=r"(pointer));
    return pointer;
}

static void thread_start(struct hook_thread *thread, uint64_t owner)
{
    uint64_t places = __atomic_add_fetch(&header.counters.thread_places, 1, __ATOMIC_RELAXED);
    uint64_t random = relaxed(header.seed) ^ owner * 0x9e3779b97f4a7c15ull ^ places << 48;
    thread->random = random ? random : 1;
    for (int i = 0; i < 4; i++) /* leave the neighbourhood of similar seeds */
        (void)hook_random(&thread->random);
    thread->left = hook_exponential(&thread->random);
    thread->inside = 0;
    thread->stack_end = thread->stack_start = thread->stranger = 0;
}

/* This thread's place: found, or a free one taken, or, when all near ones are taken, another thread's, which
 * may be dead; if it is not, it comes here again. */
static struct hook_thread *thread_find(void)
{
    enum { NEAR = 8 };
    uint64_t owner = thread_pointer();
    uint32_t home = hook_thread_index(owner);
    for (uint32_t i = 0; i < NEAR; i++) {
        struct hook_thread *thread = &hook_data.threads[(home + i) & (HOOK_THREADS - 1)];
        if (relaxed(thread->owner) == owner)
            return thread;
    }
    for (uint32_t i = 0; i < NEAR; i++) {
        struct hook_thread *thread = &hook_data.threads[(home + i) & (HOOK_THREADS - 1)];
        uint64_t none = 0;
        if (__atomic_compare_exchange_n(&thread->owner, &none, owner, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED)) {
            thread_start(thread, owner);
            return thread;
        }
    }
    uint64_t evictions = __atomic_add_fetch(&header.counters.thread_evictions, 1, __ATOMIC_RELAXED);
    struct hook_thread *thread = &hook_data.threads[(home + evictions % NEAR) & (HOOK_THREADS - 1)];
    __atomic_store_n(&thread->owner, owner, __ATOMIC_SEQ_CST);
    thread_start(thread, owner);
    return thread;
}

/* Written by a thread that has just lost the place, it says nothing of the new one. */
static int thread_is_inside(const struct hook_thread *thread)
{
    return relaxed(thread->inside) == thread_pointer();
}

/* Charges a call that was not charged yet. Whether it exhausted the countdown. */
static int thread_charge(struct hook_thread *thread, uint64_t hazard)
{
    if ((int64_t)thread->left < 0 || thread->left < hazard)
        return 1;
    thread->left -= hazard;
    return 0;
}

/* What a thread's samples cost is charged in pieces, so that threads seldom meet at the sums. A piece goes to
 * the site that completes it: each gets its share in the mean. */
#define COST_PIECE 8

/* Charges what a sample costs to its site's quota and everybody's grant, and lowers the rate when one is used
 * up. Counts that race are off by one, which only moves the moment of lowering. */
static void rate_govern(struct hook_thread *thread, uint32_t index, uint32_t sample_cost)
{
    thread->cost += sample_cost;
    if (thread->cost < COST_PIECE)
        return;
    uint32_t cost = (uint32_t)thread->cost;
    thread->cost = 0;
    struct hook_site *site = &hook_data.sites[index];
    uint32_t epoch = relaxed(header.epoch);
    if (relaxed(header.seen_epoch) != epoch) {
        header.seen_epoch = epoch;
        header.epoch_cost = 0;
    }
    if (relaxed(site->epoch) != epoch) {
        site->epoch = epoch;
        site->epoch_cost = 0;
    }
    uint32_t of_all = __atomic_add_fetch(&header.epoch_cost, cost, __ATOMIC_RELAXED);
    uint32_t of_site = __atomic_add_fetch(&site->epoch_cost, cost, __ATOMIC_RELAXED);
    /* Beyond the grant a site gets half its quota at each rate: if every sample lowered it, rates
     * would fall so fast that hardly any sample would stand for the rest of a burst. */
    uint32_t quota = relaxed(header.quota);
    if (of_site <= (of_all <= relaxed(header.grant) ? quota : quota / 2))
        return;
    const uint64_t first_interval =
        1ull << (HOOK_HAZARD_BITS - 6); /* from every allocation on to one in 64 bytes */
    uint64_t rate = relaxed(hook_data.rates[index]);
    uint64_t lower = rate > first_interval ? first_interval : rate / 4;
    if (lower < HOOK_RATE_MIN || !__atomic_compare_exchange_n(&hook_data.rates[index], &rate, lower, 0,
                                                              __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return;
    site->epoch_cost = 0;
    count(header.counters.rate_lowered, 1);
}

/* Decides on an allocation, before it is made: 0 (not sampled), or the probability with which it was. */
static uint64_t sample_decide(const struct hook_call *call, uint64_t size)
{
    uint32_t index = hook_site_index(call->frame.rip);
    uint64_t hazard = call->charged ? call->hazard : hook_hazard(relaxed(hook_data.rates[index]), size);
    struct hook_thread *thread = thread_find();
    if (!call->charged && (thread_is_inside(thread) || !thread_charge(thread, hazard)))
        return 0;
    int certain = hazard == UINT64_MAX; /* which is charged to no countdown */
    if (!certain)
        thread->left = hook_exponential(&thread->random);
    if (!relaxed(header.enabled) || !hazard || thread_is_inside(thread))
        return 0;
    return certain ? HOOK_PROBABILITY_ONE : hook_probability(hazard);
}

/* Counts a block whose stack the stub does not know, and tells the kernel of it. */
static void sample_tell(const struct hook_block *block, uint64_t token, uint64_t address,
                        const struct hook_frame *frame)
{
    struct hook_site *site = &hook_data.sites[block->site];
    count(site->samples, 1);
    count(site->bytes, block->weight_bytes);
    count(site->blocks, block->weight_blocks);
    count(header.counters.samples, 1);
    hook_site_alloc(token, address, block->variance, block->weight_bytes, block->weight_blocks, frame);
}

/* What is known of a block lies where its address says, in caches hardly ever: it is fetched while the stack
 * is walked. */
static void place_prefetch(uint64_t address)
{
    uint32_t home = hook_set_index(address);
    __builtin_prefetch(&hook_data.filter[hook_filter_index(address)], 1);
    __builtin_prefetch(&hook_data.set[home], 1);
    __builtin_prefetch(&hook_data.blocks[home], 1);
}

/* Remembers a sampled block that now exists, and counts it. */
static void sample_record(const struct hook_call *call, uint64_t address, uint64_t size, uint64_t probability)
{
    place_prefetch(address);
    struct hook_thread *thread = thread_find();
    uint64_t weight_bytes = hook_weight_bytes(size, probability);
    struct hook_block block = {
        .site = hook_site_index(call->frame.rip),
        .attachment = relaxed(header.attachment),
        .stack = stack_recognize(thread, &call->frame),
        .weight_bytes = weight_bytes,
        .weight_blocks = hook_weight_blocks(probability),
        .variance = hook_variance(weight_bytes, probability),
    };
    uint32_t stale = filter_has(address) ? place_take(address) : NO_PLACE;
    if (stale != NO_PLACE) {
        count(header.counters.freed_unseen, place_is_current(stale) ? 1 : 0);
        place_release(stale, address);
    }
    uint32_t place = place_claim(address);
    if (place == NO_PLACE) {
        count(header.counters.set_full, 1);
        rate_govern(thread, block.site, 1); /* it has cost as much as any other */
        return;
    }
    block.generation = hook_data.blocks[place].generation + 1;
    hook_data.blocks[place] = block;
    uint64_t token = place_token(place);
    filter_add(address);
    place_return(place, address);
    if (block.stack != HOOK_NO_STACK)
        stack_count_alloc(&block);
    else
        sample_tell(&block, token, address, &call->frame);
    rate_govern(thread, block.site, block.stack != HOOK_NO_STACK ? 1 : relaxed(header.trap_price));
}

/* ---- the doors ---- */

/* An array whose size overflows cannot be allocated: the greatest size stands for it. */
static uint64_t size_multiply(uint64_t count, uint64_t size)
{
    uint64_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? UINT64_MAX : bytes;
}

static uint64_t call_size(const struct hook_call *call)
{
    switch (shapes[call->function]) {
    case HOOK_SHAPE_ALLOC:
    case HOOK_SHAPE_ALLOC_PAGES:
        return call->args[0];
    case HOOK_SHAPE_ALLOC_ARRAY:
        return size_multiply(call->args[0], call->args[1]);
    case HOOK_SHAPE_REALLOC_ARRAY:
        return size_multiply(call->args[1], call->args[2]);
    case HOOK_SHAPE_ALLOC_OUT:
        return call->args[2];
    default:
        return call->args[1];
    }
}

/* Where functions begin with a jump to the stub, what the allocator calls of itself comes here, too: only the
 * program's own call counts. */
static uint64_t call_real_alone(const struct hook_call *call)
{
    struct hook_thread *thread = thread_find();
    int inside = thread_is_inside(thread);
    thread->inside = thread_pointer();
    uint64_t result = call_real(call);
    thread_find()->inside = inside ? thread_pointer() : 0; /* the place may have changed */
    return result;
}

uint64_t hook_alloc_sampled(struct hook_call *call)
{
    uint64_t size = call_size(call);
    uint64_t probability = sample_decide(call, size);
    uint64_t result = call_real_alone(call);
    uint64_t block = result;
    if (shapes[call->function] == HOOK_SHAPE_ALLOC_OUT)
        block = (uint32_t)result == 0 ? *(uint64_t *)call->args[0] : 0;
    if (probability && block)
        sample_record(call, block, size, probability);
    return result;
}

/* A resized block counts as a free and an allocation at the line that resized it. The old one leaves the set
 * before the real call, since its address may be another thread's when that returns, and comes back if the
 * call failed. */
uint64_t hook_realloc_sampled(struct hook_call *call)
{
    uint64_t old = call->args[0], size = call_size(call);
    uint64_t probability = sample_decide(call, size);
    uint32_t place = old && filter_has(old) ? place_take(old) : NO_PLACE;
    uint64_t block = call_real_alone(call);
    if (place != NO_PLACE && !block && size) {
        count(header.counters.realloc_failed, 1);
        place_return(place, old);
    } else if (place != NO_PLACE) {
        place_release(place, old);
    }
    if (probability && block)
        sample_record(call, block, size, probability);
    return block;
}

uint64_t hook_free_sampled(struct hook_call *call)
{
    uint64_t block = call->args[0];
    place_prefetch(block);
    uint32_t place = block ? place_take(block) : NO_PLACE;
    if (place != NO_PLACE)
        place_release(place, block);
    return call_real(call);
}
