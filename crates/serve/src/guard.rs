//! Who may talk to the service: only clients that mean a loopback host.
//!
//! In: a request's `Host` and `Origin`. Out: the request, or 403. A page of another site reaches loopback ports through the
//! visitor's browser, by a cross-site post or by a name of its own that it points at 127.0.0.1; both show in these headers.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::Problem;

pub(crate) async fn loopback_only(request: Request, next: Next) -> Result<Response, Problem> {
    check(request.headers())?;
    Ok(next.run(request).await)
}

fn check(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |name: HeaderName| {
        let found = headers.get(&name).map_or("none".to_owned(), |value| {
            format!("`{}`", value.to_str().unwrap_or("?"))
        });
        Problem::forbidden(format!(
            "header `{name}`: found {found}, expected a loopback host such as `localhost` or `127.0.0.1`"
        ))
    };
    let mut hosts = headers.get_all(header::HOST).iter().peekable();
    if hosts.peek().is_none() || !hosts.all(|host| host.to_str().is_ok_and(is_loopback)) {
        return Err(refused(header::HOST));
    }
    let from_here = |origin: &str| {
        let host = origin.split_once("://").map(|(_, host)| host);
        host.is_some_and(is_loopback)
    };
    let mut origins = headers.get_all(header::ORIGIN).iter();
    if !origins.all(|origin| origin.to_str().is_ok_and(from_here)) {
        return Err(refused(header::ORIGIN));
    }
    Ok(())
}

/// Whether `host`, with or without a port, is a loopback name or address.
fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, "")) => (name, None),
            Some((name, port)) => (name, Some(port.strip_prefix(':').unwrap_or("?"))),
            None => return false,
        },
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    let is_port = |port: &str| port.is_empty() || port.parse::<u16>().is_ok();
    port.is_none_or(is_port)
        && (name.eq_ignore_ascii_case("localhost")
            || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_and_addresses_are_loopback_whatever_their_port() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:1",
            "127.8.9.10",
            "[::1]",
            "[::1]:8080",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "localhost:80@evil.example",
            "[::1].evil.example",
            "[::2]",
            "0.0.0.0",
            "192.168.1.2:8080",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_request_needs_a_loopback_host_and_no_origin_but_a_loopback_one() {
        let headers = |pairs: &[(HeaderName, &str)]| -> HeaderMap {
            pairs
                .iter()
                .map(|(name, value)| (name.clone(), value.parse().unwrap()))
                .collect()
        };
        let host = (header::HOST, "localhost:8080");
        assert!(check(&headers(std::slice::from_ref(&host))).is_ok());
        assert!(
            check(&headers(&[
                host.clone(),
                (header::ORIGIN, "http://127.0.0.1:3000")
            ]))
            .is_ok()
        );
        assert!(check(&headers(&[])).is_err());
        for origin in ["null", "https://evil.example", "http://localhost.evil.example"] {
            assert!(
                check(&headers(&[host.clone(), (header::ORIGIN, origin)])).is_err(),
                "{origin}"
            );
        }
    }
}
