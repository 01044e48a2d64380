//! A counter in the TPM's own memory. It never goes back: not by a restored disk, and not by being made anew, because a
//! TPM begins each new counter above all that it ever had. Clearing the TPM removes it.

use super::TpmError;
use super::client::{EMPTY, Tpm, handle};
use super::code::Failure;
use super::transport::QUICK;
use tpm2_protocol::basic::{TpmHandle, TpmUint16};
use tpm2_protocol::data::{
    Tpm2bAuth, Tpm2bDigest, Tpm2bNvPublic, TpmAlgId, TpmRcBase, TpmRh, TpmaNv, TpmsNvPublic,
};
use tpm2_protocol::frame::{
    TpmNvDefineSpaceCommand, TpmNvDefineSpaceResponse, TpmNvIncrementCommand, TpmNvIncrementResponse,
    TpmNvReadCommand, TpmNvReadPublicCommand, TpmNvReadPublicResponse, TpmNvReadResponse,
    TpmNvUndefineSpaceCommand, TpmNvUndefineSpaceResponse,
};

/// Owners define indices from here on (TCG Registry of Reserved TPM 2.0 Handles and Localities, section 2.2); the rest
/// is ours by choice.
const FIRST: u32 = 0x01af_0000;
const LENGTH: u16 = 8;

/// Which counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CounterIndex(u32);

impl CounterIndex {
    /// One of our own: index `0x01af0000` and the following.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(FIRST + number as u32)
    }

    fn handle(self) -> TpmHandle {
        TpmHandle::new(self.0)
    }
}

/// What stands at an index.
enum Found {
    Nothing,
    /// Defined, and never counted: somebody was interrupted between the two.
    Unused,
    Counter,
}

impl Tpm {
    /// What the counter says; nothing where there is none, as on a TPM that was never used by us, or cleared.
    pub fn counter(&mut self, index: CounterIndex) -> Result<Option<u64>, TpmError> {
        match self.find(index)? {
            Found::Counter => Ok(Some(self.read_counter(index)?)),
            Found::Nothing | Found::Unused => Ok(None),
        }
    }

    /// Makes the counter, where there is none, and gives its first number. An existing one is left as it is.
    pub fn create_counter(&mut self, index: CounterIndex) -> Result<u64, TpmError> {
        match self.find(index)? {
            Found::Counter => return Ok(self.read_counter(index)?),
            Found::Unused => {}
            Found::Nothing => {
                let public_info = Tpm2bNvPublic { inner: public(index) };
                let auth = Tpm2bAuth::default();
                let handles = [handle(TpmRh::Owner)];
                let define = TpmNvDefineSpaceCommand { handles, auth, public_info };
                self.run::<TpmNvDefineSpaceResponse>(&define, &[EMPTY], QUICK)?;
            }
        }
        Ok(self.increment(index)?)
    }

    /// Counts one further and gives the new number; nothing where there is no counter.
    pub fn advance_counter(&mut self, index: CounterIndex) -> Result<Option<u64>, TpmError> {
        match self.find(index)? {
            Found::Counter => Ok(Some(self.increment(index)?)),
            Found::Nothing | Found::Unused => Ok(None),
        }
    }

    /// Removes the counter, where there is one.
    pub fn remove_counter(&mut self, index: CounterIndex) -> Result<(), TpmError> {
        if !matches!(self.find(index)?, Found::Nothing) {
            let handles = [handle(TpmRh::Owner), index.handle()];
            let undefine = TpmNvUndefineSpaceCommand { handles };
            self.run::<TpmNvUndefineSpaceResponse>(&undefine, &[EMPTY], QUICK)?;
        }
        Ok(())
    }

    fn find(&mut self, index: CounterIndex) -> Result<Found, Failure> {
        let ask = TpmNvReadPublicCommand { handles: [index.handle()] };
        let found: TpmNvReadPublicResponse = match self.run(&ask, &[], QUICK) {
            Ok(found) => found,
            Err(failure) if failure.base() == Some(TpmRcBase::Handle) => return Ok(Found::Nothing),
            Err(failure) => return Err(failure),
        };
        let (found, unused) = (found.nv_public.inner, public(index));
        let used = TpmsNvPublic { attributes: unused.attributes | TpmaNv::WRITTEN, ..unused };
        if found == used {
            Ok(Found::Counter)
        } else if found == unused {
            Ok(Found::Unused)
        } else {
            Err(TpmError::Other {
                operation: format!("the counter at 0x{:08x}", index.0),
                code: "another program uses this index".to_owned(),
            }
            .into())
        }
    }

    fn increment(&mut self, index: CounterIndex) -> Result<u64, Failure> {
        let increment = TpmNvIncrementCommand { handles: [index.handle(); 2] };
        self.run::<TpmNvIncrementResponse>(&increment, &[EMPTY], QUICK)?;
        self.read_counter(index)
    }

    fn read_counter(&mut self, index: CounterIndex) -> Result<u64, Failure> {
        let read = TpmNvReadCommand {
            handles: [index.handle(); 2],
            size: TpmUint16::new(LENGTH),
            offset: TpmUint16::new(0),
        };
        let read: TpmNvReadResponse = self.run(&read, &[EMPTY], QUICK)?;
        match <[u8; 8]>::try_from(&*read.data) {
            Ok(number) => Ok(u64::from_be_bytes(number)),
            Err(_) => Err(TpmError::Nonsense(format!("a counter of {} bytes", read.data.len())).into()),
        }
    }
}

/// A counter that its index's empty password reads and advances. Wrong passwords elsewhere do not lock it.
fn public(index: CounterIndex) -> TpmsNvPublic {
    TpmsNvPublic {
        nv_index: index.handle(),
        name_alg: TpmAlgId::Sha256,
        attributes: TpmaNv::COUNTER
            | TpmaNv::AUTHREAD
            | TpmaNv::AUTHWRITE
            | TpmaNv::OWNERREAD
            | TpmaNv::OWNERWRITE
            | TpmaNv::NO_DA,
        auth_policy: Tpm2bDigest::default(),
        data_size: TpmUint16::new(LENGTH),
    }
}
