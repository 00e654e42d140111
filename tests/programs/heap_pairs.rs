// The barest loop of an allocation and a free. Every few milliseconds it prints the time (CLOCK_MONOTONIC, seconds) and how many
// nanoseconds of CPU time a pair took, until its standard input ends.
mod clock;

use std::hint::black_box;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

fn main() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        STOP.store(true, Ordering::Relaxed);
    });
    let mut out = std::io::stdout();
    let mut pairs = 1000u64;
    while !STOP.load(Ordering::Relaxed) {
        let begin = clock::thread_cpu_sec();
        for i in 0..pairs {
            drop(black_box(Box::new([i; 6])));
        }
        let ns = (clock::thread_cpu_sec() - begin) * 1e9;
        if writeln!(out, "{:.6} {:.2}", clock::monotonic_sec(), ns / pairs as f64).is_err() {
            return;
        }
        pairs = ((pairs as f64 * 5e6 / ns) as u64).clamp(100, 20_000);
    }
}
