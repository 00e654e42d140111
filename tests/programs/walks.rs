//! Stacks of the kinds that programs have, all of whose time is spent at one line below a known one. usage: walks KIND
//!   steal      threads that split work and take it from one another
//!   poll       an executor that polls futures inside futures
//!   threads    sixteen threads
//!   assembly   a function that aligns its stack, as hand-written assembly does
//!   deep       a recursion of a thousand calls

use std::collections::VecDeque;
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

#[inline(never)]
fn spin(seed: u64) -> u64 {
    let mut x = seed | 1;
    for _ in 0..20_000 {
        x = x.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (x >> 3); // LINE hot
    }
    x
}

type Task = Box<dyn FnOnce(&Pool, usize) + Send>;

struct Pool {
    queues: Vec<Mutex<VecDeque<Task>>>,
}

impl Pool {
    fn push(&self, worker: usize, task: Task) {
        self.queues[worker].lock().unwrap().push_back(task);
    }

    fn take(&self, worker: usize) -> Option<Task> {
        let own = self.queues[worker].lock().unwrap().pop_back();
        own.or_else(|| self.queues.iter().find_map(|queue| queue.lock().unwrap().pop_front()))
    }
}

#[inline(never)]
fn split(pool: &Pool, worker: usize, parts: u64) {
    if parts == 1 {
        black_box(spin(parts));
        return;
    }
    pool.push(worker, Box::new(move |pool, thief| split(pool, thief, parts / 2)));
    split(pool, worker, parts / 2);
}

fn steal(end: Instant) {
    let pool = Pool { queues: (0..4).map(|_| Mutex::default()).collect() };
    std::thread::scope(|scope| {
        for worker in 0..pool.queues.len() {
            let pool = &pool;
            scope.spawn(move || {
                while Instant::now() < end {
                    let task = pool.take(worker).unwrap_or_else(|| Box::new(|pool, worker| split(pool, worker, 64)));
                    task(pool, worker); // LINE steal
                }
            });
        }
    });
}

struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

async fn part(seed: u64) -> u64 {
    let before = spin(seed);
    Yield(false).await;
    spin(before)
}

async fn whole(seed: u64) {
    let mut sum = seed;
    loop {
        sum = part(black_box(sum)).await;
    }
}

struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

fn poll(end: Instant) {
    let waker = Waker::from(Arc::new(Nobody));
    let mut context = Context::from_waker(&waker);
    let mut futures: Vec<Pin<Box<dyn Future<Output = ()>>>> = (0..100).map(|seed| Box::pin(whole(seed)) as _).collect();
    while Instant::now() < end {
        for future in &mut futures {
            let _ = future.as_mut().poll(&mut context); // LINE poll
        }
    }
}

fn threads(end: Instant) {
    std::thread::scope(|scope| {
        for seed in 0..16 {
            scope.spawn(move || {
                while Instant::now() < end {
                    black_box(spin(seed)); // LINE threads
                }
            });
        }
    });
}

// CFA = *(rsp + 112) + 8, from where the old stack pointer has been stored.
std::arch::global_asm!(
    ".type walks_aligned, @function",
    "walks_aligned:",
    ".cfi_startproc",
    "mov rax, rsp",
    ".cfi_def_cfa_register rax",
    "push rbp",
    ".cfi_offset rbp, -16",
    "sub rsp, 256",
    "and rsp, -64",
    "mov [rsp + 112], rax",
    ".cfi_escape 0x0f, 6, 0x77, 0xf0, 0, 6, 0x23, 8",
    "xor ebp, ebp",
    "2: dec rdi",
    "jnz 2b",
    "mov rax, [rsp + 112]",
    ".cfi_def_cfa rax, 8",
    "mov rbp, [rax - 8]",
    "mov rsp, rax",
    ".cfi_def_cfa rsp, 8",
    "ret",
    ".cfi_endproc",
    ".size walks_aligned, . - walks_aligned",
);

extern "C" {
    fn walks_aligned(rounds: u64);
}

fn assembly(end: Instant) {
    while Instant::now() < end {
        unsafe { walks_aligned(100_000) }; // LINE assembly
    }
}

#[inline(never)]
fn recurse(depth: u32, end: Instant) -> u64 {
    if depth > 0 {
        return black_box(recurse(black_box(depth - 1), end)) + 1; // LINE deep
    }
    let mut sum = 0;
    while Instant::now() < end {
        sum ^= black_box(spin(sum));
    }
    sum
}

fn main() {
    let end = Instant::now() + Duration::from_secs(300);
    match std::env::args().nth(1).as_deref() {
        Some("steal") => steal(end),
        Some("poll") => poll(end),
        Some("threads") => threads(end),
        Some("assembly") => assembly(end),
        Some("deep") => drop(black_box(recurse(1000, end))),
        _ => panic!("walks steal|poll|threads|assembly|deep"),
    }
}
