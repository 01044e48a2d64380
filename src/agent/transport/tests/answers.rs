use super::*;

async fn answered(answer: Answer) -> Result<Vec<u8>, TransportFailure> {
    let authority = authority(answer).await;
    exchange(&route(&[&authority.address], &authority.ca)).await
}

async fn failure(answer: Answer) -> TransportFailure {
    answered(answer).await.unwrap_err()
}

#[tokio::test]
async fn e2_a_request_is_delivered_and_answered() {
    let authority = authority(usual().1).await;
    let address = format!("{}/under/here", authority.address);
    let answer = exchange(&route(&[&address], &authority.ca)).await.unwrap();
    assert_eq!(answer, b"an answer");
    let request = authority.requests.lock().unwrap().pop().unwrap();
    assert!(request.starts_with("POST /under/here/v1/exchange HTTP/1.1\r\n"), "{request}");
    let host = authority.address.trim_start_matches("https://");
    for header in [
        &format!("host: {host}"),
        "content-type: application/vnd.landfast.request",
        "accept: application/vnd.landfast.response",
        "connection: close",
        "user-agent: landfastd/",
    ] {
        assert!(request.contains(header), "{header} is missing in {request}");
    }
    assert!(request.ends_with("\r\n\r\na request"), "{request}");
}

#[tokio::test]
async fn a_silent_authority_is_given_up() {
    let authority = authority(Answer::Silence).await;
    let mut route = route(&[&authority.address], &authority.ca);
    route.online.exchange_timeout = Duration::from_secs(1);
    let failure = exchange(&route).await.unwrap_err();
    assert_failure(&failure, "authority_unreachable", &["no answer in 1 s"]);
}

#[tokio::test]
async fn one_deadline_holds_for_all_addresses_and_leaves_each_its_turn() {
    let certificates = usual().0;
    let silent = Authority::start(certificates.clone(), Answer::Silence).await;
    let mute = Authority::start(certificates.clone(), Answer::Silence).await;
    let mut slow = route(&[&silent.address, &mute.address], &silent.ca);
    slow.online.exchange_timeout = Duration::from_secs(1);
    let failure = exchange(&slow).await.unwrap_err();
    assert_failure(&failure, "authority_unreachable", &[&silent.address[8..], &mute.address[8..]]);
    // Half of the time is enough for one that answers.
    let good = Authority::start(certificates, usual().1).await;
    let mut slow = route(&[&silent.address, &good.address], &silent.ca);
    slow.online.exchange_timeout = Duration::from_secs(8);
    assert_eq!(exchange(&slow).await.unwrap(), b"an answer");
}

#[test]
fn turns_add_up_to_the_deadline() {
    for addresses in 1..=8 {
        let ends: Vec<_> = super::super::shares(Duration::from_secs(60), addresses).collect();
        assert_eq!((ends.len(), ends[addresses - 1]), (addresses, Duration::from_secs(60)));
        assert!(ends.is_sorted() && ends[0] > Duration::ZERO);
    }
}

#[tokio::test]
async fn what_is_no_response_is_garbage() {
    let html = Answer::http("200 OK", "text/html; charset=utf-8", b"<h1>Welcome to nginx!</h1>");
    assert_failure(&failure(html).await, "answer_unusable", &["it answers with text/html"]);
    let none = Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec());
    assert_failure(&failure(none).await, "answer_unusable", &["it answers with nothing"]);
    let noise = Answer::Bytes(b"\x00\x01\x02 noise without any meaning\r\n\r\n".to_vec());
    assert_failure(&failure(noise).await, "answer_unusable", &["does not speak HTTP"]);
    let unknown = Answer::http("404 Not Found", "text/html", b"<h1>Not Found</h1>");
    assert_failure(&failure(unknown).await, "answer_unusable", &["HTTP 404", "check the address"]);
    let moved = Answer::Bytes(b"HTTP/1.1 301 Moved\r\nlocation: https://new.example/\r\n\r\n".to_vec());
    assert_failure(&failure(moved).await, "answer_unusable", &["redirects to https://new.example/"]);
}

#[tokio::test]
async fn answers_have_a_limit() {
    // The largest frame in armor.
    let limit = landfast_protocol::frame::MAX_FRAME * 3 / 2;
    let told = format!("more than {limit} bytes");
    let large = Answer::response(&vec![b'x'; limit + 1]);
    assert_failure(&failure(large).await, "answer_unusable", &[&told]);
    let largest = Answer::response(&vec![b'x'; limit]);
    assert_eq!(answered(largest).await.unwrap().len(), limit);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.landfast.response\r\n\r\n";
    let endless = Answer::Endless([head.as_bytes(), &[b'x'; 8192]].concat());
    assert_failure(&failure(endless).await, "answer_unusable", &[&told]);
    let chatty = Answer::Endless(b"x-header: and another one\r\n".repeat(100));
    assert_eq!(failure(chatty).await.code(), "answer_unusable");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    let Answer::Bytes(whole) = Answer::response(b"an answer") else { unreachable!() };
    let cut = Answer::Bytes(whole[..whole.len() - 3].to_vec());
    assert_failure(&failure(cut).await, "authority_unreachable", &[]);
    assert_failure(
        &failure(Answer::Bytes(Vec::new())).await,
        "authority_unreachable",
        &["without a whole answer"],
    );
}

#[tokio::test]
async fn p12_an_authority_out_of_order_is_unavailable() {
    let problem =
        br#"{"type":"about:blank","title":"Busy","status":503,"detail":"the queue is full","code":"busy"}"#;
    let busy = Answer::http("503 Service Unavailable", "application/problem+json", problem);
    assert_failure(&failure(busy).await, "authority_unavailable", &["the queue is full (busy)"]);
    let bare = Answer::Bytes(b"HTTP/1.1 503 Nope\r\nretry-after: 30\r\ncontent-length: 0\r\n\r\n".to_vec());
    assert_failure(&failure(bare).await, "authority_unavailable", &["HTTP 503", "asks to wait 30 s"]);
    for status in ["500 Oops", "502 Bad Gateway", "429 Too Many Requests"] {
        assert_failure(
            &failure(Answer::http(status, "text/html", b"x")).await,
            "authority_unavailable",
            &["HTTP"],
        );
    }
}

#[tokio::test]
async fn b13_a_refusal_is_shown_with_its_code() {
    let problem =
        br#"{"title":"Bad","status":400,"detail":"the signature does not match","code":"bad_signature"}"#;
    let refused = Answer::http("400 Bad Request", "application/problem+json; charset=utf-8", problem);
    let failure_ = failure(refused).await;
    assert_failure(&failure_, "request_refused", &["the signature does not match (bad_signature)"]);
    let wild = Answer::http("400 Bad", "application/problem+json", br#"{"detail":"a\u001b[31mb","code":7}"#);
    let failure_ = failure(wild).await;
    assert_failure(&failure_, "request_refused", &["a [31mb"]);
    let broken = Answer::http("400 Bad", "application/problem+json", b"{");
    assert_failure(&failure(broken).await, "answer_unusable", &["HTTP 400"]);
}

#[tokio::test]
async fn addresses_are_tried_in_order() {
    let authority = authority(usual().1).await;
    let dead = dead().await;
    let addresses = [dead.as_str(), &authority.address];
    assert_eq!(exchange(&route(&addresses, &authority.ca)).await.unwrap(), b"an answer");
}

#[tokio::test]
async fn when_all_addresses_fail_each_is_named_and_the_kind_tells_most() {
    let certificates = Certificates::for_names(&["127.0.0.1"]);
    let busy = Answer::http("503 Busy", "text/plain", b"");
    let authority = Authority::start(certificates, busy).await;
    let dead = dead().await;
    let addresses = [authority.address.as_str(), &dead];
    let failure = exchange(&route(&addresses, &authority.ca)).await.unwrap_err();
    assert_failure(&failure, "authority_unavailable", &["HTTP 503", "; 127.0.0.1", "connection refused"]);
}

#[tokio::test]
async fn a_refusal_is_not_taken_elsewhere() {
    let certificates = Certificates::for_names(&["127.0.0.1"]);
    let refusing = Answer::http("400 Bad", "application/problem+json", br#"{"detail":"no","code":"x"}"#);
    let authority = Authority::start(certificates, refusing).await;
    let addresses = [authority.address.as_str(), &authority.address];
    let failure = exchange(&route(&addresses, &authority.ca)).await.unwrap_err();
    assert_failure(&failure, "request_refused", &["no (x)"]);
    assert_eq!(authority.requests.lock().unwrap().len(), 1);
}
