//! What everybody may ask.

use super::*;
use crate::dbus::licenses;
use crate::front::fixture::{NOON, server};
use landfast_protocol::Duration as Span;
use std::collections::HashMap;
use zbus::fdo::ManagedObjects;

type Answer = (bool, u32, String, String, String, String, i64, String);

async fn check(pair: &Pair, feature: &str, quantity: u32, version: &str, issuer: &str) -> Answer {
    let reply = pair.call(ENTITLEMENTS, "Check", &(feature, quantity, version, issuer)).await.unwrap();
    reply.body().deserialize().unwrap()
}

#[tokio::test]
async fn d4_check_and_list_answer_from_the_snapshot() {
    let pair = Pair::new(&["acme"]).await;
    pair.bench.activate(0, &[3, 5]);
    let license = pair.bench.license(0, 3).to_string();
    let until = i64::try_from(NOON.after(Span::days(365)).0).unwrap();
    let text = str::to_owned;
    let expected = (true, 3, text("acme"), license, text("licensed"), text("licensed"), until, String::new());
    assert_eq!(check(&pair, "f3", 2, "2.5.1", "acme").await, expected);
    assert_eq!(check(&pair, "f3", 0, "", "").await, expected);

    let reply = pair.call(ENTITLEMENTS, "List", &()).await.unwrap();
    type Entry = (String, bool, u32, String, String, String, String, i64, String);
    let all: Vec<Entry> = reply.body().deserialize().unwrap();
    let names: Vec<_> = all.iter().map(|entry| (entry.0.as_str(), entry.1, entry.2)).collect();
    assert_eq!(names, [("f3", true, 3), ("f5", true, 5)]);
}

#[tokio::test]
async fn b13_a_denial_is_an_answer_that_explains_itself() {
    let pair = Pair::new(&["acme"]).await;
    pair.bench.activate(0, &[3]);
    for (feature, quantity, version, issuer, reason) in [
        ("f3", 4, "", "", "quantity_exceeded"),
        ("f3", 1, "2.6", "", "version_exceeded"),
        ("f3", 1, "", "other", "not_licensed"),
        ("", 1, "", "", "not_licensed"),
    ] {
        let answer = check(&pair, feature, quantity, version, issuer).await;
        assert_eq!((answer.0, answer.5.as_str()), (false, reason));
        assert!(!answer.7.is_empty(), "{reason} has no next step");
    }
    let wrong = trouble(pair.call(ENTITLEMENTS, "Check", &("f3", 1u32, "new", "")).await);
    assert_eq!(wrong.0, "BadInput");
    let wrong = pair.call(ENTITLEMENTS, "Check", &("f3", "one")).await;
    assert!(matches!(wrong, Err(zbus::Error::FDO(_))), "{wrong:?}");
}

#[tokio::test]
async fn d3_the_binding_has_a_state_and_reasons() {
    let pair = Pair::new(&["acme", "globex"]).await;
    assert_eq!(pair.property::<String>(PATH, BINDING, "State").await, "unbound");
    pair.bench.activate(0, &[3]);
    pair.bench.swap(server("another", "other", "another"));
    // The second binds to the new hardware: its verdict is better, the worse is shown.
    pair.bench.activate(1, &[4]);
    assert_eq!(pair.property::<String>(PATH, BINDING, "State").await, "broken");
    let score: u32 = pair.property(PATH, BINDING, "Score").await;
    assert!(score < 500, "{score}");
    assert_eq!(pair.property::<u32>(PATH, BINDING, "Threshold").await, 750);
    let properties = "org.freedesktop.DBus.Properties";
    let reply = pair.call(properties, "GetAll", &BINDING).await.unwrap();
    let all: HashMap<String, zbus::OwnedVariant> = reply.body().deserialize().unwrap();
    type Factors =
        Vec<(String, String, String, u32, u32, String, Vec<(String, String, String, String, String)>)>;
    let factors: Factors = all["Factors"].try_clone().unwrap().try_into().unwrap();
    let disks = |issuer: &str| factors.iter().find(|f| f.0 == issuer && f.1 == "disks").unwrap();
    assert_eq!((disks("acme").2.as_str(), disks("globex").2.as_str()), ("changed", "match"));
    assert!(!disks("acme").5.is_empty() && disks("globex").5.is_empty());
    assert!(factors.iter().flat_map(|group| &group.6).all(|factor| !factor.3.contains("serial-of")));
}

#[tokio::test]
async fn e8_every_license_is_an_object() {
    let bench = Bench::new(&["acme"]);
    bench.activate(0, &[3, 5]);
    let pair = Pair::with(bench).await;
    let managed = pair.call("org.freedesktop.DBus.ObjectManager", "GetManagedObjects", &()).await.unwrap();
    let managed: ManagedObjects = managed.body().deserialize().unwrap();
    let mut paths: Vec<_> = managed.keys().map(|path| path.as_str().to_owned()).collect();
    paths.sort_unstable();
    let mut expected = [3, 5].map(|number| licenses::path(pair.bench.license(0, number)));
    expected.sort_unstable();
    assert_eq!(paths, expected);
    let path = licenses::path(pair.bench.license(0, 5));
    let properties = &managed[&zbus::OwnedObjectPath::try_from(path.as_str()).unwrap()];
    assert_eq!(properties.keys().map(|name| name.as_str().to_owned()).collect::<Vec<_>>(), [LICENSES]);
    assert_eq!(properties.values().next().unwrap().len(), 9);
    assert_eq!(pair.property::<String>(&path, LICENSES, "Product").await, "Plant Control");
    assert_eq!(pair.property::<u32>(&path, LICENSES, "Quantity").await, 5);
    let support = i64::try_from(NOON.after(Span::days(90)).0).unwrap();
    assert_eq!(pair.property::<i64>(&path, LICENSES, "SupportUntil").await, support);
    let features: Vec<(String, u32, String, bool)> = pair.property(&path, LICENSES, "Features").await;
    assert_eq!(features, [("f5".to_owned(), 5, "2.5".to_owned(), false)]);
}

#[tokio::test]
async fn b9_the_runway_is_a_property() {
    let pair = Pair::new(&["acme"]).await;
    pair.bench.activate(0, &[3]);
    let runway: Vec<(String, String, i64, String)> = pair.property(PATH, ENTITLEMENTS, "Runway").await;
    assert_eq!(runway, [("f3".to_owned(), "acme".to_owned(), 365 * 86_400, "expired".to_owned())]);
}
