//! io.landfast.Binding1: how the hardware compares with the one that was licensed.

/// issuer, group, state, weight, matched thousandths of a point, advice, and its factors as read now.
pub type Group = (String, String, String, u32, u32, String, Vec<Factor>);
/// factor, source, state, masked value, note.
pub type Factor = (String, String, String, String, String);

/// io.landfast.Binding1. With several issuers, state, score and threshold are those of the worst verdict.
#[zbus::proxy(
    interface = "io.landfast.Binding1",
    default_service = "io.landfast.Agent1",
    default_path = "/io/landfast/Agent1",
    async_name = "BindingProxy"
)]
pub trait Binding {
    /// `unbound`, `bound`, `drifted`, `broken` or `indeterminate`.
    #[zbus(property)]
    fn state(&self) -> zbus::Result<String>;

    /// Matched over readable weight, in thousandths.
    #[zbus(property(emits_changed_signal = "false"))]
    fn score(&self) -> zbus::Result<u32>;

    /// From this score on, in thousandths, the machine is the same.
    #[zbus(property(emits_changed_signal = "false"))]
    fn threshold(&self) -> zbus::Result<u32>;

    /// Each group of evidence, for each issuer.
    #[zbus(property(emits_changed_signal = "false"))]
    fn factors(&self) -> zbus::Result<Vec<Group>>;

    /// The state changed.
    #[zbus(signal)]
    fn changed(&self, from: &str, to: &str) -> zbus::Result<()>;
}
