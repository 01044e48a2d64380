//! The wire between a field server and its vendor, which can lose what is on it at a chosen moment.
//!
//! Everything on it is TLS 1.3. The client speaks first, the server answers, and what the client says after that holds
//! the request; so that the moments "the request is out" and "the answer is out" are known without reading along.

use anyhow::Result;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What the wire does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wire {
    /// It carries everything.
    #[default]
    Whole,
    /// It takes no connection.
    Cut,
    /// Requests get lost, and with them their answers.
    LosesRequests,
    /// Requests arrive, their answers get lost.
    LosesAnswers,
}

/// The end of the wire that the lab holds.
pub struct Splice {
    /// Where field servers' connections arrive.
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    wire: Mutex<Wire>,
    /// A request was lost since the wire was laid anew.
    lost_request: AtomicBool,
}

impl Splice {
    /// Lays a wire to a vendor.
    pub fn to(vendor: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let state = Arc::new(State { wire: Mutex::default(), lost_request: AtomicBool::new(false) });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for device in listener.incoming().flatten() {
                if shared.wire() != Wire::Cut
                    && let Ok(authority) = TcpStream::connect(vendor)
                {
                    // A connection that breaks off is nothing that the lab has to know of.
                    let _ = join(&shared, device, authority);
                }
            }
        });
        Ok(Self { address, state })
    }

    /// Changes what the wire does, also with connections that are on it.
    pub fn becomes(&self, wire: Wire) {
        self.state.lost_request.store(false, Ordering::SeqCst);
        *self.state.wire.lock().unwrap_or_else(PoisonError::into_inner) = wire;
    }

    /// Whether a request was lost since then.
    pub fn lost_request(&self) -> bool {
        self.state.lost_request.load(Ordering::SeqCst)
    }
}

impl State {
    fn wire(&self) -> Wire {
        *self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far one connection is.
#[derive(Default)]
struct Progress {
    answered: AtomicBool,
    asked: AtomicBool,
}

fn join(state: &Arc<State>, device: TcpStream, authority: TcpStream) -> std::io::Result<()> {
    let progress = Arc::new(Progress::default());
    let (from_device, to_authority) = (device.try_clone()?, authority.try_clone()?);
    let (its_state, its_progress) = (Arc::clone(state), Arc::clone(&progress));
    std::thread::spawn(move || {
        carry(from_device, to_authority, || {
            if its_progress.answered.load(Ordering::SeqCst) {
                its_progress.asked.store(true, Ordering::SeqCst);
            }
            let asked = its_progress.asked.load(Ordering::SeqCst);
            let lost = asked && matches!(its_state.wire(), Wire::LosesRequests);
            its_state.lost_request.fetch_or(lost, Ordering::SeqCst);
            !lost
        });
    });
    let state = Arc::clone(state);
    std::thread::spawn(move || {
        carry(authority, device, || {
            progress.answered.store(true, Ordering::SeqCst);
            let asked = progress.asked.load(Ordering::SeqCst);
            !(asked && matches!(state.wire(), Wire::LosesAnswers | Wire::LosesRequests))
        });
    });
    Ok(())
}

/// Copies until one side ends; each piece only if it may pass.
fn carry(mut from: TcpStream, mut to: TcpStream, passes: impl Fn() -> bool) {
    let mut piece = [0; 16 * 1024];
    while let Ok(bytes @ 1..) = from.read(&mut piece) {
        if passes() && to.write_all(piece.get(..bytes).unwrap_or_default()).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// The field server's end: what QEMU starts for each of its connections, with the connection as input and output. It
/// says nothing of its own, since the field server would take it for the vendor's word.
pub fn pipe(address: &str) -> std::io::Result<()> {
    let stream = TcpStream::connect(address)?;
    let mut towards = stream.try_clone()?;
    std::thread::spawn(move || {
        let _ = relay(&mut std::io::stdin().lock(), &mut towards);
        let _ = towards.shutdown(Shutdown::Write);
    });
    relay(&mut &stream, &mut std::io::stdout().lock())
}

fn relay(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<()> {
    let mut piece = [0; 16 * 1024];
    loop {
        let bytes = from.read(&mut piece)?;
        if bytes == 0 {
            return Ok(());
        }
        to.write_all(piece.get(..bytes).unwrap_or_default())?;
        to.flush()?;
    }
}

#[cfg(test)]
mod tests {
    use super::super::wait::{CONDITION, wait_for};
    use super::*;
    use std::time::Duration;

    /// A vendor that greets, and then repeats what it hears.
    fn vendor() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut piece = [0; 64];
                    while let Ok(bytes @ 1..) = stream.read(&mut piece) {
                        let _ = stream.write_all(&piece[..bytes]);
                    }
                });
            }
        });
        address
    }

    fn hears(stream: &mut TcpStream, text: &str) -> bool {
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = vec![0; text.len()];
        stream.read_exact(&mut answer).is_ok() && answer == text.as_bytes()
    }

    fn connected(splice: &Splice, patience: u64) -> TcpStream {
        let stream = TcpStream::connect(splice.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(patience))).unwrap();
        stream
    }

    #[test]
    fn a_whole_wire_carries_and_a_cut_one_does_not() {
        let splice = Splice::to(vendor()).unwrap();
        let mut stream = connected(&splice, 60_000);
        assert!(hears(&mut stream, "hello") && hears(&mut stream, "request"));
        splice.becomes(Wire::Cut);
        let mut stream = connected(&splice, 60_000);
        let _ = stream.write_all(b"hello");
        assert!(!matches!(stream.read(&mut [0; 8]), Ok(1..)));
    }

    #[test]
    fn the_second_word_is_what_gets_lost() {
        let splice = Splice::to(vendor()).unwrap();
        let mut stream = connected(&splice, 60_000);
        splice.becomes(Wire::LosesRequests);
        assert!(hears(&mut stream, "hello") && !splice.lost_request());
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        assert!(!hears(&mut stream, "request"));
        wait_for("the loss", CONDITION, || Ok(splice.lost_request().then_some(()))).unwrap();
        splice.becomes(Wire::LosesAnswers);
        let mut stream = connected(&splice, 60_000);
        assert!(hears(&mut stream, "hello"));
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        assert!(!hears(&mut stream, "request") && !splice.lost_request());
    }
}
