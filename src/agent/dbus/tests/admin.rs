//! What administrators may do. The caller is the agent's own user, who is one.

use super::*;
use crate::front::fixture::id;
use landfast_protocol::armor;

type Outcome = (String, String, String, String, u32, String, String, String, String);
type Reply = (Vec<Outcome>, bool, String);

async fn admin<B: serde::Serialize + DynamicType>(pair: &Pair, method: &str, body: &B) -> Reply {
    pair.call(ADMIN, method, body).await.unwrap().body().deserialize().unwrap()
}

fn held(pair: &Pair) -> Vec<u32> {
    let snapshot = pair.bench.desk.snapshot.load();
    snapshot.issuers.iter().flat_map(|view| view.licenses.iter().map(|held| held.quantity)).collect()
}

#[tokio::test]
async fn d8_activate_and_return_over_dbus() {
    let pair = Pair::new(&["acme"]).await;
    let licenses = vec![(id(3).reveal(), 0u32), (id(5).reveal(), 0)];
    let (results, changed, request) = admin(&pair, "Activate", &(licenses, "acme", false)).await;
    assert!(changed && request.is_empty());
    let license = pair.bench.license(0, 3).to_string();
    let first = results.iter().find(|result| result.3 == license).unwrap();
    assert_eq!((first.0.as_str(), first.2.as_str(), first.5.as_str()), ("acme", "activate", "done"));
    assert_eq!(held(&pair).iter().sum::<u32>(), 8);

    let some = vec![(license[..8].to_owned(), 2u32)];
    let (results, changed, _) = admin(&pair, "Return", &(&some, "", false, true)).await;
    assert_eq!((results[0].4, results[0].5.as_str(), changed), (2, "possible", false));
    assert_eq!(held(&pair).iter().sum::<u32>(), 8);
    let (results, changed, _) = admin(&pair, "Return", &(&some, "", false, false)).await;
    assert_eq!((results[0].5.as_str(), changed), ("done", true));
    assert_eq!(held(&pair).iter().sum::<u32>(), 6);

    let (results, ..) = admin(&pair, "ReturnAll", &("", false, true)).await;
    assert_eq!(results.len(), 2);
    admin(&pair, "ReturnAll", &("", false, false)).await;
    assert_eq!(held(&pair).len(), 0);
    assert_eq!(trouble(pair.call(ADMIN, "ReturnAll", &("", false, false)).await).0, "NothingHeld");
}

#[tokio::test]
async fn b8_a_change_is_planned_over_dbus() {
    let pair = Pair::new(&["acme"]).await;
    assert_eq!(trouble(pair.call(ADMIN, "PlanChange", &(604_800u64, "", false)).await).0, "NothingHeld");
    pair.bench.activate(0, &[3]);
    let (results, changed, request) = admin(&pair, "PlanChange", &(604_800u64, "acme", false)).await;
    assert!(changed && request.is_empty());
    assert_eq!((results[0].2.as_str(), results[0].5.as_str()), ("plan_change", "done"));
    let snapshot = pair.bench.desk.snapshot.load();
    assert!(snapshot.issuers[0].planned_change.is_some_and(|plan| plan.used_at.is_none()));
    let (results, _, request) = admin(&pair, "PlanChange", &(3_600u64, "", true)).await;
    assert_eq!(results[0].5, "pending");
    assert!(request.starts_with("-----BEGIN LANDFAST REQUEST-----"));
}

#[tokio::test]
async fn d9_b1_a_request_travels_by_file_and_comes_back_over_dbus() {
    let pair = Pair::new(&["acme"]).await;
    let licenses = vec![(id(3).reveal(), 0u32)];
    let (_, _, request) = admin(&pair, "Activate", &(licenses, "", true)).await;
    let pending: Vec<(String, String, String, String, u32, i64, String)> =
        pair.call(ADMIN, "Pending", &()).await.unwrap().body().deserialize().unwrap();
    assert_eq!((pending[0].0.as_str(), pending[0].2.as_str()), ("acme", "activate"));
    let response = pair.bench.carry(0, &armor::decode(request.as_bytes()).unwrap());
    let (results, changed, _) = admin(&pair, "Import", &response.as_slice()).await;
    assert!(changed && results.iter().all(|result| result.5 == "done"), "{results:?}");
    assert_eq!(held(&pair), [3]);
    let armored = armor::encode(&response).unwrap();
    admin(&pair, "Import", &armored.as_bytes()).await;

    let junk = vec![b'x'; 1024 * 1024];
    assert_eq!(trouble(pair.call(ADMIN, "Import", &junk.as_slice()).await).0, "TooLarge");
    assert_eq!(trouble(pair.call(ADMIN, "Import", &&junk[..1000]).await).0, "NotAMessage");
}

#[tokio::test]
async fn troubles_have_names_reasons_and_next_steps() {
    let pair = Pair::new(&["acme", "globex"]).await;
    let one = |units: u32| vec![(id(3).reveal(), units)];
    assert_eq!(trouble(pair.call(ADMIN, "Activate", &(one(0), "", false)).await).0, "IssuerNeeded");
    let (name, text) = trouble(pair.call(ADMIN, "Activate", &(one(0), "x", false)).await);
    assert_eq!(name, "UnknownIssuer");
    assert!(text.contains("acme, globex"), "{text}");
    let wrong = vec![("x".to_owned(), 0u32)];
    assert_eq!(trouble(pair.call(ADMIN, "Activate", &(wrong, "acme", false)).await).0, "BadInput");
    assert_eq!(trouble(pair.call(ADMIN, "Return", &(one(0), "acme", false, false)).await).0, "NotHeld");
    pair.bench.reachable(false);
    let (name, text) = trouble(pair.call(ADMIN, "Activate", &(one(0), "acme", false)).await);
    assert_eq!(name, "AuthorityUnreachable");
    assert!(text.contains("cannot be reached") && text.contains("tried again"), "{text}");
    let changed: bool = pair.call(ADMIN, "Rescan", &()).await.unwrap().body().deserialize().unwrap();
    assert!(!changed);
}
