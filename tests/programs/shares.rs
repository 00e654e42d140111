//! A process whose CPU shares and live heap are known by construction.
//!
//! Three lines share the CPU 50 / 30 / 20: the driver hands out quanta of the same loop in that proportion, through a plain
//! call, an inlined call and a recursion. After a line on stdin (or after `--delay` seconds) it allocates blocks that stay:
//! 64 MiB in big blocks, 100 000 small boxes, strings. Threads are born while it runs.
//!
//! usage: shares [--seconds N] [--delay N]

use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

const QUANTUM: u64 = 200_000;

#[inline(always)]
fn spin(seed: u64) -> u64 {
    let mut x = seed | 1;
    for _ in 0..QUANTUM { // LINE spin-loop
        x ^= x << 13; x ^= x >> 7; x ^= x << 17; // LINE spin
    }
    x
}

#[inline(never)]
fn plain(seed: u64) -> u64 {
    let mut sum = 0u64;
    for i in 0..5 {
        sum = sum.wrapping_add(spin(seed ^ i)); // LINE plain
    }
    sum
}

#[inline(always)]
fn inlined(seed: u64) -> u64 {
    let mut sum = 0u64;
    for i in 0..3 {
        sum = sum.wrapping_add(spin(seed ^ i)); // LINE inlined
    }
    sum
}

#[inline(never)]
fn recursive(seed: u64, depth: u32) -> u64 {
    if depth == 0 {
        return spin(seed).wrapping_add(spin(!seed)); // LINE recursion-leaf
    }
    black_box(recursive(black_box(seed), depth - 1)).wrapping_add(1) // LINE recursion-call
}

fn worker(until: Instant) -> u64 {
    let mut sum = 1u64;
    while Instant::now() < until {
        sum = sum.wrapping_add(plain(sum)); // LINE call-plain
        sum = sum.wrapping_add(inlined(sum)); // LINE call-inlined
        sum = sum.wrapping_add(recursive(sum, 10)); // LINE call-recursive
    }
    sum
}

struct Kept {
    big: Vec<Vec<u8>>,
    small: Vec<Box<[u64; 4]>>,
    strings: Vec<String>,
}

fn allocate() -> Kept {
    let mut kept = Kept { big: Vec::with_capacity(64), small: Vec::with_capacity(100_000), strings: Vec::with_capacity(1000) };
    for i in 0..64u8 {
        kept.big.push(vec![i; 1 << 20]); // LINE big
    }
    for i in 0..100_000u64 {
        kept.small.push(Box::new([i; 4])); // LINE small
    }
    for i in 0..1000 {
        kept.strings.push("x".repeat(4000 + i % 2)); // LINE strings
    }
    kept
}

fn argument(name: &str, default: f64) -> f64 {
    let args: Vec<String> = std::env::args().collect();
    args.iter().position(|a| a == name).and_then(|i| args.get(i + 1)).and_then(|v| v.parse().ok()).unwrap_or(default)
}

fn main() {
    let seconds = argument("--seconds", 60.0);
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    println!("{}", std::process::id());
    std::io::stdout().flush().unwrap();
    std::thread::sleep(Duration::from_secs_f64(argument("--delay", 3.0)));
    let kept = allocate();
    let mut sum = 0u64;
    while Instant::now() < until {
        // Threads born after attach.
        let end = until.min(Instant::now() + Duration::from_millis(500));
        sum = sum.wrapping_add(std::thread::spawn(move || worker(end)).join().unwrap());
    }
    black_box((sum, &kept.big, &kept.small, &kept.strings));
}
