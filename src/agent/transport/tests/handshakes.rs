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

fn day(year: i32) -> Timestamp {
    Timestamp(u64::try_from(rcgen::date_time_ymd(year, 6, 1).unix_timestamp()).unwrap())
}

/// A certificate for these years, shown to a machine that believes in `today`. The wall clock is that of this machine.
async fn shown(years: [i32; 2], today: Today) -> Result<Vec<u8>, TransportFailure> {
    let certificates = Certificates::with(&["127.0.0.1"], |params| {
        params.not_before = rcgen::date_time_ymd(years[0], 1, 1);
        params.not_after = rcgen::date_time_ymd(years[1], 1, 1);
    });
    let authority = Authority::start(certificates, usual().1).await;
    exchange_on(today, &route(&[&authority.address], &authority.ca)).await
}

#[tokio::test]
async fn b10_a_wall_clock_that_is_vouched_for_judges_whatever_licensing_time_says() {
    for time in [day(1970), day(3000)] {
        let today = Today { time, certain: true };
        assert_eq!(shown([2020, 2900], today).await.unwrap(), b"an answer");
        let failure = shown([2900, 2901], today).await.unwrap_err();
        assert_failure(&failure, "authority_tls", &["it is valid from 2900"]);
        assert_failure(&shown([2019, 2020], today).await.unwrap_err(), "authority_tls", &["it expired"]);
    }
}

#[tokio::test]
async fn b10_a_clock_that_is_wrong_does_not_keep_the_authority_away() {
    let uncertain = |time| Today { time, certain: false };
    // Behind: no certificate is too new. Ahead: the wall clock was set right meanwhile.
    assert_eq!(shown([2900, 2901], uncertain(day(1970))).await.unwrap(), b"an answer");
    assert_eq!(shown([2020, 2900], uncertain(day(3000))).await.unwrap(), b"an answer");
    // The wall clock was set forward, and licensing time was not.
    assert_eq!(shown([2019, 2021], uncertain(day(2020))).await.unwrap(), b"an answer");
    let failure = shown([2019, 2020], uncertain(day(3000))).await.unwrap_err();
    assert_failure(&failure, "authority_tls", &["it expired at 2020-01-01T00:00:00Z"]);
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
