//! The device of this machine, and a thread that waits for it.
//!
//! The wait is on a thread of its own, because neither `poll` nor closing the device ends it: the kernel holds the
//! lock that both take for as long as the chip works (`buffer_mutex` in `drivers/char/tpm/tpm-dev-common.c`). A thread
//! that a dead chip holds is left alone, and gets no company: until it comes back, [`TpmDevice::open`] opens nothing.

use super::line::{self, Line};
use super::{Tpm, TpmError, Transport};
use crate::root::Root;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use zeroize::Zeroizing;

type Response = Result<Zeroizing<Vec<u8>>, TpmError>;

/// The kernel's `/dev/tpmrm0` below a root. Clones know of each other's hanging conversations.
#[derive(Clone, Debug)]
pub struct TpmDevice {
    root: Root,
    patience: Duration,
    hanging: Arc<Mutex<Hanging>>,
}

/// The thread that did not come back.
#[derive(Debug, Default)]
struct Hanging {
    thread: Weak<()>,
    limit: Duration,
}

impl TpmDevice {
    /// Nothing is opened yet. In a recorded root, `dev/tpmrm0` may also be the socket of an emulator.
    #[must_use]
    pub fn new(root: Root) -> Self {
        Self { root, patience: Duration::MAX, hanging: Arc::default() }
    }

    /// Waits for no command longer than `patience`. Without this it is 20 s, and 60 s for commands that make a key.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Begins a conversation. Whether there is a TPM shows with the first command.
    ///
    /// Fails with [`TpmError::Hang`] while an earlier conversation hangs.
    pub fn open(&self) -> Result<Tpm, TpmError> {
        let hanging = self.hanging.lock().unwrap_or_else(PoisonError::into_inner);
        if hanging.thread.strong_count() > 0 {
            return Err(TpmError::Hang(hanging.limit));
        }
        drop(hanging);
        let root = self.root.clone();
        let mut conversation = Conversation::begin(move || line::open(&root))?;
        conversation.patience = self.patience;
        conversation.hanging = Arc::clone(&self.hanging);
        Ok(Tpm::new(Box::new(conversation)))
    }
}

/// A transport whose waiting is done elsewhere.
#[derive(Debug)]
struct Conversation {
    commands: SyncSender<Zeroizing<Vec<u8>>>,
    responses: Receiver<Response>,
    /// Ends with the thread.
    thread: Weak<()>,
    patience: Duration,
    hanging: Arc<Mutex<Hanging>>,
    /// Why there is nothing more to be had.
    ended: Option<TpmError>,
}

impl Conversation {
    fn begin(
        open: impl FnOnce() -> Result<Box<dyn Line>, TpmError> + Send + 'static,
    ) -> Result<Self, TpmError> {
        let (commands, to_do) = sync_channel(1);
        let (done, responses) = sync_channel(1);
        let alive = Arc::new(());
        let thread = Arc::downgrade(&alive);
        let serve = move || {
            serve(open, &to_do, &done);
            drop(alive); // after the device was closed, which can take as long as a command
        };
        std::thread::Builder::new()
            .name("tpm".to_owned())
            .spawn(serve)
            .map_err(|error| TpmError::Busy(format!("no thread can be started to wait for it: {error}")))?;
        let (patience, hanging) = (Duration::MAX, Arc::default());
        Ok(Self { commands, responses, thread, patience, hanging, ended: None })
    }

    fn wait(&mut self, command: &[u8], limit: Duration) -> Response {
        let gone = || TpmError::Nonsense("the conversation has ended".to_owned());
        self.commands.send(Zeroizing::new(command.to_vec())).map_err(|_| gone())?;
        match self.responses.recv_timeout(limit) {
            Ok(response) => response,
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
            Err(RecvTimeoutError::Timeout) => {
                let mut hanging = self.hanging.lock().unwrap_or_else(PoisonError::into_inner);
                *hanging = Hanging { thread: Weak::clone(&self.thread), limit };
                Err(TpmError::Hang(limit))
            }
        }
    }
}

impl Transport for Conversation {
    fn exchange(&mut self, command: &[u8], limit: Duration) -> Response {
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        let response = self.wait(command, limit.min(self.patience));
        // What comes late or broken would be taken for the answer to the next command.
        self.ended = response.as_ref().err().cloned();
        response
    }
}

/// Until nobody asks any more, or the line breaks.
fn serve(
    open: impl FnOnce() -> Result<Box<dyn Line>, TpmError>,
    to_do: &Receiver<Zeroizing<Vec<u8>>>,
    done: &SyncSender<Response>,
) {
    let mut line = open();
    for command in to_do {
        let response = match &mut line {
            Ok(line) => line::talk(line.as_mut(), &command),
            Err(error) => Err(error.clone()),
        };
        let broken = response.is_err();
        if done.send(response).is_err() || broken {
            return;
        }
    }
}
