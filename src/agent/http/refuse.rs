//! A connection too many is told so in HTTP, without becoming a connection.

use crate::front::Fault;
use crate::http::reply;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How long a refused caller may take to ask and to hear.
const PATIENCE: Duration = Duration::from_secs(1);
/// So much of what it sends is looked at.
const HEAD: usize = 16 * 1024;

/// Hears the request's head, answers 503, and closes when the caller has read it.
pub async fn politely<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, limit: usize) {
    let answer = async {
        // A client that is answered before it asked takes the answer for garbage.
        let mut head = Vec::with_capacity(1024);
        while head.len() < HEAD && !head.windows(4).any(|end| end == b"\r\n\r\n") {
            if stream.read_buf(&mut head).await? == 0 {
                break;
            }
        }
        stream.write_all(&response(limit)).await?;
        stream.shutdown().await?;
        // Closing over unread bytes would reset the connection and take the answer with it.
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await? > 0 {}
        Ok::<(), std::io::Error>(())
    };
    // A caller that is not interested is no error.
    let _ = tokio::time::timeout(PATIENCE, answer).await;
}

fn response(limit: usize) -> Vec<u8> {
    let fault = Fault::Full { what: "connections", limit };
    let body = serde_json::to_vec(&reply::document(&fault)).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 2\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}
