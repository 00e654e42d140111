// Allocates and frees on several threads until its standard input ends, and checks every block's content: a heap that was
// damaged by a profiler is told by exit code 3. Each second (and at the end) it prints how many nanoseconds a pair of an
// allocation and a free took.
//
//     heap_churn THREADS [--respawn]     --respawn: threads live for 50 ms only
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn stamp(block: &mut Vec<u64>, tag: u64) {
    let len = block.len() as u64;
    if let Some(first) = block.first_mut() {
        *first = tag ^ len;
    }
    if block.len() > 1 {
        *block.last_mut().unwrap() = tag.wrapping_mul(31) ^ len;
    }
}

fn check(block: &[u64], tag: u64) {
    let len = block.len() as u64;
    let good = block.first().map_or(true, |first| *first == tag ^ len)
        && (block.len() < 2 || *block.last().unwrap() == tag.wrapping_mul(31) ^ len);
    if !good {
        eprintln!("damaged block of {} words", len);
        std::process::exit(3);
    }
}

// One step: replaces a random block by a new one, or resizes it.
fn step(random: &mut Random, held: &mut [(u64, Vec<u64>)]) {
    let at = (random.next() % held.len() as u64) as usize;
    let tag = random.next();
    let words = match random.next() % 16 {
        0 => 4096 + random.next() % 4096,
        1..=3 => random.next() % 512,
        _ => 1 + random.next() % 16,
    } as usize;
    let (old_tag, block) = &mut held[at];
    check(block, *old_tag);
    match random.next() % 4 {
        0 => {
            block.resize(words, 0);
            block.shrink_to_fit();
        }
        1 => *block = vec![0; words],
        _ => {
            let mut fresh = Vec::with_capacity(words);
            fresh.resize(words, 7);
            *block = fresh;
        }
    }
    stamp(block, tag);
    *old_tag = tag;
}

static STOP: AtomicBool = AtomicBool::new(false);

fn stopped() -> bool {
    STOP.load(Ordering::Relaxed)
}

fn churn(seed: u64, until: Option<Instant>, pairs: &AtomicU64) {
    let mut random = Random(seed | 1);
    let mut held: Vec<(u64, Vec<u64>)> = (0..512).map(|_| (0, Vec::new())).collect();
    while until.map_or(true, |until| Instant::now() < until) && !stopped() {
        for _ in 0..1000 {
            step(&mut random, &mut held);
            black_box(Box::new([seed; 6]));
        }
        pairs.fetch_add(2000, Ordering::Relaxed);
    }
    for (tag, block) in &held {
        check(block, *tag);
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let threads: u64 = args.next().and_then(|a| a.parse().ok()).unwrap_or(2);
    let respawn = args.next().as_deref() == Some("--respawn");
    let pairs = Arc::new(AtomicU64::new(0));
    let workers: Vec<_> = (0..threads)
        .map(|i| {
            let pairs = pairs.clone();
            thread::spawn(move || {
                let mut round = 0;
                while !stopped() {
                    let until = respawn.then(|| Instant::now() + Duration::from_millis(50));
                    let pairs = pairs.clone();
                    round += 1;
                    let seed = (i + 1) * 7919 + round;
                    if respawn {
                        thread::spawn(move || churn(seed, until, &pairs)).join().unwrap();
                    } else {
                        churn(seed, until, &pairs);
                    }
                }
            })
        })
        .collect();
    thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        STOP.store(true, Ordering::Relaxed);
    });
    let mut last = 0;
    let mut then = Instant::now();
    while !stopped() {
        thread::sleep(Duration::from_millis(100));
        if then.elapsed() >= Duration::from_secs(1) {
            let now = pairs.load(Ordering::Relaxed);
            let ns = then.elapsed().as_nanos() as f64 * threads as f64 / (now - last).max(1) as f64;
            println!("{:.1} ns/pair and thread", ns);
            then = Instant::now();
            last = now;
        }
    }
    for worker in workers {
        worker.join().unwrap();
    }
    println!("sound");
}
