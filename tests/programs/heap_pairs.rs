// The barest loop of an allocation and a free. Every few milliseconds it prints the time (CLOCK_MONOTONIC, seconds) and how many
// nanoseconds of CPU time a pair took, until its standard input ends.
use std::hint::black_box;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

#[repr(C)]
struct Timespec {
    sec: i64,
    nsec: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

const MONOTONIC: i32 = 1;
const THREAD_CPU: i32 = 3; // what others do on the machine does not count

fn clock_sec(clock: i32) -> f64 {
    let mut now = Timespec { sec: 0, nsec: 0 };
    unsafe { clock_gettime(clock, &mut now) };
    now.sec as f64 + now.nsec as f64 / 1e9
}

static STOP: AtomicBool = AtomicBool::new(false);

fn main() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        STOP.store(true, Ordering::Relaxed);
    });
    let mut out = std::io::stdout();
    let mut pairs = 1000u64;
    while !STOP.load(Ordering::Relaxed) {
        let begin = clock_sec(THREAD_CPU);
        for i in 0..pairs {
            drop(black_box(Box::new([i; 6])));
        }
        let ns = (clock_sec(THREAD_CPU) - begin) * 1e9;
        if writeln!(out, "{:.6} {:.2}", clock_sec(MONOTONIC), ns / pairs as f64).is_err() {
            return;
        }
        pairs = ((pairs as f64 * 5e6 / ns) as u64).clamp(100, 20_000);
    }
}
