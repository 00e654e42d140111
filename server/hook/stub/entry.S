/* The stub's doors: one entry for each allocator function, and the two probe sites.
 *
 * A call that is not sampled costs a dozen instructions, touches no stack and jumps on to the real function, which then
 * returns to the caller by itself. Scratch registers: rax, rcx, r8, r10, r11 (no function of ours has a fourth argument).
 * A sampled call builds a `struct hook_call` (stub.c) on the stack and goes on in C. */
#include "hook/stub_abi.h"

#define REAL(id)  hook_data + HOOK_OFFSET_REAL + 8 * (id)(%rip)

        .text

/* Charges `size` bytes to the thread's countdown. Jumps to 8 when this thread has no place yet, to 9 when it is exhausted, with
 * the hazard in r11, or to 5 when the hazard is beyond all numbers. subq is one instruction: a signal handler that allocates
 * sees it done or not done. Both are less than 2^63: a countdown that is below 0 already, as a thread that lost its place charged it
 * too late, is exhausted again. */
        .macro  CHARGE size
        movl    (%rsp), %eax
        andl    $HOOK_SITE_MASK, %eax
        leaq    hook_data(%rip), %r8
        movq    \size, %r11
        imulq   HOOK_OFFSET_RATES(%r8, %rax, 8), %r11
        jo      5f
        movq    %fs:0, %r10
        movzwl  %fs:HOOK_THREAD_BYTE, %ecx
        andl    $HOOK_THREAD_MASK, %ecx
        cmpq    %r10, HOOK_OFFSET_THREADS(%r8, %rcx, HOOK_THREAD_SCALE)
        jne     8f
        subq    %r11, HOOK_OFFSET_THREADS + HOOK_THREAD_LEFT(%r8, %rcx, HOOK_THREAD_SCALE)
        js      9f
        .endm

/* Jumps to 8 when the block in rdi may be a sampled one. */
        .macro  FILTER
        movq    %rdi, %rax
        shrq    $HOOK_FILTER_SHIFT, %rax
        andl    $((1 << HOOK_FILTER_BITS) - 1), %eax
        leaq    hook_data(%rip), %rcx
        cmpb    $0, HOOK_OFFSET_FILTER(%rcx, %rax)
        jne     8f
        .endm

/* The way into C: r10 says whether the call was charged. hook_outer_… is the door for calls that may be made of others that come
 * here too (see hook_call in stub.c). */
        .macro  SLOW id, name, handler
5:      movq    $-1, %r11
9:      movl    $1, %r10d
        jmp     7f
        .globl  hook_outer_\name
        .hidden hook_outer_\name
hook_outer_\name:
8:      xorl    %r10d, %r10d
7:      movl    $\id, %eax
        jmp     \handler
        .endm

        .macro  ENTRY_ALLOC id, name
        CHARGE  %rdi
        jmp     *REAL(\id)
        SLOW    \id, \name, slow_alloc
        .endm

        .macro  ENTRY_ALLOC_2ND id, name
        CHARGE  %rsi
        jmp     *REAL(\id)
        SLOW    \id, \name, slow_alloc
        .endm

        .macro  ENTRY_ALLOC_OUT id, name
        CHARGE  %rdx
        jmp     *REAL(\id)
        SLOW    \id, \name, slow_alloc
        .endm

/* A product that overflows cannot be allocated. */
        .macro  ENTRY_ALLOC_ARRAY id, name
        movq    %rdi, %rdx
        imulq   %rsi, %rdx
        jo      6f
        CHARGE  %rdx
6:      jmp     *REAL(\id)
        SLOW    \id, \name, slow_alloc
        .endm

        .macro  ENTRY_REALLOC id, name
        FILTER
        CHARGE  %rsi
        jmp     *REAL(\id)
        SLOW    \id, \name, slow_realloc
        .endm

/* Rare enough to go into C each time. */
        .macro  ENTRY_REALLOC_ARRAY id, name
        jmp     8f
        SLOW    \id, \name, slow_realloc
        .endm

        .macro  ENTRY_ALLOC_PAGES id, name
        jmp     8f
        SLOW    \id, \name, slow_alloc
        .endm

        .macro  ENTRY_FREE id, name
        FILTER
        jmp     *REAL(\id)
        SLOW    \id, \name, slow_free
        .endm

        .set    next_id, 0
        .macro  ENTRY name, shape
        .globl  hook_entry_\name
        .type   hook_entry_\name, @function
        .p2align 6
hook_entry_\name:
        .cfi_startproc
        ENTRY_\shape next_id, \name
        .cfi_endproc
        .size   hook_entry_\name, . - hook_entry_\name
        .set    next_id, next_id + 1
        .endm

#define EXPAND(id, shape, names) ENTRY id, shape;
        HOOK_FUNCTIONS(EXPAND)

/* From here on the stack holds, upwards: rdi, rsi, rdx, function, charged, hazard, and the frame rip, rsp, rbp. */
        .macro  SLOW_PATH name, handler
        .type   \name, @function
        .p2align 4
\name:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        leaq    16(%rsp), %rcx
        pushq   %rcx
        .cfi_adjust_cfa_offset 8
        pushq   16(%rsp)
        .cfi_adjust_cfa_offset 8
        pushq   %r11
        .cfi_adjust_cfa_offset 8
        pushq   %r10
        .cfi_adjust_cfa_offset 8
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        pushq   %rdx
        .cfi_adjust_cfa_offset 8
        pushq   %rsi
        .cfi_adjust_cfa_offset 8
        pushq   %rdi
        .cfi_adjust_cfa_offset 8
        movq    %rsp, %rdi
        call    \handler
        addq    $64, %rsp
        .cfi_adjust_cfa_offset -64
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        ret
        .cfi_endproc
        .size   \name, . - \name
        .endm

        SLOW_PATH slow_alloc, hook_alloc_sampled
        SLOW_PATH slow_realloc, hook_realloc_sampled
        SLOW_PATH slow_free, hook_free_sampled

/* The probe sites: one-byte nops, which the kernel emulates at a breakpoint. It would replace a 5-byte nop by a call, and save a
 * microsecond; but the call's target is not copied by fork (seen on Linux 6.18), and a child that passed the site would crash. */
        .macro  PROBE_SITE name
        .globl  \name
        .type   \name, @function
        .p2align 4
\name:
        .cfi_startproc
        nop
        ret
        .cfi_endproc
        .size   \name, . - \name
        .endm

        PROBE_SITE hook_site_alloc
        PROBE_SITE hook_site_free

        .section .note.GNU-stack, "", @progbits
