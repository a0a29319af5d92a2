//! Where the server listens, how it is reached, and which proxies it trusts.

use std::net::IpAddr;
use std::thread::available_parallelism;

use ipnet::IpNet;
use url::{Host, Url};

use super::aliases::{PathAlias, path_aliases};
use super::parse::{self, ValueError};
use super::reader::Reader;

/// `HOST`, `PORT`, `WORKERS`, `PUBLIC_URL`, `ALLOWED_HOSTS`, `TRUSTED_PROXIES`, `PATH_ALIASES`.
#[derive(Debug, Clone)]
pub struct Server {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 picks a free one.
    pub port: u16,
    /// Actix workers.
    pub workers: usize,
    /// How users reach the server; scheme, host and port only.
    pub public_url: Url,
    /// Accepted `Host` headers, in lower case; `.example.com` includes subdomains, `*` accepts all.
    pub allowed_hosts: Vec<String>,
    /// Networks whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Further paths of the API's endpoints.
    pub path_aliases: Vec<PathAlias>,
}

impl Server {
    /// `PUBLIC_URL` without a final slash, to append paths to.
    pub fn public_origin(&self) -> String {
        self.public_url.origin().ascii_serialization()
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let host = reader.read("HOST", ip_address);
        let port = reader.read("PORT", parse::number(0..=u16::MAX));
        let workers = reader.optional("WORKERS", parse::number(1..=1024)).unwrap_or_else(|| {
            let cores = available_parallelism().map_or(1, usize::from);
            reader.show("WORKERS", cores.to_string());
            cores
        });
        let public_url = reader.optional("PUBLIC_URL", public_url).unwrap_or_else(|| {
            let url = local_url(port);
            reader.show("PUBLIC_URL", url.origin().ascii_serialization());
            url
        });
        let allowed_hosts = reader.optional("ALLOWED_HOSTS", parse::some(allowed_host));
        if let Some(hosts) = &allowed_hosts
            && reader.is_set("PUBLIC_URL")
            && let Some(host) = public_url.host_str()
            && !hosts.iter().any(|pattern| covers(pattern, host))
        {
            reader.warnings.push(format!("ALLOWED_HOSTS leaves out {host}, the host of PUBLIC_URL: it will get 400"));
        }
        let allowed_hosts = allowed_hosts.unwrap_or_else(|| {
            let hosts = default_hosts(&public_url);
            reader.show("ALLOWED_HOSTS", hosts.join(","));
            hosts
        });
        let trusted_proxies = reader.optional("TRUSTED_PROXIES", parse::some(network)).unwrap_or_default();
        let path_aliases = reader.optional("PATH_ALIASES", path_aliases).unwrap_or_default();
        Self { host, port, workers, public_url, allowed_hosts, trusted_proxies, path_aliases }
    }
}

/// Whether an entry of `ALLOWED_HOSTS` includes a host (in lower case, without port).
fn covers(pattern: &str, host: &str) -> bool {
    pattern == "*"
        || pattern == host
        || pattern.strip_prefix('.').is_some_and(|domain| host == domain || host.ends_with(pattern))
}

fn default_hosts(public_url: &Url) -> Vec<String> {
    let mut hosts: Vec<_> = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).into();
    if let Some(host) = public_url.host_str()
        && !hosts.iter().any(|known| known == host)
    {
        hosts.push(host.to_owned());
    }
    hosts
}

fn local_url(port: u16) -> Url {
    #[expect(clippy::expect_used, reason = "a port cannot make it invalid, and tests build one")]
    Url::parse(&format!("http://localhost:{port}")).expect("localhost with a port is a good address")
}

fn ip_address(value: &str) -> Result<IpAddr, ValueError> {
    let bare = value.strip_prefix('[').and_then(|value| value.strip_suffix(']')).unwrap_or(value);
    bare.parse().map_err(|_| "is not an IP address".to_owned())
}

/// Only scheme, host and port: Latchkey is always served at the root.
fn public_url(value: &str) -> Result<Url, ValueError> {
    let url = Url::parse(value).map_err(|_| "is not a web address".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("does not start with http:// or https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a name or password".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("has more than scheme, host and port: Latchkey is served at the root".to_owned());
    }
    Ok(url)
}

/// A host as in a `Host` header, without the port.
fn allowed_host(value: &str) -> Result<String, ValueError> {
    if value == "*" {
        return Ok(value.to_owned());
    }
    if let Ok(IpAddr::V6(address)) = value.parse() {
        return Ok(format!("[{address}]"));
    }
    let (dot, name) = value.strip_prefix('.').map_or(("", value), |name| (".", name));
    match Host::parse(name) {
        Ok(host) if !name.contains('*') && (dot.is_empty() || matches!(host, Host::Domain(_))) => {
            Ok(format!("{dot}{host}"))
        }
        _ => Err("is not a host name without scheme and port".to_owned()),
    }
}

/// A network, or a single address as the smallest one.
fn network(value: &str) -> Result<IpNet, ValueError> {
    let fault = |()| "is neither an IP address nor a network such as 10.0.0.0/8".to_owned();
    let address = || value.parse::<IpAddr>().map(IpNet::from).map_err(drop);
    value.parse::<IpNet>().map(|network| network.trunc()).or_else(|_| address()).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls_are_bare() {
        assert_eq!(public_url("https://Auth.example.com").unwrap().as_str(), "https://auth.example.com/");
        for bad in
            ["auth.example.com", "ftp://a", "https://a/b", "https://a?b", "https://u:p@a", "https://", "localhost:8000"]
        {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn allowed_hosts_have_no_scheme_and_no_port() {
        for (given, kept) in [
            ("Example.COM", "example.com"),
            (".example.com", ".example.com"),
            ("::1", "[::1]"),
            ("[::1]", "[::1]"),
            ("*", "*"),
        ] {
            assert_eq!(allowed_host(given).as_deref(), Ok(kept));
        }
        for bad in ["example.com:80", "https://example.com", "a/b", ".", "*.example.com", "a b"] {
            assert!(allowed_host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn proxies_are_networks_or_single_addresses() {
        assert_eq!(network("10.1.2.3/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(network("192.168.1.7").unwrap().to_string(), "192.168.1.7/32");
        assert_eq!(network("::1").unwrap().to_string(), "::1/128");
        for bad in ["*", "10.0.0.0/33", "example.com", ""] {
            assert!(network(bad).is_err(), "{bad}");
        }
    }
}
