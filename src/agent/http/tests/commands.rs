//! What administrators may do. The tests run as the agent's own user, who is one.

use super::*;
use crate::front::fixture::{NOON, id, server};
use landfast_protocol::local::{Bindings, CommandReply, History, Licenses, PendingList, Rfc3339, Status};
use landfast_protocol::{Duration as Span, armor};
use serde_json::json;

async fn command(served: &Served, body: Value) -> Reply {
    served.post("/v1/requests", body.to_string()).await
}

async fn held(served: &Served) -> Vec<(String, u32)> {
    let licenses: Licenses = served.get("/v1/licenses").await.json();
    licenses.licenses.into_iter().map(|held| (held.issuer, held.quantity)).collect()
}

#[tokio::test]
async fn d8_activate_then_return_a_part_then_all() {
    let served = Served::new(&["acme"]);
    let licenses = json!([{"id": id(3).reveal()}, {"id": id(5).reveal(), "quantity": null}]);
    let reply: CommandReply =
        command(&served, json!({"command": "activate", "licenses": licenses})).await.json();
    assert!(reply.changed && reply.request.is_none());
    let outcomes: Vec<_> = reply.results.iter().map(|r| (r.action.as_str(), r.outcome.as_str())).collect();
    assert_eq!(outcomes, [("activate", "done"), ("activate", "done")]);
    assert_eq!(held(&served).await.len(), 2);

    let prefix = &served.bench.license(0, 5).to_string()[..8];
    let part = json!({"command": "return", "licenses": [{"id": prefix, "quantity": 2}], "dry_run": true});
    let reply: CommandReply = command(&served, part.clone()).await.json();
    assert!(!reply.changed);
    assert_eq!(reply.results[0].outcome, "possible");
    assert_eq!(reply.results[0].quantity, Some(2));
    assert_eq!(reply.results[0].detail.as_deref(), Some("2 of 5 units of Plant Control would be returned"));
    assert_eq!(held(&served).await.iter().map(|held| held.1).sum::<u32>(), 8);

    let mut part = part;
    part["dry_run"] = json!(false);
    let reply: CommandReply = command(&served, part).await.json();
    assert_eq!((reply.results[0].action.as_str(), reply.results[0].outcome.as_str()), ("return", "done"));
    assert_eq!(held(&served).await.iter().map(|held| held.1).sum::<u32>(), 6);

    let preview: CommandReply =
        command(&served, json!({"command": "return", "all": true, "dry_run": true})).await.json();
    assert_eq!(preview.results.iter().map(|r| r.quantity.unwrap()).sum::<u32>(), 6);
    let reply: CommandReply = command(&served, json!({"command": "return", "all": true})).await.json();
    assert_eq!(reply.results.len(), 2);
    assert_eq!(held(&served).await, []);
    for dry_run in [false, true] {
        let again = command(&served, json!({"command": "return", "all": true, "dry_run": dry_run})).await;
        assert_eq!(again.problem(), (409, "nothing_held".to_owned()));
    }
    served.stop().await;
}

#[tokio::test]
async fn d9_a_request_travels_by_hand_and_comes_back() {
    let served = Served::new(&["acme"]);
    served.bench.reachable(false);
    let body = json!({"command": "activate", "licenses": [{"id": id(3).reveal()}], "delivery": "file"});
    let reply: CommandReply = command(&served, body).await.json();
    let request = reply.request.expect("the reply holds the request");
    assert!(request.starts_with("-----BEGIN LANDFAST REQUEST-----"));
    let pending: PendingList = served.get("/v1/requests").await.json();
    assert_eq!(
        (pending.pending[0].action.as_str(), pending.pending[0].issuer.as_str()),
        ("activate", "acme")
    );

    let response = served.bench.carry(0, &armor::decode(request.as_bytes()).unwrap());
    for form in [armor::encode(&response).unwrap().into_bytes(), response.clone()] {
        let reply: CommandReply = served.post("/v1/responses", form).await.json();
        assert!(reply.results.iter().all(|result| result.outcome == "done"), "{reply:?}");
    }
    assert_eq!(held(&served).await, [("acme".to_owned(), 3)]);
    assert_eq!(served.get("/v1/requests").await.json::<PendingList>().pending, []);

    let mut forged = response.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(served.post("/v1/responses", &forged).await.problem().0, 422);
    assert_eq!(served.post("/v1/responses", "no message").await.problem(), (422, "not_a_message".to_owned()));
    let request = armor::decode(request.as_bytes()).unwrap();
    assert_eq!(served.post("/v1/responses", request).await.problem(), (422, "untrusted_signer".to_owned()));
    let other = Served::new(&["globex", "acme"]);
    let foreign = other.post("/v1/responses", response).await.problem();
    assert_eq!(foreign.0, 422, "it answers a request of another device: {}", foreign.1);
    served.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_message_of_an_unknown_issuer_is_named_as_such() {
    let (two, one) = (Served::new(&["acme", "globex"]), Served::new(&["acme"]));
    let body = json!({"command": "reclaim", "issuer": "globex", "delivery": "file"});
    let reply: CommandReply = command(&two, body).await.json();
    let response = two.bench.carry(1, &armor::decode(reply.request.unwrap().as_bytes()).unwrap());
    assert_eq!(one.post("/v1/responses", response).await.problem(), (422, "foreign_issuer".to_owned()));
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn p7_an_authority_that_is_not_reached_loses_nothing() {
    let served = Served::new(&["acme"]);
    served.bench.reachable(false);
    let body = json!({"command": "activate", "licenses": [{"id": id(3).reveal()}]});
    let problem = command(&served, body).await;
    assert_eq!(problem.problem(), (504, "authority_unreachable".to_owned()));
    let pending: PendingList = served.get("/v1/requests").await.json();
    assert_eq!(pending.pending.len(), 1);
    let prefix = served.bench.license(0, 3).to_string();
    let cancel = json!({"command": "return", "licenses": [{"id": prefix}], "dry_run": true});
    let reply: CommandReply = command(&served, cancel).await.json();
    assert_eq!(reply.results[0].detail.as_deref(), Some("its activation would be cancelled"));
    served.stop().await;
}

#[tokio::test]
async fn e5_reclaim_brings_what_the_vendor_changed() {
    let served = Served::new(&["acme"]);
    served.bench.activate(0, &[3]);
    let mut token = served.bench.token(0, 3);
    token.support_until = Some(NOON.after(Span::days(700)));
    token.quantity = 9;
    served.bench.change(0, token);
    let reply: CommandReply = command(&served, json!({"command": "reclaim"})).await.json();
    assert!(reply.changed, "{reply:?}");
    let licenses: Licenses = served.get("/v1/licenses").await.json();
    assert_eq!(licenses.licenses[0].support_until, Some(Rfc3339(NOON.after(Span::days(700)))));
    assert_eq!(licenses.licenses[0].quantity, 9);
    served.stop().await;
}

#[tokio::test]
async fn b8_a_planned_change_is_shown_and_taken_over() {
    let served = Served::new(&["acme", "globex"]);
    let week = json!({"command": "plan_change", "window_seconds": 604_800});
    assert_eq!(command(&served, week.clone()).await.problem(), (409, "nothing_held".to_owned()));
    served.bench.activate(1, &[3]);
    let none = json!({"command": "plan_change", "window_seconds": 0});
    assert_eq!(command(&served, none).await.problem(), (400, "bad_command".to_owned()));
    let reply: CommandReply = command(&served, week).await.json();
    let told: Vec<_> = reply.results.iter().map(|r| (&*r.issuer, &*r.action, &*r.outcome)).collect();
    assert_eq!(told, [("globex", "plan_change", "done")], "where nothing is held, nothing is bound");

    let shown = async || {
        let status: Status = served.get("/v1/status").await.json();
        let bindings: Bindings = served.get("/v1/binding").await.json();
        assert_eq!(status.issuers[1].planned_change, bindings.issuers[1].planned_change);
        (status.issuers[1].planned_change, bindings.issuers[1].state.clone())
    };
    let (open, _) = shown().await;
    let open = open.unwrap();
    assert_eq!((open.until, open.used_at), (Rfc3339(NOON.after(Span::days(7))), None));
    served.bench.reachable(false);
    served.bench.swap(server("new board", "new disk", "new card"));
    assert_eq!(shown().await.1, "broken");
    served.bench.pass(60);
    let reply: CommandReply = command(&served, json!({"command": "rescan"})).await.json();
    assert!(reply.changed);
    let (used, state) = shown().await;
    assert_eq!((used.unwrap().used_at, &*state), (Some(Rfc3339(NOON.after(Span(60)))), "bound"));
    served.bench.reachable(true);
    let _: CommandReply = command(&served, json!({"command": "reclaim", "issuer": "globex"})).await.json();
    assert_eq!(shown().await, (None, "bound".to_owned()));
    served.stop().await;
}

#[tokio::test]
async fn several_issuers_are_asked_each_for_its_own() {
    let served = Served::new(&["acme", "globex"]);
    let activate = |issuer: Value| json!({"command": "activate", "issuer": issuer, "licenses": [{"id": id(4).reveal()}]});
    assert_eq!(command(&served, activate(Value::Null)).await.problem(), (400, "issuer_needed".to_owned()));
    assert_eq!(command(&served, activate(json!("x"))).await.problem(), (400, "unknown_issuer".to_owned()));
    let _: CommandReply = command(&served, activate(json!("globex"))).await.json();
    served.bench.activate(0, &[3]);
    assert_eq!(held(&served).await, [("acme".to_owned(), 3), ("globex".to_owned(), 4)]);

    let reply: CommandReply = command(&served, json!({"command": "reclaim"})).await.json();
    assert!(reply.results.iter().all(|result| result.outcome == "done"), "{reply:?}");
    let file = json!({"command": "reclaim", "delivery": "file"});
    assert_eq!(command(&served, file).await.problem(), (400, "issuer_needed".to_owned()));

    // The id of a license says whose it is.
    let named = json!({"command": "return", "licenses": [{"id": id(4).reveal()}]});
    let reply: CommandReply = command(&served, named).await.json();
    assert_eq!(reply.results[0].issuer, "globex");
    assert_eq!(held(&served).await, [("acme".to_owned(), 3)]);
    let all: CommandReply = command(&served, json!({"command": "return", "all": true})).await.json();
    assert_eq!((all.results.len(), held(&served).await.len()), (1, 0));
    served.stop().await;
}

#[tokio::test]
async fn commands_that_mean_nothing_are_refused() {
    let served = Served::new(&["acme"]);
    served.bench.activate(0, &[3]);
    let secret = id(9).reveal();
    let bad_input = [
        json!({"command": "explode"}),
        json!({}),
        json!([]),
        json!({"command": "activate"}),
        json!({"command": "activate", "licenses": [{"id": "x"}]}),
        json!({"command": "activate", "licenses": [{"id": secret}], "all": true}),
        json!({"command": "activate", "licenses": [{"id": secret}], "delivery": "pigeon"}),
        json!({"command": "return"}),
        json!({"command": "return", "all": true, "dryrun": true}),
        json!({"command": "return", "licenses": [{"id": id(3).reveal(), "units": 1}]}),
        json!({"command": "return", "licenses": [{"id": "0123"}]}),
        json!({"command": "return", "licenses": [{"id": "not hexadecimal"}]}),
        json!({"command": "return", "licenses": [{"id": secret}], "all": true}),
        json!({"command": "reclaim", "licenses": [{"id": secret}]}),
        json!({"command": "reclaim", "dry_run": true}),
        json!({"command": "reclaim", "window_seconds": 1}),
        json!({"command": "plan_change"}),
        json!({"command": "plan_change", "window_seconds": -1}),
        json!({"command": "plan_change", "window_seconds": 1, "all": true}),
    ];
    for body in bad_input {
        let reply = command(&served, body.clone()).await;
        assert_eq!(reply.problem(), (400, "bad_input".to_owned()), "{body}");
        assert!(!String::from_utf8_lossy(&reply.body).contains(&secret), "{reply}");
    }
    let licenses = |quantity: Value| json!([{"id": id(3).reveal(), "quantity": quantity}]);
    for dry_run in [false, true] {
        for (licenses, status, code) in [
            (licenses(json!(4)), 409, "too_many_units"),
            (licenses(json!(0)), 400, "bad_command"),
            (json!([{"id": secret}]), 409, "not_held"),
            (json!([{"id": "00000000"}]), 409, "not_held"),
        ] {
            let body = json!({"command": "return", "licenses": licenses, "dry_run": dry_run});
            assert_eq!(command(&served, body.clone()).await.problem(), (status, code.to_owned()), "{body}");
        }
    }
    assert_eq!(held(&served).await, [("acme".to_owned(), 3)]);
    served.stop().await;
}

#[tokio::test]
async fn history_is_bounded_and_oldest_first() {
    let served = Served::new(&["acme", "globex"]);
    served.bench.activate(0, &[3]);
    served.bench.pass(100);
    served.bench.activate(1, &[4]);
    let all: History = served.get("/v1/history").await.json();
    assert!(all.entries.len() >= 4 && all.entries.is_sorted_by_key(|entry| entry.at), "{all:?}");
    let last: History = served.get("/v1/history?limit=1").await.json();
    assert_eq!(last.entries[0], *all.entries.last().unwrap());
    let since = Rfc3339(NOON.after(Span(100)));
    let later: History = served.get(&format!("/v1/history?since={since}")).await.json();
    assert!(
        !later.entries.is_empty() && later.entries.iter().all(|entry| entry.issuer == "globex"),
        "{later:?}"
    );
    let one: History = served.get("/v1/history?issuer=acme").await.json();
    assert!(one.entries.iter().all(|entry| entry.issuer == "acme"));
    for wrong in ["limit=0", "limit=1001", "since=yesterday", "issuer=x"] {
        assert_eq!(served.get(&format!("/v1/history?{wrong}")).await.status, 400, "{wrong}");
    }
    served.stop().await;
}

#[tokio::test]
async fn rescan_looks_at_the_hardware() {
    let served = Served::new(&["acme"]);
    let reply: CommandReply = command(&served, json!({"command": "rescan"})).await.json();
    assert_eq!(reply, CommandReply::default());
    served.stop().await;
    let nobody = Served::new(&[]);
    assert_eq!(command(&nobody, json!({"command": "rescan"})).await.problem(), (409, "no_issuer".to_owned()));
    nobody.stop().await;
}

#[tokio::test]
async fn a_full_or_ended_loop_is_told_politely() {
    let (commands, kept) = tokio::sync::mpsc::channel(1);
    let mut bench = Bench::new(&["acme"]);
    bench.desk.commands = commands;
    let served = Served::with(bench, Limits::default(), 64, false);
    let body = json!({"command": "reclaim"}).to_string();
    let first = served.connect().await;
    let (reading, mut writing) = first.into_split();
    writing.write_all(&request("POST", "/v1/requests", "", body.as_bytes())).await.unwrap();
    // The first waits in the queue, which nobody reads.
    let full = async {
        while served.bench.desk.commands.capacity() > 0 {
            tokio::task::yield_now().await;
        }
    };
    soon(full).await;
    let busy = served.post("/v1/requests", &body).await;
    assert_eq!(busy.problem(), (503, "busy".to_owned()));
    assert!(busy.head.contains("retry-after"), "{busy}");
    drop(kept);
    assert_eq!(read_reply(reading).await.problem(), (503, "stopping".to_owned()));
    assert_eq!(served.get("/healthz").await.problem(), (503, "stopping".to_owned()));
    served.stop().await;
}
