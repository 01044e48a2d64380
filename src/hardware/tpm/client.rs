//! A conversation with a TPM: commands out, answers checked, everything loaded flushed again.

use super::code::Failure;
use super::transport::{MESSAGE_LIMIT, QUICK};
use super::{TpmError, Transport};
use std::time::Duration;
use tpm2_protocol::TpmWriter;
use tpm2_protocol::basic::{TpmHandle, TpmUint32};
use tpm2_protocol::data::{Tpm2bAuth, TpmCc, TpmRh, TpmSt, TpmaSession, TpmsAuthCommand};
use tpm2_protocol::frame::{
    TpmFlushContextCommand, TpmFlushContextResponse, TpmFrame, TpmResponse, TpmUnmarshalBody,
    tpm_marshal_command,
};
use zeroize::Zeroizing;

/// How often a command is sent again that the TPM asks to send again. The kernel does so too, with pauses.
const TRIES: usize = 5;

/// A conversation with a TPM 2.0. It ends with the first error of its transport.
#[derive(Debug)]
pub struct Tpm {
    transport: Box<dyn Transport>,
}

/// How a command is authorised.
#[derive(Clone, Copy)]
pub(super) enum Auth<'a> {
    /// By a password, most often the empty one.
    Password(&'a [u8]),
    /// By a policy session that stays open.
    Policy(TpmHandle),
}

/// The empty password, which all hierarchies have that nobody took into possession.
pub(super) const EMPTY: Auth<'static> = Auth::Password(&[]);

impl Tpm {
    /// Speaks over `transport`.
    #[must_use]
    pub fn new(transport: Box<dyn Transport>) -> Self {
        Self { transport }
    }

    /// Runs a command and takes its answer apart.
    pub(super) fn run<R: TpmUnmarshalBody>(
        &mut self,
        command: &impl TpmFrame,
        auths: &[Auth<'_>],
        limit: Duration,
    ) -> Result<R, Failure> {
        let response = self.raw(command, auths, limit)?;
        let body = TpmResponse::cast(&response).and_then(TpmResponse::unmarshal::<R>);
        body.map_err(|error| nonsense(command.cc(), &error).into())
    }

    /// Runs a command that answers with one secret value, which is copied once, from the response.
    pub(super) fn run_for_secret(
        &mut self,
        command: &impl TpmFrame,
        auths: &[Auth<'_>],
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let response = self.raw(command, auths, QUICK)?;
        // Such answers have no handles, and as their commands are authorised, the length of the parameters stands first.
        let value = TpmResponse::cast(&response).ok().and_then(|response| {
            response.validate(command.cc()).ok()?;
            let (length, body) = response.body().split_first_chunk::<4>()?;
            let parameters = body.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
            let (length, value) = parameters.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)) == value.len()).then(|| Zeroizing::new(value.to_vec()))
        });
        value.ok_or_else(|| nonsense(command.cc(), &"it holds no value").into())
    }

    /// Gives `handle` to `use_it`, and flushes it whatever comes of that.
    pub(super) fn while_loaded<T>(
        &mut self,
        handle: TpmHandle,
        use_it: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let result = use_it(self);
        // What is done is done: if this fails, the handle goes when the device is closed.
        let flush = TpmFlushContextCommand { handles: [], flush_handle: handle };
        let _ = self.run::<TpmFlushContextResponse>(&flush, &[], QUICK);
        result
    }

    /// Runs a command; the answer is one of success, of the right kind and length.
    pub(super) fn raw(
        &mut self,
        command: &impl TpmFrame,
        auths: &[Auth<'_>],
        limit: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let bytes = marshal(command, auths).map_err(|error| TpmError::Other {
            operation: command.cc().to_string(),
            code: error.to_string(),
        })?;
        let tag = if auths.is_empty() { TpmSt::NoSessions } else { TpmSt::Sessions };
        for _ in 1..TRIES {
            match self.once(command.cc(), tag, &bytes, limit) {
                Err(failure) if failure.is_retry() => {}
                result => return result,
            }
        }
        self.once(command.cc(), tag, &bytes, limit)
    }

    fn once(
        &mut self,
        command: TpmCc,
        tag: TpmSt,
        bytes: &[u8],
        limit: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let response = self.transport.exchange(bytes, limit)?;
        let Some((head, _)) = response.split_first_chunk::<10>() else {
            return Err(nonsense(command, &format!("{} bytes", response.len())).into());
        };
        let [t0, t1, l0, l1, l2, l3, c0, c1, c2, c3] = *head;
        let stated = u32::from_be_bytes([l0, l1, l2, l3]);
        if usize::try_from(stated) != Ok(response.len()) {
            let why = format!("{} bytes where it states {stated}", response.len());
            return Err(nonsense(command, &why).into());
        }
        let code = u32::from_be_bytes([c0, c1, c2, c3]);
        if code != 0 {
            return Err(Failure::Code(command, code));
        }
        if u16::from_be_bytes([t0, t1]) != tag.value() {
            return Err(nonsense(command, &format!("tag 0x{t0:02x}{t1:02x}")).into());
        }
        Ok(response)
    }
}

fn nonsense(command: TpmCc, why: &dyn std::fmt::Display) -> TpmError {
    TpmError::Nonsense(format!("to {command}: {why}"))
}

fn marshal(
    command: &impl TpmFrame,
    auths: &[Auth<'_>],
) -> Result<Zeroizing<Vec<u8>>, tpm2_protocol::TpmError> {
    let sessions = auths.iter().map(session).collect::<Result<Vec<_>, _>>()?;
    let tag = if sessions.is_empty() { TpmSt::NoSessions } else { TpmSt::Sessions };
    let mut buffer = Zeroizing::new(vec![0; MESSAGE_LIMIT]);
    let mut writer = TpmWriter::new(&mut buffer);
    tpm_marshal_command(command, tag, &sessions, &mut writer)?;
    let length = writer.len();
    buffer.truncate(length);
    Ok(buffer)
}

fn session(auth: &Auth<'_>) -> Result<TpmsAuthCommand, tpm2_protocol::TpmError> {
    let session = match auth {
        Auth::Password(value) => TpmsAuthCommand {
            session_handle: handle(TpmRh::Pw),
            hmac: Tpm2bAuth::try_from(*value)?,
            ..TpmsAuthCommand::default()
        },
        Auth::Policy(session) => TpmsAuthCommand {
            session_handle: *session,
            session_attributes: TpmaSession::CONTINUE_SESSION,
            ..TpmsAuthCommand::default()
        },
    };
    Ok(session)
}

/// A fixed handle.
pub(super) fn handle(fixed: TpmRh) -> TpmHandle {
    TpmUint32::new(fixed.value())
}
