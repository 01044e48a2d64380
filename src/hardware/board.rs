//! Groups A and G: the board and the chassis of a physical machine, by SMBIOS.

use crate::dmi::Dmi;
use landfast_protocol::evidence::Factor;
use landfast_protocol::reading::{FactorReading, Ignored, Reading};

/// The fields of group A. They are one group because they are not independent: many vendors derive one from another.
pub(crate) fn board(dmi: &Dmi<'_>) -> Vec<FactorReading> {
    vec![
        factor(Factor::ProductUuid, "product_uuid", dmi.uuid("product_uuid")),
        factor(Factor::BoardSerial, "board_serial", dmi.serial("board_serial")),
        factor(Factor::ProductSerial, "product_serial", dmi.serial("product_serial")),
    ]
}

/// The field of group G.
pub(crate) fn chassis(dmi: &Dmi<'_>) -> FactorReading {
    factor(Factor::ChassisSerial, "chassis_serial", dmi.serial("chassis_serial"))
}

/// The same fields on a virtual machine or a cloud instance: some hypervisors put the host's numbers there (OpenStack
/// does so with the system serial number), so they are not read.
pub(crate) fn ignored_where_lent(dmi: &Dmi<'_>) -> Vec<Ignored> {
    ["board_serial", "product_serial", "chassis_serial"]
        .into_iter()
        .filter(|field| dmi.has(field))
        .map(|field| Ignored {
            source: field.to_owned(),
            reason: "in a virtual machine or cloud instance it may be the host's, so it does not count"
                .to_owned(),
        })
        .collect()
}

/// A factor of which a machine has one.
pub(crate) fn factor(factor: Factor, source: &str, reading: Reading) -> FactorReading {
    FactorReading { factor, source: source.to_owned(), primary: false, reading }
}
