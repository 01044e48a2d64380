use super::server::Proxying;
use super::*;

async fn through(answer: &'static str) -> (Result<Vec<u8>, TransportFailure>, Authority, Proxying) {
    let authority = authority(usual().1).await;
    let proxy = Proxying::start(answer).await;
    let route = proxied(route(&[&authority.address], &authority.ca), &proxy.address);
    (exchange(&route).await, authority, proxy)
}

#[tokio::test]
async fn a_proxy_forwards_without_seeing_anything() {
    let (answer, authority, proxy) = through("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n").await;
    assert_eq!(answer.unwrap(), b"an answer");
    let target = authority.address.trim_start_matches("https://");
    let asked = proxy.asked.lock().unwrap().pop().unwrap();
    assert_eq!(asked, format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n"));
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named() {
    let (answer, authority, proxy) = through("HTTP/1.1 403 Forbidden by policy\r\n\r\n").await;
    let refused = ["through the proxy", &proxy.address, "refuses to forward: 403 Forbidden by policy"];
    assert_failure(&answer.unwrap_err(), "authority_unreachable", &refused);
    assert!(authority.requests.lock().unwrap().is_empty());
    let (answer, ..) = through("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    assert_failure(&answer.unwrap_err(), "authority_unreachable", &["user name and password"]);
}

#[tokio::test]
async fn what_is_no_proxy_is_named() {
    let (answer, ..) = through("220 mail.example ESMTP\r\n\r\n").await;
    assert_failure(&answer.unwrap_err(), "authority_unreachable", &["does not speak HTTP", "online.proxy"]);
    let authority = authority(usual().1).await;
    let nobody = dead().await.replace("https", "http");
    let route = proxied(route(&[&authority.address], &authority.ca), &nobody);
    let failure = exchange(&route).await.unwrap_err();
    assert_failure(&failure, "authority_unreachable", &["proxy: connection refused"]);
}
