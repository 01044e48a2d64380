//! A check over the Unix socket beside a bare server with an answer of the same size.

use crate::figure::{Bar, Figure, Floor};
use crate::stopwatch::{median, p50_micros};
use anyhow::{Context, Result, ensure};
use landfast_tests::harness::{Agent, Process, build_directory, wait_for};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

const ROUNDS: usize = 9;
const CALLS: usize = 3000;

pub fn measure(directory: &Path, agent: &Agent) -> Result<Figure> {
    let mut product = Caller::connect(&agent.socket(), "/v1/entitlements/points")?;
    let answer = product.call_once()?;
    let body = answer.split("\r\n\r\n").nth(1).context("the agent's answer has a body")?.to_owned();
    ensure!(body.contains("\"granted\":true"), "the benchmark needs a granted feature: {body}");
    let socket = directory.join("bare.sock");
    let mut command = Command::new(build_directory()?.join("bare-http"));
    let _floor = Process::start(command.arg(&socket).arg(&body), &directory.join("bare-http.log"))?;
    wait_for("the bare server", || UnixStream::connect(&socket).ok())?;
    let mut floor = Caller::connect(&socket, "/v1/entitlements/points")?;
    floor.call_once()?;
    let (mut ratios, mut floors) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let bare = p50_micros(CALLS, || floor.call())?;
        let ours = p50_micros(CALLS, || product.call())?;
        ratios.push(ours / bare);
        floors.push(bare);
    }
    Ok(Figure {
        name: "http_check_ratio",
        value: median(ratios),
        unit: "x",
        floor: Some(Floor { value: median(floors), unit: "us", what: "p50 of a bare hyper server" }),
        bar: Some(Bar::AtMost(1.2)),
        how: format!(
            "p50 of {CALLS} checks on one kept-alive connection, {ROUNDS} rounds, 100 licenses, all on one CPU"
        ),
    })
}

/// A client that costs as little as a client can.
struct Caller {
    stream: UnixStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
    length: usize,
}

impl Caller {
    fn connect(socket: &Path, path: &str) -> Result<Self> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes();
        Ok(Self { stream: UnixStream::connect(socket)?, request, buffer: vec![0; 16 * 1024], length: 0 })
    }

    /// The first call learns how long an answer is.
    fn call_once(&mut self) -> Result<String> {
        self.stream.write_all(&self.request)?;
        let mut read = 0;
        loop {
            read += self.stream.read(&mut self.buffer[read..])?;
            let text = String::from_utf8_lossy(&self.buffer[..read]).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let stated = head.lines().find_map(|line| {
                    line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
                });
                if body.len() >= stated.unwrap_or(usize::MAX) {
                    self.length = read;
                    return Ok(text);
                }
            }
        }
    }

    fn call(&mut self) -> std::io::Result<()> {
        self.stream.write_all(&self.request)?;
        self.stream.read_exact(&mut self.buffer[..self.length])
    }
}
