//! A small search service: it keeps an index of words, and answers queries.

use std::collections::{BTreeMap, HashMap};

#[derive(Default)]
struct Index {
    words: HashMap<String, Vec<u32>>,
    documents: Vec<Box<str>>,
}

impl Index {
    fn add(&mut self, text: &str) {
        let id = self.documents.len() as u32;
        for word in text.split(' ') {
            let ids = self.words.entry(normalize(word)).or_default();
            ids.push(id);
        }
        self.documents.push(text.into());
    }

    fn search(&self, query: &str) -> Vec<(u32, f64)> {
        let mut scores = BTreeMap::new();
        for word in query.split(' ') {
            let Some(found) = self.words.get(word) else { continue };
            let weight = (self.documents.len() as f64 / found.len() as f64).ln();
            for &id in found.iter().rev().take(200) {
                *scores.entry(id).or_insert(0.0) += weight;
            }
        }
        let mut best: Vec<_> = scores.into_iter().collect();
        best.sort_by(|a, b| b.1.total_cmp(&a.1));
        best.truncate(10);
        best
    }
}

fn normalize(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

fn document(n: u64) -> String {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut text = String::new();
    for _ in 0..60 {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let word = state >> 48;
        text += &format!("Word{} ", word * word / 60_000);
    }
    text
}

fn main() {
    let mut index = Index::default();
    let mut answers = 0;
    for n in 0.. {
        index.add(&document(n));
        if n % 4 == 0 {
            answers += index.search("word10 word200 word3000").len();
        }
        if index.documents.len() > 200_000 {
            println!("{answers} answers");
            index = Index::default();
        }
        std::thread::sleep(std::time::Duration::from_micros(60));
    }
}
