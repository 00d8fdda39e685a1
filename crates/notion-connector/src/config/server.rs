//! `[server]`: where the web server listens, how people come in, whom a proxy may speak for. Other machines are let in only by a public
//! name, over TLS or by a proxy, and signed in. To add a setting: a field of [`ServerConfig`], and what it must hold in `problems`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use serde::Deserialize;
use url::Url;

use super::{Section, within};

/// The web server.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address for the search page and the REST API.
    pub listen: SocketAddr,
    /// Whether one has to sign in.
    pub sign_in: SignInChoice,
    /// Origin under which people reach the server, where that is another than its address.
    pub public_url: Option<PublicUrl>,
    /// What stands before the server and is believed.
    pub proxy: Option<ProxyConfig>,
    /// Minutes after which a session ends that was not used.
    pub session_idle_minutes: u32,
    /// Hours after which a session ends.
    pub session_hours: u32,
    /// User names and names of people whom whoever looks may be. The demo has some; no setting names any.
    #[serde(skip)]
    pub sample_people: Vec<(String, String)>,
}

/// Whether one has to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInChoice {
    /// Everybody signs in or brings a key.
    Required,
    /// Whoever works at the machine is its operator, and nobody else is heard.
    None,
}

/// An origin of `https`, or of `http` on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl {
    /// As browsers write it.
    pub origin: String,
    /// Host and port, as they stand in the header `Host`.
    pub authority: String,
    /// Whether it is of `https`.
    pub is_secure: bool,
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("“{text}” is no origin such as https://search.example.org");
        let url: Url = text.trim().parse().map_err(|_| wrong())?;
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        let host = url.host_str().filter(|_| bare && url.username().is_empty() && url.password().is_none());
        let host = host.ok_or_else(wrong)?;
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let is_local = host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let is_secure = url.scheme() == "https";
        if !(is_secure || is_local && url.scheme() == "http") {
            return Err(format!("“{text}” must be https: passwords would cross the network in clear"));
        }
        let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self { origin: url.origin().ascii_serialization(), authority, is_secure })
    }
}

/// A proxy before the server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyConfig {
    /// Where it connects from. Only there its headers are believed.
    pub from: Vec<Network>,
    /// Header in which it names who is signed in; without it, it names nobody.
    pub user_header: Option<String>,
}

/// Addresses that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("“{text}” is no address or network such as 10.0.0.0/8");
        let (base, bits) = text.trim().split_once('/').unwrap_or((text.trim(), ""));
        let base: IpAddr = base.parse().map_err(|_| wrong())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = if bits.is_empty() { most } else { bits.parse().map_err(|_| wrong())? };
        if bits > most || bits == 0 {
            return Err(format!("“{text}” would be every address: name the proxy's"));
        }
        Ok(Self { base, bits })
    }
}

impl Network {
    /// Every address of this machine that no other reaches.
    pub const LOOPBACK: [Self; 2] = [
        Self { base: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), bits: 8 },
        Self { base: IpAddr::V6(Ipv6Addr::LOCALHOST), bits: 128 },
    ];

    /// Whether the address is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = u32::from(self.bits);
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                (base.to_bits() ^ address.to_bits()).leading_zeros() >= bits
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                (base.to_bits() ^ address.to_bits()).leading_zeros() >= bits
            }
            _ => false,
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7350)),
            sign_in: SignInChoice::Required,
            public_url: None,
            proxy: None,
            session_idle_minutes: 12 * 60,
            session_hours: 7 * 24,
            sample_people: Vec::new(),
        }
    }
}

impl ServerConfig {
    /// Whether the server may listen there: else what is to be set first.
    ///
    /// # Errors
    /// With the reason why not.
    pub(super) fn check_listen(&self, address: SocketAddr, speaks_tls: bool) -> Result<(), String> {
        if address.ip().to_canonical().is_loopback() {
            return Ok(());
        }
        let missing = if self.sign_in == SignInChoice::None {
            "nobody would have to sign in: take server.sign_in = \"none\" away"
        } else if self.public_url.is_none() {
            "the server would not know its name: set server.public_url"
        } else if self.proxy.is_none() && !speaks_tls {
            "passwords would cross the network in clear: give it a certificate (tls.certificate_file), or put something that \
             speaks TLS before it and say in server.proxy where that connects from"
        } else {
            return Ok(());
        };
        Err(format!("{address} can be reached from other machines, and {missing}; or listen on 127.0.0.1"))
    }

    /// Takes the sign-in away.
    ///
    /// # Errors
    /// When the settings are for others than this machine.
    pub fn let_everybody_in(&mut self) -> Result<(), String> {
        self.sign_in = SignInChoice::None;
        if self.public_url.is_none() && self.proxy.is_none() {
            return Ok(());
        }
        Err("--no-sign-in is for this machine alone: leave it out, or take server.public_url and server.proxy away".to_owned())
    }

    /// Header in which a proxy names who is signed in.
    pub fn user_header(&self) -> Option<&str> {
        self.proxy.as_ref()?.user_header.as_deref()
    }
}

/// Headers that say something else already.
const NOT_OF_USERS: [&str; 6] =
    ["authorization", "cookie", "host", "x-act-as", "x-forwarded-for", "x-forwarded-proto"];

impl Section for ServerConfig {
    const NAME: &'static str = "server";

    fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = [
            within("session_idle_minutes", self.session_idle_minutes, 1..=60 * 24 * 30),
            within("session_hours", self.session_hours, 1..=24 * 90),
        ]
        .into_iter()
        .flatten()
        .collect();
        if self.sign_in == SignInChoice::None && (self.public_url.is_some() || self.proxy.is_some()) {
            problems.push(
                "sign_in: \"none\" is for this machine alone: take public_url and proxy away, or sign_in"
                    .to_owned(),
            );
        }
        if let Some(proxy) = &self.proxy {
            if proxy.from.is_empty() {
                problems.push("proxy.from: names no address".to_owned());
            }
            let is_token = |name: &str| {
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            };
            if let Some(header) = &proxy.user_header {
                let taken = NOT_OF_USERS.contains(&header.to_ascii_lowercase().as_str());
                if taken || !is_token(header) {
                    problems.push(format!(
                        "proxy.user_header: “{header}” cannot name a user; such as X-Forwarded-User can"
                    ));
                }
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_own_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.1.2", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("192.0.2.7", "::ffff:192.0.2.7", "::192.0.2.7"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
        ] {
            let one: Network = network.parse().unwrap();
            assert!(
                one.contains(inside.parse().unwrap()) && !one.contains(outside.parse().unwrap()),
                "{network}"
            );
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/0", "::/0", "10.0.0", "example.org", "10.0.0.0/-1"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_public_origin_is_of_https_or_of_this_machine() {
        let public = |text: &str| PublicUrl::try_from(text.to_owned());
        let good = public("https://Search.Example.org:443/").unwrap();
        assert_eq!(
            (good.origin.as_str(), good.authority.as_str()),
            ("https://search.example.org", "search.example.org")
        );
        assert_eq!(public("http://127.0.0.1:8080").unwrap().authority, "127.0.0.1:8080");
        for wrong in [
            "http://search.example.org",
            "https://search.example.org/below",
            "https://me@search.example.org",
            "https://search.example.org/?a",
            "ftp://127.0.0.1",
            "search.example.org",
        ] {
            assert!(public(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn other_machines_are_let_in_only_by_a_name_over_tls_and_signed_in() {
        let everywhere: SocketAddr = "0.0.0.0:7350".parse().unwrap();
        let mut config = ServerConfig::default();
        let refused = |config: &ServerConfig| config.check_listen(everywhere, false).unwrap_err();
        assert!(refused(&config).contains("server.public_url"));
        config.public_url = PublicUrl::try_from("https://search.example.org".to_owned()).ok();
        assert!(refused(&config).contains("server.proxy"));
        config.check_listen(everywhere, true).unwrap();
        config.proxy = Some(ProxyConfig { from: vec!["10.0.0.1".parse().unwrap()], user_header: None });
        config.check_listen(everywhere, false).unwrap();
        config.sign_in = SignInChoice::None;
        assert!(refused(&config).contains("sign_in") && config.problems().len() == 1);
        for loopback in ["127.0.0.1:1", "[::1]:1", "127.3.2.1:1"] {
            config.check_listen(loopback.parse().unwrap(), false).unwrap();
        }
        let header = |name: &str| ServerConfig {
            proxy: Some(ProxyConfig {
                from: vec!["10.0.0.1".parse().unwrap()],
                user_header: Some(name.to_owned()),
            }),
            ..ServerConfig::default()
        };
        assert!(header("X-Forwarded-User").problems().is_empty());
        for wrong in ["Cookie", "authorization", "X_User", "a:b", ""] {
            assert_eq!(header(wrong).problems().len(), 1, "{wrong}");
        }
    }
}
