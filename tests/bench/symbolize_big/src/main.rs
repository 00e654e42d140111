//! An HTTP server that searches JSON with regular expressions, in parallel, and a client that asks it.
//! usage: symbolize_big [SECONDS]
use hyper::service::{make_service_fn, service_fn};
use hyper::{Body, Client, Request, Response, Server};
use rayon::prelude::*;
use std::convert::Infallible;
use std::time::{Duration, Instant};

fn search(body: &[u8]) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    let value: serde_json::Value = serde_json::from_slice(body)?;
    let pattern = regex::Regex::new(r"(?i)\b[a-z]+\d{2,4}\b")?;
    let bytes = regex::bytes::Regex::new(r"(?-u)[\x80-\xff]+")?;
    let lines: Vec<String> = value.as_array().into_iter().flatten().map(|item| item.to_string()).collect();
    let mut hits: Vec<usize> = lines
        .par_iter()
        .map(|line| pattern.find_iter(line).count() + bytes.find_iter(line.as_bytes()).count())
        .collect();
    hits.par_sort();
    Ok(hits.iter().sum())
}

async fn answer(request: Request<Body>) -> Result<Response<Body>, hyper::Error> {
    let body = hyper::body::to_bytes(request.into_body()).await?;
    let found = tokio::task::spawn_blocking(move || search(&body)).await;
    Ok(match found {
        Ok(Ok(count)) => Response::new(Body::from(format!("{{\"hits\":{count}}}"))),
        other => Response::new(Body::from(format!("{other:?}"))),
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let service = make_service_fn(|_| async { Ok::<_, Infallible>(service_fn(answer)) });
    let server = Server::bind(&([127, 0, 0, 1], 0).into()).serve(service);
    let uri: hyper::Uri = format!("http://{}/", server.local_addr()).parse()?;
    tokio::spawn(server);
    let seconds = std::env::args().nth(1).map_or(Ok(0), |seconds| seconds.parse())?;
    let end = Instant::now() + Duration::from_secs(seconds);
    let client = Client::new();
    loop {
        let request = Request::post(&uri).body(Body::from(r#"["abc123", {"x": "def4567"}]"#))?;
        let answer = hyper::body::to_bytes(client.request(request).await?.into_body()).await?;
        if Instant::now() >= end {
            println!("{answer:?}");
            return Ok(());
        }
    }
}
