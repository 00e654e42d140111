//! A process that spends 60 % of its CPU time in the kernel, for one line, and 40 % in its own code, for another: it hands out
//! the time by its thread's own CPU clock.

mod clock;

use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::time::{Duration, Instant};

fn main() {
    let end = Instant::now() + Duration::from_secs(60);
    let mut zeros = File::open("/dev/zero").unwrap();
    let mut buffer = vec![0u8; 4 << 20];
    let (mut due, mut x) = (clock::thread_cpu_sec(), 1u64);
    while Instant::now() < end {
        due += 0.120;
        while clock::thread_cpu_sec() < due {
            zeros.read_exact(&mut buffer).unwrap(); // LINE kernel
        }
        due += 0.080;
        while clock::thread_cpu_sec() < due {
            for _ in 0..1_000_000 { x = black_box(x ^ x << 13).wrapping_mul(3); } // LINE user
        }
    }
    black_box((x, &buffer));
}
