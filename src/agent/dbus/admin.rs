//! io.landfast.Admin1: what changes licenses. For root and the agent's own user; the bus is asked who calls.

use crate::dbus::error::Trouble;
use crate::desk::Desk;
use crate::front::{Fault, command, is_administrator, shapes};
use landfast_protocol::frame::MAX_FRAME;
use landfast_protocol::local::{
    Carriage, CommandReply, CommandRequest, LicenseChoice, OperationResult, Pending, Verb,
};
use zbus::fdo::ConnectionCredentials;
use zbus::{Connection, message::Header};

/// A frame of the largest size in armor.
const LARGEST: usize = MAX_FRAME * 3 / 2;

/// The object.
pub struct Admin {
    pub desk: Desk,
    /// The agent's own user.
    pub uid: u32,
}

/// issuer, operation, action, license, quantity (0 where unknown), outcome, reason, detail, advice.
type Outcome = (String, String, String, String, u32, String, String, String, String);
/// What became of each operation, whether anything changed here, and the request in armor if it travels by file.
type Reply = (Vec<Outcome>, bool, String);
/// issuer, operation, action, license, quantity (0 for the usual share or all), since (seconds since 1970), case.
type Waiting = (String, String, String, String, u32, i64, String);

#[zbus::interface(name = "io.landfast.Admin1", introspection_docs = false)]
impl Admin {
    /// Takes licenses: activation ids with units, 0 for the usual share. An empty issuer stands for the only one.
    #[zbus(out_args("results", "changed", "request"))]
    async fn activate(
        &self,
        licenses: Vec<(String, u32)>,
        issuer: String,
        by_file: bool,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(Vec<Outcome>, bool, String), Trouble> {
        self.permit(connection, &header).await?;
        let asked = CommandRequest { licenses: choices(licenses), ..asked(Verb::Activate, issuer, by_file) };
        self.run(asked).await
    }

    /// Gives licenses back: activation ids, license ids or their beginnings, with units, 0 for all of them.
    #[zbus(out_args("results", "changed", "request"))]
    async fn r#return(
        &self,
        licenses: Vec<(String, u32)>,
        issuer: String,
        by_file: bool,
        dry_run: bool,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(Vec<Outcome>, bool, String), Trouble> {
        self.permit(connection, &header).await?;
        let base = asked(Verb::Return, issuer, by_file);
        self.run(CommandRequest { licenses: choices(licenses), dry_run, ..base }).await
    }

    /// Gives everything back; an empty issuer stands for all of them.
    #[zbus(out_args("results", "changed", "request"))]
    async fn return_all(
        &self,
        issuer: String,
        by_file: bool,
        dry_run: bool,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(Vec<Outcome>, bool, String), Trouble> {
        self.permit(connection, &header).await?;
        let base = asked(Verb::Return, issuer, by_file);
        self.run(CommandRequest { all: true, dry_run, ..base }).await
    }

    /// Gets the latest license information; an empty issuer stands for all of them.
    #[zbus(out_args("results", "changed", "request"))]
    async fn reclaim(
        &self,
        issuer: String,
        by_file: bool,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(Vec<Outcome>, bool, String), Trouble> {
        self.permit(connection, &header).await?;
        self.run(asked(Verb::Reclaim, issuer, by_file)).await
    }

    /// Announces a swap of hardware within so many seconds; an empty issuer stands for all of whom something is held.
    #[zbus(out_args("results", "changed", "request"))]
    async fn plan_change(
        &self,
        window_seconds: u64,
        issuer: String,
        by_file: bool,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(Vec<Outcome>, bool, String), Trouble> {
        self.permit(connection, &header).await?;
        let base = asked(Verb::PlanChange, issuer, by_file);
        self.run(CommandRequest { window_seconds: Some(window_seconds), ..base }).await
    }

    /// Applies a response that was carried by hand, raw or in armor.
    #[zbus(out_args("results", "changed", "request"))]
    async fn import(
        &self,
        response: &[u8],
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(Vec<Outcome>, bool, String), Trouble> {
        self.permit(connection, &header).await?;
        if response.len() > LARGEST {
            return Err(Fault::TooLarge { limit: LARGEST }.into());
        }
        Ok(reply(command::import(&self.desk, response).await?))
    }

    /// Looks at the hardware now; true when that changed a verdict or a score.
    #[zbus(out_args("changed"))]
    async fn rescan(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<bool, Trouble> {
        self.permit(connection, &header).await?;
        Ok(command::rescan(&self.desk).await?.changed)
    }

    /// Operations that wait for their final result.
    #[zbus(out_args("pending"))]
    async fn pending(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<Vec<Waiting>, Trouble> {
        self.permit(connection, &header).await?;
        let snapshot = self.desk.snapshot.load();
        let all = snapshot.issuers.iter().flat_map(|view| {
            view.pending.iter().map(|pending| waiting(shapes::pending(&view.name, pending)))
        });
        Ok(all.collect())
    }
}

impl Admin {
    /// Refuses everybody who is not known to be an administrator.
    async fn permit(&self, connection: &Connection, header: &Header<'_>) -> Result<(), Trouble> {
        match caller(connection, header).await {
            Some(uid) if is_administrator(uid, self.uid) => Ok(()),
            _ => Err(Fault::NotPermitted.into()),
        }
    }

    async fn run(&self, asked: CommandRequest) -> Result<Reply, Trouble> {
        Ok(reply(command::run(&self.desk, &asked).await?))
    }
}

/// The uid of the caller, which the bus knows from the kernel; without a bus, the kernel itself.
async fn caller(connection: &Connection, header: &Header<'_>) -> Option<u32> {
    if !connection.is_bus() {
        return connection.peer_creds().await.ok()?.unix_user_id();
    }
    let bus = "org.freedesktop.DBus";
    let method = "GetConnectionCredentials";
    let sender = header.sender()?.as_str();
    let known = connection.call_method(Some(bus), "/org/freedesktop/DBus", Some(bus), method, &sender).await;
    known.ok()?.body().deserialize::<ConnectionCredentials>().ok()?.unix_user_id()
}

fn asked(command: Verb, issuer: String, by_file: bool) -> CommandRequest {
    CommandRequest {
        command,
        issuer: (!issuer.is_empty()).then_some(issuer),
        licenses: Vec::new(),
        all: false,
        dry_run: false,
        window_seconds: None,
        delivery: if by_file { Carriage::File } else { Carriage::Online },
    }
}

fn choices(licenses: Vec<(String, u32)>) -> Vec<LicenseChoice> {
    let choice = |(id, units)| LicenseChoice { id, quantity: (units > 0).then_some(units) };
    licenses.into_iter().map(choice).collect()
}

fn reply(reply: CommandReply) -> Reply {
    let results = reply.results.into_iter().map(outcome).collect();
    (results, reply.changed, reply.request.unwrap_or_default())
}

fn outcome(result: OperationResult) -> Outcome {
    let text = Option::unwrap_or_default;
    (
        result.issuer,
        result.operation.map(|id| id.to_string()).unwrap_or_default(),
        result.action,
        result.license.map(|id| id.to_string()).unwrap_or_default(),
        result.quantity.unwrap_or(0),
        result.outcome,
        text(result.reason),
        text(result.detail),
        text(result.advice),
    )
}

fn waiting(pending: Pending) -> Waiting {
    (
        pending.issuer,
        pending.operation.to_string(),
        pending.action,
        pending.license.map(|id| id.to_string()).unwrap_or_default(),
        pending.quantity.unwrap_or(0),
        i64::try_from(pending.since.0.0).unwrap_or(i64::MAX),
        pending.case.unwrap_or_default(),
    )
}
