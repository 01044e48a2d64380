//! `openapi.json` says what the route table and the shapes say.

use super::*;
use crate::http::endpoint::openapi::DOCUMENT;
use crate::http::route::ROUTES;
use landfast_core::Reason;
use landfast_protocol::local::*;
use landfast_protocol::{DeviceId, IssuerId, LicenseId, OperationId};
use serde::Serialize;
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

#[test]
fn the_document_has_exactly_the_routes_of_the_table() {
    let document = document();
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let access = operation["x-access"].as_str().unwrap();
            described.insert((method.to_uppercase(), path.clone(), access.to_owned()));
            let problem = &operation["responses"]["default"]["content"]["application/problem+json"];
            assert_eq!(problem["schema"]["$ref"], "#/components/schemas/Problem", "{method} {path}");
        }
    }
    let table = ROUTES
        .iter()
        .map(|route| (route.method.to_string(), route.path.to_owned(), route.access.name().to_owned()));
    assert_eq!(described, table.collect());
}

/// A schema has the members that serde writes, no more, and takes for required what is always written.
fn assert_shape<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str, sample: T) {
    let document = document();
    let schema = &document["components"]["schemas"][name];
    let written = serde_json::to_value(&sample).unwrap();
    let members: BTreeSet<&str> = keys(&written).into_iter().collect();
    let described: BTreeSet<&str> = keys(&schema["properties"]).into_iter().collect();
    assert_eq!(members, described, "{name}");
    for (member, value) in written.as_object().unwrap() {
        assert!(fits(&schema["properties"][member], value), "{name}.{member}: {value}");
    }
    // What a newer agent adds is no hindrance.
    let mut more = written.clone();
    more["from_the_future"] = Value::Bool(true);
    assert_eq!(serde_json::from_value::<T>(more).unwrap(), sample, "{name}");
    // Only what the schema requires must be there.
    let required = schema["required"].as_array().unwrap();
    assert!(required.iter().all(|member| members.contains(member.as_str().unwrap())), "{name}");
}

fn fits(schema: &Value, value: &Value) -> bool {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => return schema.get("$ref").is_some() || schema.get("oneOf").is_some(),
    };
    match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(several) => several.iter().any(|one| one == kind),
        _ => {
            value.is_null()
                && schema["oneOf"].as_array().is_some_and(|any| any.iter().any(|s| s["type"] == "null"))
        }
    }
}

#[test]
fn the_schemas_are_the_shapes() {
    let license = LicenseId([1; 16]);
    let operation = OperationId([2; 16]);
    assert_shape("Check", Check::default());
    assert_shape(
        "Check",
        Check { license: Some(license), until: Some(Rfc3339::default()), ..Check::default() },
    );
    assert_shape("Entitlements", Entitlements::default());
    assert_shape("Bindings", Bindings::default());
    assert_shape("Binding", Binding { broken_since: Some(Rfc3339::default()), ..Binding::default() });
    let planned = PlannedChange { operation, until: Rfc3339::default(), used_at: Some(Rfc3339::default()) };
    assert_shape("PlannedChange", planned);
    assert_shape("Binding", Binding { planned_change: Some(planned), ..Binding::default() });
    assert_shape("Group", Group::default());
    assert_shape("Factor", Factor { masked: Some("a…b".to_owned()), ..Factor::default() });
    assert_shape("Runways", Runways::default());
    assert_shape("Runway", Runway { seconds: Some(1), until: Some(Rfc3339::default()), ..Runway::default() });
    assert_shape("Prospects", Prospects::default());
    assert_shape("Prospect", Prospect::default());
    assert_shape("ProspectGroup", ProspectGroup::default());
    assert_shape("Licenses", Licenses::default());
    let held = License {
        issuer: "acme".to_owned(),
        license,
        product: String::new(),
        model: String::new(),
        quantity: 1,
        not_before: Rfc3339::default(),
        not_after: None,
        support_until: Some(Rfc3339::default()),
        features: vec![Feature::default()],
    };
    assert_shape("License", held);
    assert_shape("Feature", Feature::default());
    assert_shape("History", History::default());
    assert_shape("HistoryEntry", HistoryEntry::default());
    assert_shape("Status", Status::default());
    let issuer = IssuerStatus {
        name: "acme".to_owned(),
        id: IssuerId([3; 16]),
        device: DeviceId([4; 32]),
        counter: 1,
        licensing_time: Rfc3339::default(),
        grant: None,
        binding: BindingSummary::default(),
        planned_change: None,
        licenses: 0,
        pending: 0,
        contact: Contact::default(),
        alerts: Vec::new(),
    };
    assert_shape("IssuerStatus", issuer.clone());
    assert_shape("IssuerStatus", IssuerStatus { grant: Some(Grant::default()), ..issuer });
    assert_shape("Grant", Grant { hold: Some(Hold::default()), ..Grant::default() });
    assert_shape("Hold", Hold::default());
    assert_shape("BindingSummary", BindingSummary::default());
    assert_shape("Contact", Contact::default());
    assert_shape("Alert", Alert::default());
    assert_shape("PendingList", PendingList::default());
    let pending = Pending {
        issuer: "acme".to_owned(),
        operation,
        action: "activate".to_owned(),
        license: Some(license),
        quantity: None,
        since: Rfc3339::default(),
        case: None,
    };
    assert_shape("Pending", pending);
    let command = CommandRequest {
        command: Verb::Rescan,
        issuer: None,
        licenses: vec![LicenseChoice::default()],
        all: false,
        dry_run: false,
        window_seconds: Some(604_800),
        delivery: Carriage::File,
    };
    assert_shape("CommandRequest", command);
    assert_shape("LicenseChoice", LicenseChoice { quantity: Some(3), ..LicenseChoice::default() });
    assert_shape("CommandReply", CommandReply::default());
    assert_shape(
        "OperationResult",
        OperationResult { operation: Some(operation), ..OperationResult::default() },
    );
    assert_shape("Problem", Problem::default());
    assert_shape("Changed", Changed::default());
    assert_shape("BindingChanged", BindingChanged::default());
    let document = document();
    let shapes = document["components"]["schemas"].as_object().unwrap().len();
    assert_eq!(shapes, 34, "each schema is checked above, but Health, which is text");
}

#[test]
fn closed_lists_are_whole() {
    let document = document();
    let listed = |schema: &str, member: &str| -> Vec<String> {
        let list = &document["components"]["schemas"][schema]["properties"][member]["enum"];
        serde_json::from_value(list.clone()).unwrap()
    };
    assert_eq!(listed("Check", "reason"), Reason::ALL.map(|reason| reason.code().to_owned()));
    let groups = landfast_protocol::evidence::Group::ALL.map(|group| group.name().to_owned());
    assert_eq!(listed("Group", "group"), groups);
    for verb in listed("CommandRequest", "command") {
        assert!(serde_json::from_value::<Verb>(Value::String(verb)).is_ok());
    }
    for delivery in listed("CommandRequest", "delivery") {
        assert!(serde_json::from_value::<Carriage>(Value::String(delivery)).is_ok());
    }
}

#[tokio::test]
async fn the_committed_document_is_served() {
    let served = Served::new(&["acme"]);
    assert_eq!(served.get("/openapi.json").await.json::<Value>(), document());
    served.stop().await;
}
