//! `landfast check FEATURE`

use super::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::Report;
use crate::screen::{Mood, Screen};
use crate::text::{clean, time};
use landfast_client::Question;
use landfast_client::api::Check;

/// Options of `landfast check`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The feature.
    feature: String,
    /// How much of it is needed.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    quantity: u32,
    /// The version that wants to use it, such as 2.5.1.
    #[arg(long, value_name = "V")]
    version: Option<String>,
}

pub(crate) async fn run(context: &Context<'_>, options: &Options) -> Result<Report, Failure> {
    let mut question = Question::of(&options.feature).quantity(options.quantity);
    if let Some(version) = &options.version {
        question = question.version(version);
    }
    if let Some(issuer) = &context.issuer {
        question = question.issuer(issuer);
    }
    let answer = context.agent.check(&question).await.map_err(|error| Failure::of("check", &error))?;
    if !answer.granted && context.issuer.is_some() {
        // A mistyped issuer grants nothing either; that is another matter than a denial.
        context.status("check").await?;
    }
    let exit = if answer.granted { Exit::Done } else { Exit::Denied };
    Ok(Report::new(render(&answer, context.screen), &answer).exit(exit))
}

fn render(answer: &Check, screen: &Screen) -> String {
    let verdict = match (answer.granted, answer.reason.as_str()) {
        (true, "licensed") => screen.paint(Mood::Good, "granted"),
        (true, _) => screen.paint(Mood::Warning, "granted"),
        (false, _) => screen.paint(Mood::Bad, "denied"),
    };
    let mut text = format!("{}: {verdict}", clean(&answer.feature));
    let mut say = |words: String| text.push_str(&words);
    match answer.reason.as_str() {
        "licensed" => {}
        "grace" => say(" for a limited time".to_owned()),
        reason => say(format!(" ({})", clean(reason))),
    }
    if let Some(issuer) = &answer.issuer {
        say(format!(", issuer {}", clean(issuer)));
    }
    if let Some(license) = &answer.license {
        say(format!(", license {}", license.short()));
    }
    say(format!(", {} usable", answer.quantity));
    match answer.until {
        Some(until) => say(format!(", until {}", time(until))),
        None if answer.granted => say(", without end".to_owned()),
        None => {}
    }
    say("\n".to_owned());
    if let Some(advice) = &answer.advice {
        say(format!("next: {}\n", clean(advice)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfast_client::{LicenseId, Timestamp};

    fn answer() -> Check {
        Check {
            feature: "analytics".to_owned(),
            granted: true,
            quantity: 10,
            issuer: Some("acme".to_owned()),
            license: Some(LicenseId([0xab; 16])),
            state: "licensed".to_owned(),
            reason: "licensed".to_owned(),
            until: Some(landfast_client::api::Rfc3339(Timestamp(1_795_318_260))),
            advice: None,
        }
    }

    #[test]
    fn granted() {
        assert_eq!(
            render(&answer(), &Screen::plain()),
            "analytics: granted, issuer acme, license abababab, 10 usable, until 2026-11-22 03:31 UTC\n"
        );
    }

    #[test]
    fn b13_a_denial_explains_itself() {
        let denied = Check {
            granted: false,
            quantity: 0,
            state: "none".to_owned(),
            reason: "version_exceeded".to_owned(),
            until: None,
            advice: Some("renew the support".to_owned()),
            ..answer()
        };
        assert_eq!(
            render(&denied, &Screen::plain()),
            "analytics: denied (version_exceeded), issuer acme, license abababab, 0 usable\nnext: renew the support\n"
        );
    }

    #[test]
    fn b12_an_advisory_grant_is_told_from_a_full_one() {
        let advisory = Check { reason: "advisory".to_owned(), until: None, ..answer() };
        assert_eq!(
            render(&advisory, &Screen::plain()),
            "analytics: granted (advisory), issuer acme, license abababab, 10 usable, without end\n"
        );
    }
}
