use super::*;

#[tokio::test]
async fn an_expired_certificate_is_named_with_both_times() {
    let certificates = Certificates::with(&["127.0.0.1"], |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 2, 3);
    });
    let authority = Authority::start(certificates, usual().1).await;
    let failure = exchange(&route(&[&authority.address], &authority.ca)).await.unwrap_err();
    assert_failure(&failure, "authority_tls", &["it expired at 2021-02-03T00:00:00Z", "clock"]);
    assert!(authority.requests.lock().unwrap().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn a_certificate_of_the_future_is_named_with_both_times() {
    let certificates = Certificates::with(&["127.0.0.1"], |params| {
        params.not_before = rcgen::date_time_ymd(2400, 1, 1);
        params.not_after = rcgen::date_time_ymd(2401, 1, 1);
    });
    let authority = Authority::start(certificates, usual().1).await;
    let failure = exchange(&route(&[&authority.address], &authority.ca)).await.unwrap_err();
    assert_failure(&failure, "authority_tls", &["it is valid from 2400-01-01T00:00:00Z on", "clock"]);
}

/// A certificate for 2030 only, shown to a machine that believes in this day.
async fn in_2030(year: i32, certain: bool) -> Result<Vec<u8>, TransportFailure> {
    let certificates = Certificates::with(&["127.0.0.1"], |params| {
        params.not_before = rcgen::date_time_ymd(2030, 1, 1);
        params.not_after = rcgen::date_time_ymd(2031, 1, 1);
    });
    let authority = Authority::start(certificates, usual().1).await;
    let time = rcgen::date_time_ymd(year, 6, 1).unix_timestamp();
    let today = Today { time: Timestamp(u64::try_from(time).unwrap()), certain };
    exchange_on(today, &route(&[&authority.address], &authority.ca)).await
}

#[tokio::test]
async fn b10_a_certificate_is_judged_by_licensing_time() {
    assert_eq!(in_2030(2030, true).await.unwrap(), b"an answer");
    let failure = in_2030(2032, true).await.unwrap_err();
    assert_failure(
        &failure,
        "authority_tls",
        &["it expired at 2031-01-01T00:00:00Z", "2032-06-01T00:00:00Z here"],
    );
}

#[tokio::test]
async fn b10_a_clock_that_is_behind_does_not_keep_the_authority_away() {
    assert_eq!(in_2030(1970, false).await.unwrap(), b"an answer");
    assert_failure(&in_2030(1970, true).await.unwrap_err(), "authority_tls", &["it is valid from 2030"]);
    assert_failure(&in_2030(2032, false).await.unwrap_err(), "authority_tls", &["it expired"]);
}

#[tokio::test]
async fn an_unknown_ca_is_not_accepted() {
    let authority = authority(usual().1).await;
    let other = Certificates::for_names(&["127.0.0.1"]);
    let failure = exchange(&route(&[&authority.address], &other.ca)).await.unwrap_err();
    assert_failure(&failure, "authority_tls", &["unknown CA", "`ca` of the issuer file"]);
}

#[tokio::test]
async fn another_ca_of_the_same_name_is_not_accepted() {
    let authority = authority(usual().1).await;
    let failure = exchange(&route(&[&authority.address], &usual().0.ca)).await.unwrap_err();
    assert_failure(&failure, "authority_tls", &["another CA of the same name", "issuer file"]);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_accepted() {
    let certificates = Certificates::for_names(&["licenses.example.com"]);
    let authority = Authority::start(certificates, usual().1).await;
    let failure = exchange(&route(&[&authority.address], &authority.ca)).await.unwrap_err();
    assert_failure(&failure, "authority_tls", &["it is for another name", "licenses.example.com"]);
}

#[tokio::test]
async fn the_systems_store_does_not_know_a_private_ca() {
    let authority = authority(usual().1).await;
    let mut route = route(&[&authority.address], &authority.ca);
    route.ca = None;
    // Where there is no store at all, that is what the failure says.
    assert_failure(&exchange(&route).await.unwrap_err(), "authority_tls", &["`ca` of the issuer file"]);
}

/// The system's store is found through the environment of a process, so this test runs itself in another one.
#[test]
fn a_machine_without_a_ca_store_says_so() {
    const INSIDE: &str = "LANDFAST_TEST_WITHOUT_CA_STORE";
    if std::env::var_os(INSIDE).is_none() {
        let ran = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "transport::tests::handshakes::a_machine_without_a_ca_store_says_so"])
            .envs([(INSIDE, "1"), ("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent")])
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success() && shown.contains("1 passed"), "{shown}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let authority = authority(usual().1).await;
        let mut route = route(&[&authority.address], &authority.ca);
        route.ca = None;
        let failure = exchange(&route).await.unwrap_err();
        let parts = ["no usable CA store", "install the package ca-certificates", "`ca` of the issuer file"];
        assert_failure(&failure, "authority_tls", &parts);
    });
}

#[tokio::test]
async fn a_port_without_tls_is_no_authority() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut tcp, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        tcp
    });
    let failure = exchange(&route(&[&address], &usual().0.ca)).await.unwrap_err();
    assert_failure(&failure, "answer_unusable", &["does not speak TLS"]);
    drop(serving.await);
}

#[tokio::test]
async fn a_connection_that_is_closed_at_once_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { drop(listener.accept().await.unwrap()) });
    let failure = exchange(&route(&[&address], &usual().0.ca)).await.unwrap_err();
    assert_failure(&failure, "authority_unreachable", &["during the TLS handshake"]);
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let failure = exchange(&route(&[&dead().await], &usual().0.ca)).await.unwrap_err();
    assert_failure(&failure, "authority_unreachable", &["127.0.0.1", "connection refused"]);
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_unreachable() {
    let failure = exchange(&route(&["https://nowhere.invalid"], &usual().0.ca)).await.unwrap_err();
    assert_failure(&failure, "authority_unreachable", &["nowhere.invalid", "name", "resolved"]);
}

#[tokio::test]
async fn without_addresses_there_is_nothing_to_reach() {
    assert_eq!(exchange(&route(&[], &usual().0.ca)).await.unwrap_err(), TransportFailure::NoAddress);
}
