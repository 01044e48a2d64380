//! What can go wrong between an application and the agent, each with a stable code and the next step.

use landfast_protocol::local::Problem;
use std::io;
use std::path::{Path, PathBuf};

/// A request to the agent that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No agent listens there, it may not be reached, or it did not answer in time.
    #[error("the agent cannot be reached at {}: {source}", socket.display())]
    NotReachable {
        /// Where it should listen.
        socket: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The agent refused, and says why.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// Something answered that does not speak as the agent does.
    #[error("{} answered, but not as an agent does: {what}", socket.display())]
    Unexpected {
        /// Where it listens.
        socket: PathBuf,
        /// What was wrong.
        what: Unexpected,
    },
    /// The question cannot be asked; nothing was sent.
    #[error("{0}")]
    Question(String),
}

/// What no agent would answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unexpected {
    /// The head of the answer does not parse.
    #[error("this is not HTTP: {0}")]
    NotHttp(String),
    /// The answer ended too early.
    #[error("the answer broke off: {0}")]
    BrokenOff(String),
    /// The answer is larger than any of the agent's.
    #[error("more than {limit} bytes")]
    TooLarge {
        /// What is read at most.
        limit: usize,
    },
    /// The body is not what the route answers.
    #[error("its content does not parse: {0}")]
    Content(String),
    /// A failure without a problem document.
    #[error("status {0} without an explanation")]
    Status(u16),
}

impl Error {
    pub(crate) fn unexpected(socket: &Path, what: Unexpected) -> Self {
        Self::Unexpected { socket: socket.to_owned(), what }
    }

    /// A stable code for programs: the agent's own, or `agent_unreachable`, `agent_forbidden`, `agent_unexpected`,
    /// `bad_question`.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::NotReachable { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "agent_forbidden"
            }
            Self::NotReachable { .. } => "agent_unreachable",
            Self::Problem(problem) => &problem.code,
            Self::Unexpected { .. } => "agent_unexpected",
            Self::Question(_) => "bad_question",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn advice(&self) -> &str {
        match self {
            Self::NotReachable { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => "look at the owner and mode of the socket, or ask as root",
                io::ErrorKind::TimedOut => "see what landfastd is doing: journalctl -u landfastd",
                _ => "is landfastd running? systemctl status landfastd",
            },
            Self::Problem(problem) => &problem.advice,
            Self::Unexpected { .. } => "is this landfastd's socket, and is landfastd as new as this program?",
            Self::Question(_) => "correct the question",
        }
    }
}
