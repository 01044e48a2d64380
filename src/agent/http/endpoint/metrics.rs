//! `GET /metrics`: the state of the device in the text format of Prometheus.

use crate::front::{Fault, shapes};
use crate::http::body::Body;
use crate::http::face::Face;
use crate::http::input::Target;
use crate::http::reply;
use hyper::Response;
use hyper::header::HeaderValue;
use landfast_core::runway::runway;
use landfast_core::view::{BindingState, IssuerView};
use landfast_core::{Decision, Moment, Snapshot};
use std::fmt::{self, Display, Write};

const STATES: [BindingState; 5] = [
    BindingState::Unbound,
    BindingState::Bound,
    BindingState::Drifted,
    BindingState::Broken,
    BindingState::Indeterminate,
];

/// Answers from the snapshot and the counters.
pub fn answer(face: &Face, target: Target<'_>) -> Result<Response<Body>, Fault> {
    let [] = target.parameters([])?;
    let mut text = String::with_capacity(4096);
    // Writing into a string does not fail.
    let _ = write(&mut text, face);
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(reply::with_type(Body::whole(text), content_type))
}

fn write(out: &mut String, face: &Face) -> fmt::Result {
    let snapshot = face.desk.snapshot.load();
    let now = (face.desk.clock)();
    family(out, "landfast_build_info", "gauge", "Release and trust of the agent; always 1.")?;
    let version = env!("CARGO_PKG_VERSION");
    writeln!(out, "landfast_build_info{{version=\"{version}\",trust=\"{}\"}} 1", face.desk.trust)?;
    binding(out, &snapshot)?;
    per_issuer(out, &snapshot)?;
    features(out, &shapes::decisions(&snapshot, &now), &snapshot, &now)?;
    family(out, "landfast_http_requests_total", "counter", "Answers of the local HTTP interface.")?;
    for (path, method, class, count) in face.counted() {
        if count > 0 {
            let labels = format_args!("path=\"{path}\",method=\"{method}\",status=\"{class}\"");
            writeln!(out, "landfast_http_requests_total{{{labels}}} {count}")?;
        }
    }
    Ok(())
}

fn binding(out: &mut String, snapshot: &Snapshot) -> fmt::Result {
    family(out, "landfast_binding_state", "gauge", "Verdict on the hardware: 1 for the state in force.")?;
    for view in &snapshot.issuers {
        for state in STATES {
            let (issuer, is) = (Label(&view.name), u8::from(view.binding.state == state));
            writeln!(out, "landfast_binding_state{{issuer=\"{issuer}\",state=\"{}\"}} {is}", state.name())?;
        }
    }
    Ok(())
}

/// Reads one value of one issuer.
type Gauge = fn(&IssuerView) -> f64;

fn per_issuer(out: &mut String, snapshot: &Snapshot) -> fmt::Result {
    let families: [(&str, &str, Gauge); 5] = [
        ("landfast_binding_score_ratio", "Matched over readable weight of the hardware.", |view| {
            f64::from(view.binding.score_permille) / 1000.0
        }),
        ("landfast_licenses", "Licenses held.", |view| count(view.licenses.len())),
        ("landfast_pending_operations", "Operations without a final result.", |view| {
            count(view.pending.len())
        }),
        (
            "landfast_contact_failed_attempts",
            "Failed attempts at the request that waits for its answer.",
            |view| f64::from(view.contact.attempts),
        ),
        ("landfast_alerts", "Conditions that need a person; see landfast status.", |view| {
            count(view.alerts.len())
        }),
    ];
    for (name, help, value) in families {
        family(out, name, "gauge", help)?;
        for view in &snapshot.issuers {
            writeln!(out, "{name}{{issuer=\"{}\"}} {}", Label(&view.name), value(view))?;
        }
    }
    Ok(())
}

fn count(items: usize) -> f64 {
    u32::try_from(items).map_or(f64::INFINITY, f64::from)
}

fn features(
    out: &mut String,
    decisions: &[(&str, Decision<'_>)],
    snapshot: &Snapshot,
    now: &Moment,
) -> fmt::Result {
    family(out, "landfast_feature_granted", "gauge", "1 while a check for one unit is granted.")?;
    for (feature, decision) in decisions {
        writeln!(
            out,
            "landfast_feature_granted{{feature=\"{}\"}} {}",
            Label(feature),
            u8::from(decision.granted)
        )?;
    }
    family(
        out,
        "landfast_feature_runway_seconds",
        "gauge",
        "How long a feature stays granted if nothing changes; +Inf without an end, 0 when denied.",
    )?;
    for (feature, decision) in decisions {
        let runway = runway(snapshot, feature, now);
        let issuer = if runway.issuer.is_empty() { decision.issuer } else { runway.issuer };
        let (name, issuer) = (Label(feature), Label(issuer));
        write!(out, "landfast_feature_runway_seconds{{feature=\"{name}\",issuer=\"{issuer}\"}} ")?;
        match runway.left {
            Some(left) => writeln!(out, "{}", left.0)?,
            None => writeln!(out, "+Inf")?,
        }
    }
    Ok(())
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

/// A label's value, escaped.
struct Label<'a>(&'a str);

impl Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\\' => f.write_str("\\\\"),
            '"' => f.write_str("\\\""),
            '\n' => f.write_str("\\n"),
            c => f.write_char(c),
        })
    }
}
