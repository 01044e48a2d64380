//! `landfast return ID...`, `landfast return --all`

use super::outcome::{Told, tell};
use super::{Context, delivery};
use crate::failure::Failure;
use crate::ids;
use crate::report::Report;
use crate::screen::Screen;
use crate::table::Table;
use landfast_client::api::{Carriage, CommandReply, CommandRequest, LicenseChoice, Verb};
use landfast_client::{ActivationId, IssuerId};

/// Options of `landfast return`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// License ids as `landfast licenses` shows them, or activation ids; - reads them from standard input.
    #[arg(value_name = "ID", required_unless_present = "all")]
    ids: Vec<String>,
    /// Everything that is held or still being activated.
    #[arg(long, conflicts_with_all = ["ids", "quantity"])]
    all: bool,
    /// Units of each license to give back; all of them unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    quantity: Option<u32>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Show what would be given back, and do nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    delivery: delivery::ByHand,
}

pub(crate) async fn run(context: &Context<'_>, options: &Options) -> Result<Report, Failure> {
    let failed = |error: &landfast_client::Error| Failure::of("return", error);
    let ids = if options.all { Vec::new() } else { ids::gather("return", &options.ids)? };
    let asked = CommandRequest {
        command: Verb::Return,
        issuer: context.issuer.clone(),
        licenses: ids
            .iter()
            .map(|id| LicenseChoice { id: id.to_ascii_lowercase(), quantity: options.quantity })
            .collect(),
        all: options.all,
        dry_run: true,
        window_seconds: None,
        delivery: Carriage::Online,
    };
    let preview = context.agent.command(&asked).await.map_err(|error| failed(&error))?;
    if options.dry_run {
        let text = format!("{}nothing was done\n", table(&preview, context.screen));
        return Ok(Report::new(text, &preview));
    }
    confirm(options, &preview, context.screen)?;
    let carrier = options.delivery.open("return")?;
    let request = CommandRequest { dry_run: false, delivery: carrier.kind(), ..asked };
    let reply = match context.agent.command(&request).await {
        Ok(reply) => reply,
        Err(error) => {
            carrier.abandon();
            return Err(failed(&error));
        }
    };
    // Only to show what stays and which id was which; the results stand without it.
    let held = context.agent.licenses().await.unwrap_or_default().licenses;
    let issuers: Vec<IssuerId> =
        context.agent.status().await.unwrap_or_default().issuers.iter().map(|issuer| issuer.id).collect();
    let secret: Vec<ActivationId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    let named = |license: &_| ids::find(&secret, &issuers, license).filter(|_| secret.len() == ids.len());
    let told = Told { held: &held, named: &named, by_hand: options.delivery.by_hand() };
    Ok(delivery::tell(tell(&reply, &told), carrier.keep(&reply)?.as_deref()))
}

/// A return is final as soon as the agent has stored it, so somebody has to mean it.
fn confirm(options: &Options, preview: &CommandReply, screen: &Screen) -> Result<(), Failure> {
    if options.yes {
        return Ok(());
    }
    if !screen.person {
        let message = "a return is final, and there is no terminal to confirm it on";
        let advice = "look with --dry-run, then add --yes";
        return Err(Failure::new("return", "confirmation_needed", message, advice));
    }
    let question = "these licenses stop working on this machine at once. Type yes to give them back: ";
    if screen.confirm(&format!("{}{question}", table(preview, screen))) {
        return Ok(());
    }
    Err(Failure::new("return", "not_confirmed", "not confirmed, nothing was done", "type yes to confirm"))
}

fn table(preview: &CommandReply, screen: &Screen) -> String {
    let mut table = Table::new(screen, &["LICENSE", "ISSUER", "UNITS", "WHAT"]);
    for result in &preview.results {
        table.row([
            result.license.map_or_else(|| "-".to_owned(), |license| license.short()),
            result.issuer.clone(),
            result.quantity.map_or_else(|| "all".to_owned(), |units| units.to_string()),
            result.detail.clone().unwrap_or_default(),
        ]);
    }
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use landfast_client::LicenseId;
    use landfast_client::api::OperationResult;

    fn preview() -> CommandReply {
        let result = OperationResult {
            issuer: "acme".to_owned(),
            action: "return".to_owned(),
            license: Some(LicenseId([0xab; 16])),
            quantity: Some(2),
            outcome: "possible".to_owned(),
            detail: Some("2 of 5 units of Plant View would be returned".to_owned()),
            ..OperationResult::default()
        };
        CommandReply { results: vec![result], changed: false, request: None }
    }

    fn options(yes: bool) -> Options {
        let delivery = delivery::ByHand::default();
        Options { ids: Vec::new(), all: true, quantity: None, yes, dry_run: false, delivery }
    }

    #[test]
    fn without_a_terminal_a_return_needs_yes() {
        let failure = confirm(&options(false), &preview(), &Screen::plain()).unwrap_err();
        assert_eq!((failure.code.as_str(), failure.exit), ("confirmation_needed", Exit::Usage));
        assert_eq!(confirm(&options(true), &preview(), &Screen::plain()), Ok(()));
    }

    #[test]
    fn what_would_go_is_shown() {
        assert_eq!(
            table(&preview(), &Screen::plain()),
            "\
LICENSE   ISSUER  UNITS  WHAT
abababab  acme    2      2 of 5 units of Plant View would be returned
"
        );
    }
}
