// Holds a known heap at three lines, all of it renewed every two seconds, beside threads whose blocks die at once. For each number that
// it is told, it allocates a burst of blocks that stay, so many calls deep. Ends when its standard input does.
//
//     heap_sites THREADS ALLOCATIONS_PER_SECOND     of all these threads; 0: as many as they can
use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SMALL: usize = 100_000;
const MEDIUM: usize = 5_000;
const LARGE: usize = 200;
const BURST: usize = 100_000;
const RENEWED_IN_SEC: f64 = 2.0;

static STOP: AtomicBool = AtomicBool::new(false);

fn running() -> bool {
    !STOP.load(Ordering::Relaxed)
}

// Replaces the oldest; `due` counts what is to be replaced by now, of a whole that is held.
fn renew<T>(held: &mut VecDeque<T>, done: &mut usize, rounds: f64, whole: usize, make: impl Fn() -> T) {
    let due = (rounds * whole as f64) as usize;
    while *done < due {
        if held.len() == whole {
            held.pop_front();
        }
        held.push_back(make());
        *done += 1;
    }
}

fn hold() {
    let mut small = VecDeque::with_capacity(SMALL);
    let mut medium = VecDeque::with_capacity(MEDIUM);
    let mut large = VecDeque::with_capacity(LARGE);
    let mut done = [0; 3];
    let start = Instant::now();
    while running() {
        let rounds = start.elapsed().as_secs_f64() / RENEWED_IN_SEC;
        renew(&mut small, &mut done[0], rounds, SMALL, || Box::new([1u64; 8])); // LINE small
        renew(&mut medium, &mut done[1], rounds, MEDIUM, || vec![1u8; 2_000]); // LINE medium
        renew(&mut large, &mut done[2], rounds, LARGE, || vec![1u8; 100_000]); // LINE large
        std::thread::sleep(Duration::from_millis(10));
    }
    black_box((small, medium, large));
}

#[inline(never)]
fn burst(calls: usize, held: &mut Vec<Box<[u64; 8]>>) {
    if calls > 0 {
        burst(calls - 1, held);
        black_box(held); // no tail call
        return;
    }
    held.extend((0..BURST).map(|_| Box::new([1; 8]))); // LINE burst
}

fn churn(per_sec: f64) {
    let start = Instant::now();
    let mut done = 0.0;
    while running() {
        let due = if per_sec > 0.0 { start.elapsed().as_secs_f64() * per_sec } else { f64::MAX };
        for i in 0..1000 {
            black_box(Vec::<u8>::with_capacity(16 + i % 512)); // LINE churn
        }
        done += 1000.0;
        if done > due {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn main() {
    let arguments: Vec<f64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let threads = arguments[0] as usize;
    let per_sec = arguments[1] / threads as f64;
    let mut workers: Vec<_> = (0..threads).map(|_| std::thread::spawn(move || churn(per_sec))).collect();
    workers.push(std::thread::spawn(hold));
    let mut held = Vec::new();
    for calls in std::io::stdin().lines() {
        burst(calls.unwrap().parse().unwrap(), &mut held);
    }
    STOP.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.join().unwrap();
    }
    println!("sound");
}
