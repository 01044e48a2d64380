//! What everybody may read.

use super::*;
use crate::front::fixture::{NOON, server};
use landfast_protocol::local::{
    Bindings, Check, Entitlements, Licenses, Problem, Prospects, Rfc3339, Runway, Runways, Status,
};
use landfast_protocol::{Duration as Span, Timestamp};

#[tokio::test]
async fn d5_a_check_answers_with_exactly_the_documented_members() {
    let served = Served::new(&["acme"]);
    served.bench.activate(0, &[3]);
    let reply = served.get("/v1/entitlements/f3?quantity=2&version=2.5.1&issuer=acme").await;
    let raw: Value = serde_json::from_slice(&reply.body).unwrap();
    let mut members = keys(&raw);
    members.sort_unstable();
    let expected =
        ["advice", "feature", "granted", "issuer", "license", "quantity", "reason", "state", "until"];
    assert_eq!(members, expected);
    let check: Check = reply.json();
    assert_eq!(
        check,
        Check {
            feature: "f3".to_owned(),
            granted: true,
            quantity: 3,
            issuer: Some("acme".to_owned()),
            license: Some(served.bench.license(0, 3)),
            state: "licensed".to_owned(),
            reason: "licensed".to_owned(),
            until: Some(Rfc3339(NOON.after(Span::days(365)))),
            advice: None,
        }
    );
    assert!(reply.head.contains("content-type: application/json"), "{reply}");
    served.stop().await;
}

#[tokio::test]
async fn b13_a_denial_is_an_answer_that_explains_itself() {
    let served = Served::new(&["acme"]);
    served.bench.activate(0, &[3]);
    for (target, reason) in [
        ("f3?quantity=4", "quantity_exceeded"),
        ("f3?version=2.6", "version_exceeded"),
        ("nothing", "not_licensed"),
        ("caf%C3%A9%20%22x%22", "not_licensed"),
        ("f3?issuer=other", "not_licensed"),
    ] {
        let check: Check = served.get(&format!("/v1/entitlements/{target}")).await.json();
        assert!(!check.granted, "{target}");
        assert_eq!(check.reason, reason, "{target}");
        assert!(check.advice.is_some_and(|advice| !advice.is_empty()), "{target}");
    }
    let check: Check = served.get("/v1/entitlements/caf%C3%A9%20%22x%22").await.json();
    assert_eq!(check.feature, "café \"x\"");
    assert_eq!((check.issuer, check.license, check.until), (None, None, None));
    served.stop().await;
}

#[tokio::test]
async fn misspelt_checks_are_refused() {
    let served = Served::new(&["acme"]);
    let long = format!("/v1/entitlements/{}", "x".repeat(65));
    for target in [
        "/v1/entitlements/f?quantiy=2",
        "/v1/entitlements/f?quantity=0",
        "/v1/entitlements/f?quantity=-1",
        "/v1/entitlements/f?quantity=4294967296",
        "/v1/entitlements/f?version=new",
        "/v1/entitlements/f?quantity=1&quantity=1",
        "/v1/entitlements/%ff",
        "/v1/status?x",
        &long,
    ] {
        assert_eq!(served.get(target).await.problem(), (400, "bad_input".to_owned()), "{target}");
    }
    for target in ["/", "/v1", "/v1/entitlements/", "/v1/entitlements/a/b", "/v1/Status"] {
        assert_eq!(served.get(target).await.problem(), (404, "not_found".to_owned()), "{target}");
    }
    let reply = served.send(&request("DELETE", "/v1/status", "", b"")).await;
    assert_eq!(reply.problem(), (405, "method_not_allowed".to_owned()));
    assert!(reply.head.contains("allow: GET, HEAD\r\n"), "{reply}");
    served.stop().await;
}

#[tokio::test]
async fn the_rest_is_read_from_the_same_snapshot() {
    let served = Served::new(&["acme", "globex"]);
    served.bench.activate(0, &[3, 5]);
    served.bench.activate(1, &[4]);

    let all: Entitlements = served.get("/v1/entitlements").await.json();
    let names: Vec<_> =
        all.entitlements.iter().map(|check| (check.feature.as_str(), check.granted)).collect();
    assert_eq!(names, [("f3", true), ("f4", true), ("f5", true)]);
    let one: Check = served.get("/v1/entitlements/f4").await.json();
    assert_eq!(all.entitlements[1], one);

    let licenses: Licenses = served.get("/v1/licenses").await.json();
    assert_eq!(licenses.licenses.len(), 3);
    let held = licenses.licenses.iter().find(|held| held.license == served.bench.license(1, 4)).unwrap();
    assert_eq!((held.issuer.as_str(), held.product.as_str(), held.quantity), ("globex", "Plant Control", 4));
    assert_eq!(held.support_until, Some(Rfc3339(NOON.after(Span::days(90)))));
    assert_eq!(held.features[0].version_limit.as_deref(), Some("2.5"));

    served.bench.pass(60);
    let status: Status = served.get("/v1/status").await.json();
    assert_eq!(status.trust, "development");
    assert_eq!(status.version, env!("CARGO_PKG_VERSION"));
    let issuer = &status.issuers[0];
    assert_eq!((issuer.name.as_str(), issuer.licenses, issuer.pending, issuer.counter), ("acme", 2, 0, 1));
    assert_eq!(issuer.licensing_time, Rfc3339(Timestamp(NOON.0 + 60)));
    assert_eq!(issuer.binding.state, "bound");
    assert_eq!(issuer.grant.as_ref().map(|grant| grant.sequence), Some(1));
    assert!(issuer.contact.last_answer.is_some());
    served.stop().await;
}

#[tokio::test]
async fn d3_the_binding_explains_itself_and_masks_values() {
    let served = Served::new(&["acme"]);
    served.bench.activate(0, &[3]);
    served.bench.swap(server("board", "other", "card"));
    let reply = served.get("/v1/binding").await;
    let bindings: Bindings = reply.json();
    let binding = &bindings.issuers[0];
    assert_eq!((binding.issuer.as_str(), binding.state.as_str()), ("acme", "bound"));
    let disks = binding.groups.iter().find(|group| group.group == "disks").unwrap();
    assert_eq!(disks.state, "changed");
    assert!(!disks.advice.is_empty());
    assert!(disks.factors[0].masked.as_deref().is_some_and(|masked| masked.contains('…')), "{disks:?}");
    assert!(!String::from_utf8_lossy(&reply.body).contains("serial-of"), "{reply}");

    served.bench.swap(server("another", "other", "another"));
    let bindings: Bindings = served.get("/v1/binding").await.json();
    let binding = &bindings.issuers[0];
    assert_eq!(binding.state, "broken");
    assert_eq!(binding.broken_since, Some(Rfc3339(NOON)));
    assert_eq!(binding.grace_until, Some(Rfc3339(NOON.after(Span::days(14)))));
    let check: Check = served.get("/v1/entitlements/f3").await.json();
    assert_eq!((check.granted, check.reason.as_str()), (true, "grace"));
    served.stop().await;
}

#[tokio::test]
async fn health_and_metrics() {
    let served = Served::new(&["acme"]);
    served.bench.activate(0, &[3]);
    assert_eq!(served.get("/healthz").await.body, b"{\"status\":\"ok\"}");
    let _: Check = served.get("/v1/entitlements/f3").await.json();
    assert_eq!(served.get("/nowhere").await.status, 404);
    let reply = served.get("/metrics").await;
    assert!(reply.head.contains("content-type: text/plain; version=0.0.4"), "{reply}");
    let text = String::from_utf8(reply.body).unwrap();
    for line in [
        "landfast_binding_state{issuer=\"acme\",state=\"bound\"} 1",
        "landfast_binding_state{issuer=\"acme\",state=\"broken\"} 0",
        "landfast_binding_score_ratio{issuer=\"acme\"} 1",
        "landfast_licenses{issuer=\"acme\"} 1",
        "landfast_pending_operations{issuer=\"acme\"} 0",
        "landfast_contact_failed_attempts{issuer=\"acme\"} 0",
        "landfast_feature_granted{feature=\"f3\"} 1",
        "landfast_feature_runway_seconds{feature=\"f3\",issuer=\"acme\"} 31536000",
        "landfast_http_requests_total{path=\"/v1/entitlements/{feature}\",method=\"GET\",status=\"2xx\"} 1",
        "landfast_http_requests_total{path=\"other\",method=\"other\",status=\"4xx\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing from\n{text}");
    }
    served.stop().await;
}

#[tokio::test]
async fn one_connection_serves_many_requests_and_head() {
    let served = Served::new(&["acme"]);
    let mut stream = served.connect().await;
    for _ in 0..3 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut buffer = [0; 1024];
        let read = soon(stream.read(&mut buffer)).await.unwrap();
        assert!(buffer[..read].ends_with(b"{\"status\":\"ok\"}"));
    }
    let head = served.send(&request("HEAD", "/healthz", "", b"")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert!(head.head.contains("content-length: 15"), "{head}");
    served.stop().await;
}

#[tokio::test]
async fn b7_what_if_foretells_a_verdict_and_changes_nothing() {
    let served = Served::new(&["acme"]);
    served.bench.activate(0, &[3]);
    let found: Prospects = served.get("/v1/what-if?replace=board").await.json();
    let [prospect] = &found.issuers[..] else { panic!("{found:?}") };
    assert_eq!((prospect.state.as_str(), prospect.score_permille), ("bound", 1000));
    assert_eq!(prospect.would_be, "broken");
    assert!(prospect.would_score_permille < 500 && prospect.advice.contains("plan-change"), "{prospect:?}");
    assert_eq!(prospect.grace_seconds, 14 * 86_400);
    let after: Bindings = served.get("/v1/binding").await.json();
    assert_eq!(after.issuers[0].state, "bound");
    for (query, said) in [
        ("", "`replace` is missing"),
        ("?replace=", "is no part; name board, cpu"),
        ("?replace=nic:eth9", "no network card called"),
        ("?replace=board&why=1", "this path takes: replace"),
    ] {
        let reply = served.get(&format!("/v1/what-if{query}")).await;
        assert_eq!(reply.problem(), (400, "bad_input".to_owned()), "{query}");
        let problem: Problem = serde_json::from_slice(&reply.body).unwrap();
        assert!(problem.detail.contains(said), "{query}: {}", problem.detail);
    }
    let many = "replace=cpu&".repeat(65);
    assert_eq!(served.get(&format!("/v1/what-if?{many}")).await.status, 400);
    served.stop().await;
}

#[tokio::test]
async fn b9_the_runway_of_each_feature() {
    let served = Served::new(&["acme"]);
    served.bench.activate(0, &[3, 4]);
    let found: Runways = served.get("/v1/runway").await.json();
    let runway = Runway {
        feature: "f3".to_owned(),
        issuer: Some("acme".to_owned()),
        seconds: Some(365 * 86_400),
        until: Some(Rfc3339(NOON.after(Span::days(365)))),
        reason: "expired".to_owned(),
        advice: Some("renew the license with the vendor, then run `landfast reclaim`".to_owned()),
    };
    assert_eq!(found.features[0], runway);
    assert_eq!(found.features.len(), 2);
    served.bench.swap(server("other", "another", "third"));
    let found: Runways = served.get("/v1/runway").await.json();
    let first = &found.features[0];
    assert_eq!((first.seconds, first.reason.as_str()), (Some(14 * 86_400), "binding_broken"));
    served.stop().await;
}
