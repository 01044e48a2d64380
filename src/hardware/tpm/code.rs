//! What the codes mean that a TPM answers with (TCG TPM 2.0 Library, Part 2, chapter "TPM_RC").

use super::TpmError;
use tpm2_protocol::data::{TpmCc, TpmRc, TpmRcBase};

/// The kernel's resource manager, and others on the way, put their number above the code.
const CODE: u32 = 0xffff;

/// Codes of the second format, and among them those that are about a parameter.
const FORMAT: u32 = 0x80;
const PARAMETER: u32 = 0x40;

/// A command that was refused, or that never got its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The TPM's own code.
    Code(TpmCc, u32),
    /// Anything else.
    Error(TpmError),
}

impl Failure {
    /// The TPM's reason, without the number of the parameter that it is about.
    pub fn base(&self) -> Option<TpmRcBase> {
        match self {
            Self::Code(_, code) => base(*code),
            Self::Error(_) => None,
        }
    }

    /// Of a command that was given something made elsewhere: if the TPM objects to that, it is not its own.
    pub fn about_content(self) -> Self {
        match self {
            Self::Code(command, code) if code & FORMAT != 0 && code & PARAMETER != 0 => {
                let named = base(code).map_or_else(|| format!("0x{code:x}"), |reason| reason.to_string());
                Self::Error(TpmError::NotOurs(format!("{command}: {named}")))
            }
            other => other,
        }
    }

    /// Whether the same command may be taken at once.
    pub fn is_retry(&self) -> bool {
        matches!(self.base(), Some(TpmRcBase::Retry | TpmRcBase::Yielded | TpmRcBase::Testing))
    }
}

impl From<TpmError> for Failure {
    fn from(error: TpmError) -> Self {
        Self::Error(error)
    }
}

impl From<Failure> for TpmError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Error(error) => error,
            Failure::Code(command, code) => meaning(command, code),
        }
    }
}

fn base(code: u32) -> Option<TpmRcBase> {
    TpmRc::try_from(code & CODE).ok().map(|code| code.base())
}

fn meaning(command: TpmCc, code: u32) -> TpmError {
    use TpmRcBase as Rc;
    let Some(reason) = base(code) else {
        return TpmError::Other { operation: command.to_string(), code: format!("0x{code:x}") };
    };
    let named = format!("{command}: {reason}");
    match reason {
        // What a TPM 1.2 answers to a command of another world.
        Rc::BadTag => TpmError::Absent("the chip is a TPM 1.2: nothing to do".to_owned()),
        Rc::Hierarchy | Rc::Disabled => TpmError::Absent(format!(
            "its keys are switched off ({named}): switch them on in the firmware's setup"
        )),
        Rc::AuthFail | Rc::BadAuth | Rc::AuthMissing | Rc::AuthUnavailable | Rc::AuthType => {
            TpmError::Permission(format!("it asks for a password that is not known ({named})"))
        }
        Rc::Policy
        | Rc::PolicyFail
        | Rc::PolicyCc
        | Rc::Pp
        | Rc::Pcr
        | Rc::PcrChanged
        | Rc::Locality
        | Rc::NvAuthorization
        | Rc::NvLocked
        | Rc::ReadOnly => TpmError::Permission(format!("its policy forbids it ({named})")),
        Rc::Retry
        | Rc::Yielded
        | Rc::Testing
        | Rc::Canceled
        | Rc::NvRate
        | Rc::NvUnavailable
        | Rc::NeedsTest => TpmError::Busy(named),
        Rc::Lockout => TpmError::Lockout,
        Rc::Integrity => TpmError::NotOurs(named),
        Rc::NvSpace
        | Rc::ObjectMemory
        | Rc::SessionMemory
        | Rc::Memory
        | Rc::ObjectHandles
        | Rc::SessionHandles
        | Rc::TooManyContexts
        | Rc::ContextGap => TpmError::Full(named),
        other => TpmError::Other { operation: command.to_string(), code: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: u32) -> TpmError {
        Failure::Code(TpmCc::Unseal, code).into()
    }

    #[test]
    fn codes_are_told_apart_whatever_parameter_they_are_about() {
        // Session 1, handle 1, parameter 1, and as the kernel's resource manager passes it on.
        for code in [0x98e, 0x9a2, 0x18e, 0x1ce, 0x000b_098e] {
            assert!(matches!(of(code), TpmError::Permission(_)), "{code:x}");
        }
        assert!(matches!(of(0x0000_01df), TpmError::NotOurs(_)));
        assert_eq!(of(0x921), TpmError::Lockout);
        for code in [0x922, 0x908, 0x90a, 0x923, 0x920] {
            assert!(matches!(of(code), TpmError::Busy(_)) && of(code).is_passing(), "{code:x}");
        }
        for code in [0x14b, 0x902, 0x903, 0x904] {
            assert!(matches!(of(code), TpmError::Full(_)), "{code:x}");
        }
        for code in [0x85, 0x285, 0x120, 0x1e] {
            assert!(matches!(of(code), TpmError::Absent(_)), "{code:x}");
        }
    }

    #[test]
    fn every_code_has_a_message_that_says_what_to_do() {
        for code in 0..=0xfff_u32 {
            let message = of(code).to_string();
            assert!(message.starts_with("the TPM") || message.contains("TPM"), "{code:x}: {message}");
            assert!(message.contains(": "), "{code:x}: {message}");
        }
        assert!(of(0x101).to_string().contains("TPM_CC_Unseal (TPM_RC_FAILURE)"));
        assert!(of(0x5_0fff).to_string().contains("0x50fff"), "a code of nobody is shown as it came");
    }
}
