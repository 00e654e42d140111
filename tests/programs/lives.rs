//! A process that lives through what processes live through. usage: lives KIND
//!   exec      works for 2 s, then becomes another instance of itself that only works
//!   fork      forks children that allocate and exit, all the time
//!   threads   starts and ends threads all the time, each works a little
//!   work      works and keeps some heap, for five minutes
//!   crash     works for 2 s, then aborts
//!   stacks    allocates from 131072 different stacks, over and over
//!   daemon    works for 2 s, then leaves the work to a child and ends
//! Allocations are filled and checked: a block that changed under our hands ends the process with 99.

use std::hint::black_box;
use std::os::unix::process::CommandExt;
use std::time::{Duration, Instant};

extern "C" {
    fn fork() -> i32;
    fn _exit(code: i32) -> !;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
}

fn work(seed: u64, kept: &mut Vec<Vec<u64>>) {
    let block: Vec<u64> = (0..64).map(|i| seed ^ i).collect(); // LINE allocate
    if kept.len() < 1000 {
        kept.push(block);
    } else {
        kept[(seed % 1000) as usize] = block;
    }
    for block in kept.iter().step_by(97) {
        let first = block[0];
        if block.iter().enumerate().any(|(i, &x)| x != first ^ i as u64) {
            std::process::exit(99);
        }
    }
}

fn work_for(duration: Duration) {
    let end = Instant::now() + duration;
    let mut kept = Vec::new();
    for seed in 0.. {
        work(seed, &mut kept);
        if seed % 64 == 0 && Instant::now() > end {
            break;
        }
    }
    black_box(kept);
}

/// Each bit of `path` chooses a caller: as many stacks as there are paths.
fn descend(path: u32, depth: u32, kept: &mut Vec<Vec<u64>>) -> u32 {
    #[inline(never)]
    fn left(path: u32, depth: u32, kept: &mut Vec<Vec<u64>>) -> u32 {
        descend(path, depth, kept) + 1
    }
    #[inline(never)]
    fn right(path: u32, depth: u32, kept: &mut Vec<Vec<u64>>) -> u32 {
        descend(path, depth, kept) + 2
    }
    if depth == 0 {
        work(u64::from(path), kept);
        return 0;
    }
    let next = if path >> (depth - 1) & 1 == 0 { left } else { right };
    next(path, depth - 1, kept)
}

fn fork_child() {
    let mut status = 0;
    unsafe {
        let child = fork();
        if child == 0 {
            work_for(Duration::from_millis(5));
            _exit(0);
        }
        waitpid(child, &mut status, 0);
    }
    if status != 0 {
        std::process::exit(98);
    }
}

fn main() {
    let kind = std::env::args().nth(1).unwrap_or_default();
    let end = Instant::now() + Duration::from_secs(300);
    match kind.as_str() {
        "work" => work_for(Duration::from_secs(300)),
        "exec" => {
            work_for(Duration::from_secs(2));
            let error = std::process::Command::new(std::env::current_exe().unwrap()).arg("work").exec();
            panic!("exec: {error}");
        }
        "crash" => {
            work_for(Duration::from_secs(2));
            std::process::abort();
        }
        "fork" => {
            while Instant::now() < end {
                fork_child();
                work_for(Duration::from_millis(5));
            }
        }
        "threads" => {
            while Instant::now() < end {
                let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(|| work_for(Duration::from_millis(3)))).collect();
                threads.into_iter().for_each(|thread| thread.join().unwrap());
            }
        }
        "stacks" => {
            let mut kept = Vec::new();
            for path in (0..1 << 17).cycle() {
                black_box(descend(path, 17, &mut kept));
                if path == 0 && Instant::now() > end {
                    break;
                }
            }
        }
        "daemon" => {
            work_for(Duration::from_secs(2));
            if unsafe { fork() } == 0 {
                work_for(Duration::from_secs(3));
            }
        }
        _ => panic!("lives exec|fork|threads|work|crash|stacks|daemon"),
    }
}
