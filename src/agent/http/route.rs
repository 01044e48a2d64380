//! The one table of routes: method, path, who may call, what answers.

use crate::front::Fault;
use crate::http::access::Access;
use crate::http::body::Body;
use crate::http::endpoint as to;
use crate::http::face::Face;
use crate::http::input::Target;
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use std::pin::Pin;
use std::sync::Arc;

/// One route.
pub struct Route {
    /// GET also answers HEAD.
    pub method: Method,
    /// As in `openapi.json`. A last segment in braces stands for one segment of any content.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    pub(super) handler: Handler,
}

/// What answers a route.
pub(super) enum Handler {
    /// At once, from the snapshot.
    Now(fn(&Face, Target<'_>) -> Result<Response<Body>, Fault>),
    /// With a body to read, or the loop to ask.
    Later(fn(Arc<Face>, Request<Incoming>) -> Answering),
}

/// An answer in the making.
pub(super) type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Fault>> + Send>>;

/// How many there are.
pub(super) const COUNT: usize = 15;

/// Every route.
pub static ROUTES: [Route; COUNT] = [
    get("/v1/entitlements/{feature}", Access::Anyone, Handler::Now(to::check::answer)),
    get("/v1/entitlements", Access::Anyone, Handler::Now(to::entitlements::answer)),
    get("/v1/binding", Access::Anyone, Handler::Now(to::binding::answer)),
    get("/v1/what-if", Access::Anyone, Handler::Now(to::what_if::answer)),
    get("/v1/runway", Access::Anyone, Handler::Now(to::runway::answer)),
    get("/v1/licenses", Access::Anyone, Handler::Now(to::licenses::answer)),
    get("/v1/status", Access::Anyone, Handler::Now(to::status::answer)),
    get("/v1/events", Access::Anyone, Handler::Now(to::events::answer)),
    get("/v1/history", Access::Administrator, Handler::Later(to::history::answer)),
    get("/v1/requests", Access::Administrator, Handler::Now(to::pending::answer)),
    post("/v1/requests", Access::Administrator, Handler::Later(to::requests::answer)),
    post("/v1/responses", Access::Administrator, Handler::Later(to::responses::answer)),
    get("/healthz", Access::Anyone, Handler::Now(to::healthz::answer)),
    get("/metrics", Access::Anyone, Handler::Now(to::metrics::answer)),
    get("/openapi.json", Access::Anyone, Handler::Now(to::openapi::answer)),
];

const fn get(path: &'static str, access: Access, handler: Handler) -> Route {
    Route { method: Method::GET, path, access, handler }
}

const fn post(path: &'static str, access: Access, handler: Handler) -> Route {
    Route { method: Method::POST, path, access, handler }
}

/// The route of a request, its place in the table, and what stands for the segment in braces.
pub(super) fn find<'a>(method: &Method, path: &'a str) -> Result<(usize, &'static Route, &'a str), Fault> {
    let wanted = if method == Method::HEAD { &Method::GET } else { method };
    let mut allowed: Vec<&str> = Vec::new();
    for (at, route) in ROUTES.iter().enumerate() {
        let Some(tail) = route.tail(path) else { continue };
        if route.method == *wanted {
            return Ok((at, route, tail));
        }
        allowed.push(route.method.as_str());
    }
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    Err(if allowed.is_empty() {
        Fault::NotFound
    } else {
        Fault::MethodNotAllowed { allowed: allowed.join(", ") }
    })
}

impl Route {
    fn tail<'a>(&self, path: &'a str) -> Option<&'a str> {
        let Some((fixed, _)) = self.path.split_once('{') else {
            return (self.path == path).then_some("");
        };
        path.strip_prefix(fixed).filter(|tail| !tail.is_empty() && !tail.contains('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_their_routes() {
        let found = |method: Method, path| {
            find(&method, path).map(|(at, route, tail)| (at, route.path, tail.to_owned()))
        };
        let check = "/v1/entitlements/{feature}";
        assert_eq!(
            found(Method::GET, "/v1/entitlements/cad%20view"),
            Ok((0, check, "cad%20view".to_owned()))
        );
        assert_eq!(found(Method::HEAD, "/v1/entitlements").map(|found| found.1), Ok("/v1/entitlements"));
        assert_eq!(found(Method::GET, "/v1/entitlements/"), Err(Fault::NotFound));
        assert_eq!(found(Method::GET, "/v1/entitlements/a/b"), Err(Fault::NotFound));
        assert_eq!(found(Method::GET, "/v2/status"), Err(Fault::NotFound));
        let both = Fault::MethodNotAllowed { allowed: "GET, POST, HEAD".to_owned() };
        assert_eq!(found(Method::DELETE, "/v1/requests"), Err(both));
        let only = Fault::MethodNotAllowed { allowed: "POST".to_owned() };
        assert_eq!(found(Method::GET, "/v1/responses"), Err(only));
    }

    #[test]
    fn p9_nothing_but_reading_is_open_to_everyone() {
        for route in &ROUTES {
            assert!(route.access == Access::Administrator || route.method == Method::GET, "{}", route.path);
        }
    }
}
