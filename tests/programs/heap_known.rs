// Allocates a block and frees an older one, a number of calls deep, after touching memory, which leaves that much less of the caches to
// a profiler. Every few milliseconds it prints the time (CLOCK_MONOTONIC, seconds) and how many nanoseconds of CPU time a round took,
// until its standard input ends.
//
//     heap_known KIB FRAMES
mod clock;

use std::collections::VecDeque;
use std::hint::black_box;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

const HELD: usize = 64;
const CACHE_LINE: usize = 64;

static STOP: AtomicBool = AtomicBool::new(false);

#[inline(never)]
fn replace(frames: u32, held: &mut VecDeque<Box<[u8; 48]>>) -> u32 {
    if frames > 0 {
        return black_box(replace(frames - 1, held)) + 1; // no tail call
    }
    held.push_back(Box::new([1; 48]));
    if held.len() > HELD {
        held.pop_front();
    }
    0
}

fn main() {
    let arguments: Vec<usize> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        STOP.store(true, Ordering::Relaxed);
    });
    let mut memory = vec![0u8; arguments[0] << 10];
    let mut held = VecDeque::with_capacity(HELD + 1);
    let rounds = 2_000_000 / (arguments[0] + 1);
    while !STOP.load(Ordering::Relaxed) {
        let begin = clock::thread_cpu_sec();
        for _ in 0..rounds {
            for line in memory.iter_mut().step_by(CACHE_LINE) {
                *line = line.wrapping_add(1);
            }
            black_box(&mut memory);
            replace(arguments[1] as u32, &mut held);
        }
        let ns = (clock::thread_cpu_sec() - begin) * 1e9 / rounds as f64;
        println!("{} {}", clock::monotonic_sec(), ns);
        std::io::stdout().flush().unwrap();
    }
}
