//! A process that spends 60 % of its CPU time in the kernel, for one line, and 40 % in its own code, for another: it hands out
//! the time by its thread's own CPU clock.

use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::time::{Duration, Instant};

#[repr(C)]
struct Timespec {
    sec: i64,
    nsec: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

fn cpu_ms() -> f64 {
    const CLOCK_THREAD_CPUTIME_ID: i32 = 3;
    let mut time = Timespec { sec: 0, nsec: 0 };
    unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.sec as f64 * 1e3 + time.nsec as f64 / 1e6
}

fn main() {
    let end = Instant::now() + Duration::from_secs(60);
    let mut zeros = File::open("/dev/zero").unwrap();
    let mut buffer = vec![0u8; 4 << 20];
    let (mut due, mut x) = (cpu_ms(), 1u64);
    while Instant::now() < end {
        due += 120.0;
        while cpu_ms() < due {
            zeros.read_exact(&mut buffer).unwrap(); // LINE kernel
        }
        due += 80.0;
        while cpu_ms() < due {
            for _ in 0..1_000_000 { x = black_box(x ^ x << 13).wrapping_mul(3); } // LINE user
        }
    }
    black_box((x, &buffer));
}
