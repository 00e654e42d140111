//! Work whose speed can be read from outside: counts rounds in a file that it has mapped (8 bytes, native order).
//! usage: churn KIND COUNTER_FILE THREADS SECONDS
//!   pairs    the bare Box::new and drop
//!   maps     collections and strings, as a parser of documents makes them: millions of allocations a second
//!   cpu      arithmetic, no allocation

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

static ROUNDS: AtomicU64 = AtomicU64::new(0);

fn pairs() {
    for i in 0..10_000u64 {
        drop(black_box(Box::new([i; 4])));
    }
}

#[derive(Default)]
struct Document {
    fields: HashMap<String, Vec<String>>,
    order: BTreeMap<u64, String>,
}

fn maps(seed: u64) {
    let mut documents = Vec::new();
    for i in 0..20 {
        let mut document = Document::default();
        for field in 0..8 {
            let values = (0..6).map(|v| format!("value {} of {field}", v * seed % 97)).collect();
            document.fields.insert(format!("field-{field}"), values);
            document.order.insert(seed.wrapping_mul(field + i) % 1009, format!("{field}"));
        }
        documents.push(document);
    }
    let longest = documents.iter().flat_map(|d| d.fields.values().flatten()).map(String::len).max();
    black_box((longest, documents.iter().map(|d| d.order.len()).sum::<usize>()));
}

fn cpu(seed: u64) -> f64 {
    (1..20_000u64).map(|i| ((i ^ seed) as f64).sqrt().sin()).sum()
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (kind, threads) = (args[1].clone(), args[3].parse().unwrap());
    let file = File::create(&args[2]).unwrap();
    let end = Instant::now() + Duration::from_secs_f64(args[4].parse().unwrap());
    for thread in 0..threads {
        let kind = kind.clone();
        std::thread::spawn(move || {
            for round in thread.. {
                match kind.as_str() {
                    "pairs" => pairs(),
                    "maps" => maps(round),
                    "cpu" => drop(black_box(cpu(round))),
                    _ => panic!("no such kind"),
                }
                ROUNDS.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while Instant::now() < end {
        file.write_at(&ROUNDS.load(Ordering::Relaxed).to_ne_bytes(), 0).unwrap();
        std::thread::sleep(Duration::from_millis(1));
    }
}
