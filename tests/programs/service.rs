//! A small service, for demos and editors: it takes in orders, prices them and keeps a cache of customers.
//! usage: service [--seconds N]

use std::collections::HashMap;
use std::time::{Duration, Instant};

struct Order {
    customer: u64,
    items: Vec<u32>,
    note: String,
}

fn receive(n: u64) -> Order {
    let customer = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) % (n / 2000 + 16).min(16384);
    let items = (0..64).map(|i| ((n + i) % 1000) as u32).collect();
    Order { customer, items, note: format!("order {n} of customer {customer}") }
}

fn checksum(note: &str) -> u32 {
    let mut sum = 0xffff_ffff_u32;
    for byte in note.bytes() {
        sum = (0..8).fold(sum ^ u32::from(byte), |s, _| (s >> 1) ^ (0xedb8_8320 & (s & 1).wrapping_neg()));
    }
    !sum
}

fn price(items: &[u32]) -> f64 {
    let mut total = 0.0;
    for &item in items {
        total += f64::from(item).sqrt() * 1.19;
    }
    total.max(1.0).ln()
}

#[derive(Default)]
struct Customer {
    orders: u32,
    spent: f64,
    history: Vec<u8>,
}

fn keep(cache: &mut HashMap<u64, Customer>, order: &Order, total: f64) {
    let customer = cache.entry(order.customer).or_default();
    if customer.history.is_empty() {
        customer.history = vec![0; 4096];
    }
    customer.orders += 1;
    customer.spent += total;
    let slot = customer.orders as usize % customer.history.len();
    customer.history[slot] = total as u8;
}

fn seconds() -> f64 {
    let args: Vec<String> = std::env::args().collect();
    let at = args.iter().position(|arg| arg == "--seconds");
    at.and_then(|at| args.get(at + 1)?.parse().ok()).unwrap_or(600.0)
}

fn main() {
    let end = Instant::now() + Duration::from_secs_f64(seconds());
    let mut cache = HashMap::new();
    let mut log: Vec<String> = Vec::new();
    for n in 0.. {
        let order = receive(n);
        let total = price(&order.items) + f64::from(checksum(&order.note)) / 1e12;
        keep(&mut cache, &order, total);
        if n % 4096 == 0 {
            log.push(order.note.repeat(32));
            log.truncate(4000);
            std::thread::sleep(Duration::from_millis(2));
            if Instant::now() > end {
                break;
            }
        }
    }
    println!("{} customers, {} log lines", cache.len(), log.len());
}
