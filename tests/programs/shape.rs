//! The smallest program that has a hot line and a line that keeps heap. Built in every shape by tests/live/test_shapes.py,
//! as a program and, with --cfg library, as a C library. Keeps its heap from the moment it is sent SIGUSR1. usage: shape [SECONDS]

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[inline(never)]
fn work(seed: u64) -> u64 {
    let mut x = seed | 1;
    for _ in 0..100_000 {
        x = x.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (x >> 3); // LINE hot
    }
    x
}

#[inline(never)]
fn keep(kept: &mut Vec<Box<[u8; 8192]>>, seed: u64) {
    kept.push(Box::new([seed as u8; 8192])); // LINE keep
}

static TOLD: AtomicBool = AtomicBool::new(false);

extern "C" {
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
}

extern "C" fn on_signal(_: i32) {
    TOLD.store(true, Ordering::Relaxed);
}

fn run(seconds: f64) {
    const SIGUSR1: i32 = 10;
    unsafe { signal(SIGUSR1, on_signal) };
    let start = Instant::now();
    let mut kept = Vec::with_capacity(1024);
    let mut x = 1;
    while start.elapsed() < Duration::from_secs_f64(seconds) {
        x = work(black_box(x)); // LINE call
        while TOLD.load(Ordering::Relaxed) && kept.len() < 1024 {
            keep(&mut kept, x);
        }
    }
    black_box(kept);
}

#[cfg(not(library))]
fn main() {
    run(std::env::args().nth(1).map_or(20.0, |seconds| seconds.parse().unwrap()));
}

#[cfg(library)]
#[no_mangle]
pub extern "C" fn shape_run(seconds: f64) {
    run(seconds);
}
