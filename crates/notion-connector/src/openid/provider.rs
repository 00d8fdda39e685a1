//! What is asked of the provider, and what its answers mean. Each is bounded, and none is believed for who sent it.

use std::fmt;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use jsonwebtoken::jwk::Jwk;
use notion_api::{HttpSettings, HttpTransport, Transport, TransportError};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded::Serializer;

use super::token::{Claims, Expected, TokenError, believe, same};
use crate::config::OpenidConfig;

/// How long the provider may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Longest answer.
const ANSWER_BYTES: usize = 1 << 20;
/// How long its description and keys are known.
const KNOWN: Duration = Duration::from_secs(3600);
/// So often at most are keys asked for again because a token names one that is not known.
const ASK_AGAIN: Duration = Duration::from_secs(30);
/// Most keys, and most groups of a person, that are looked at.
const MAX_KEYS: usize = 100;
const MAX_GROUPS: usize = 2_000;
/// Longest secret of a client.
const SECRET_BYTES: u64 = 8_192;
/// Longest name, e-mail address or group.
const MAX_TEXT_CHARS: usize = 500;

/// Why nobody was signed in. No message holds a code, a token or a secret.
#[derive(Debug, thiserror::Error)]
pub enum OpenidError {
    /// The provider does not answer as one.
    #[error("the provider {issuer} could not be asked for its {what}: {reason}")]
    Unreachable {
        /// Which.
        issuer: String,
        /// What was asked for.
        what: &'static str,
        /// What went wrong.
        reason: String,
    },
    /// The answer does not belong to a sign-in that this browser began.
    #[error("this answer belongs to no sign-in of this browser, or to one that is over: sign in again")]
    Stray,
    /// The provider, or the person there, said no.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// What the provider says is not believed.
    #[error("the provider's ID token is not believed: {0}")]
    Untrusted(String),
    /// The client's secret cannot be read.
    #[error("openid.client_secret_file could not be read: {0}")]
    Secret(String),
}

/// A sign-in that a browser began, to be sealed and kept by it alone.
#[derive(Clone, Serialize, Deserialize)]
pub struct Attempt {
    state: String,
    nonce: String,
    verifier: String,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attempt(…)")
    }
}

/// What the provider sends a browser back with.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Answer {
    /// The sign-in that it answers.
    pub state: Option<String>,
    /// What the token is given for.
    pub code: Option<String>,
    /// Who answers (RFC 9207).
    pub iss: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// The same in words.
    pub error_description: Option<String>,
}

/// Who signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderAccount {
    /// Who says so.
    pub issuer: String,
    /// What the provider calls them, for ever.
    pub subject: String,
    /// Their e-mail address, if the provider verified it.
    pub email: Option<String>,
    /// What they are called.
    pub name: Option<String>,
    /// The groups they are in; none where the provider does not say.
    pub groups: Option<Vec<String>>,
}

/// What the discovery document says (OpenID Connect Discovery 1.0, 3), as far as it matters.
#[derive(Debug, Clone, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: Option<SecretString>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    error_description: Option<String>,
}

#[derive(Default)]
struct Known {
    metadata: Option<(Arc<Metadata>, Instant)>,
    keys: Option<(Arc<Vec<Jwk>>, Instant)>,
}

/// The organisation's provider.
pub struct Provider {
    issuer: String,
    config: OpenidConfig,
    transport: Arc<dyn Transport>,
    known: Mutex<Known>,
}

impl Provider {
    /// The provider of the settings; none where they name none. `extra_roots_pem` are authorities that are trusted beside the
    /// system's.
    ///
    /// # Errors
    /// When this machine cannot speak TLS.
    pub fn of(config: &OpenidConfig, extra_roots_pem: &[u8]) -> Result<Option<Self>, TransportError> {
        let Some(issuer) = config.issuer.clone() else { return Ok(None) };
        let http = HttpSettings {
            request_timeout: TIMEOUT,
            max_body_bytes: ANSWER_BYTES,
            extra_roots_pem: extra_roots_pem.to_vec(),
            ..HttpSettings::default()
        };
        let transport = HttpTransport::new(&http)?;
        Ok(Some(Self::over(issuer, config.clone(), Arc::new(transport))))
    }

    fn over(issuer: String, config: OpenidConfig, transport: Arc<dyn Transport>) -> Self {
        Self { issuer, config, transport, known: Mutex::default() }
    }

    /// What the button says.
    pub fn label(&self) -> &str {
        &self.config.label
    }

    /// Where a browser goes to sign in and come back to `redirect_uri`, and what it has to bring along.
    ///
    /// # Errors
    /// When the provider does not describe itself.
    pub async fn begin(&self, redirect_uri: &str) -> Result<(Url, Attempt), OpenidError> {
        let metadata = self.metadata().await?;
        let attempt = Attempt { state: random(), nonce: random(), verifier: random() };
        let challenge = ring::digest::digest(&ring::digest::SHA256, attempt.verifier.as_bytes());
        let scopes = std::iter::once("openid").chain(self.config.scopes.iter().map(String::as_str));
        let mut address = Url::parse(&metadata.authorization_endpoint)
            .map_err(|_| self.unreachable("description", "it names an address that is none"))?;
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", &scopes.collect::<Vec<_>>().join(" "))
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(challenge))
            .append_pair("code_challenge_method", "S256");
        Ok((address, attempt))
    }

    /// Who came back, with what the provider said and with what this browser began.
    ///
    /// # Errors
    /// When the answer is none to this attempt, or the provider or its token is not to be believed.
    pub async fn finish(
        &self,
        redirect_uri: &str,
        attempt: &Attempt,
        answer: &Answer,
    ) -> Result<ProviderAccount, OpenidError> {
        let metadata = self.metadata().await?;
        let state = answer.state.as_deref().filter(|state| !state.is_empty()).ok_or(OpenidError::Stray)?;
        if !same(state, &attempt.state) {
            return Err(OpenidError::Stray);
        }
        let is_of_another = match &answer.iss {
            Some(issuer) => *issuer != metadata.issuer,
            None => metadata.authorization_response_iss_parameter_supported,
        };
        if is_of_another {
            return Err(OpenidError::Untrusted("the answer is of another issuer".to_owned()));
        }
        if let Some(error) = &answer.error {
            return Err(refusal(error, answer.error_description.as_deref()));
        }
        let code = answer.code.as_deref().ok_or(OpenidError::Stray)?;
        let tokens = self.tokens(&metadata, redirect_uri, attempt, code).await?;
        let claims = self.believe(&metadata, &tokens.id_token, &attempt.nonce).await?;
        let mut told = claims.others;
        if let (Some(endpoint), Some(access)) = (&metadata.userinfo_endpoint, &tokens.access_token)
            && self.is_wanting(&told)
        {
            let more = self.userinfo(endpoint, access, &claims.sub).await?;
            more.into_iter().for_each(|(claim, value)| {
                told.entry(claim).or_insert(value);
            });
        }
        Ok(self.account(claims.sub, &told))
    }

    /// Whether a token leaves out what the scopes ask for: many providers say it at another place only.
    fn is_wanting(&self, told: &Map<String, Value>) -> bool {
        let groups = Some(self.config.groups_claim.as_str()).filter(|claim| !claim.is_empty());
        ["email", "name"].into_iter().chain(groups).any(|claim| !told.contains_key(claim))
    }

    fn account(&self, subject: String, told: &Map<String, Value>) -> ProviderAccount {
        let text = |claim: &str| told.get(claim).and_then(Value::as_str).and_then(shortened);
        // Some write the flag as text.
        let is_verified = told.get("email_verified").is_some_and(|flag| *flag == true || *flag == "true");
        let groups = told.get(&self.config.groups_claim).and_then(|listed| match listed {
            Value::String(one) => Some(shortened(one).into_iter().collect()),
            Value::Array(many) => {
                let names = many.iter().filter_map(Value::as_str).filter_map(shortened);
                Some(names.take(MAX_GROUPS).collect())
            }
            _ => None,
        });
        ProviderAccount {
            issuer: self.issuer.clone(),
            subject,
            email: text("email").filter(|_| is_verified),
            name: text("name"),
            groups,
        }
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, OpenidError> {
        let known = self.known().metadata.clone();
        if let Some((metadata, _)) = known.filter(|(_, since)| since.elapsed() < KNOWN) {
            return Ok(metadata);
        }
        let what = "description";
        let address = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let metadata: Metadata = self.get(what, &address, None).await?;
        // OpenID Connect Discovery 1.0, 4.3: else one provider could speak for another.
        if metadata.issuer != self.issuer {
            return Err(self.unreachable(what, "it names another issuer (openid.issuer must be the same)"));
        }
        let endpoints = [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri];
        let is_tls = self.issuer.starts_with("https:");
        if is_tls
            && endpoints
                .into_iter()
                .chain(&metadata.userinfo_endpoint)
                .any(|url| !url.starts_with("https://"))
        {
            return Err(self.unreachable(what, "it names an address that is not https"));
        }
        let metadata = Arc::new(metadata);
        self.known().metadata = Some((Arc::clone(&metadata), Instant::now()));
        Ok(metadata)
    }

    /// The provider's keys, asked for again where they are `unknown` to hold one that is looked for.
    async fn keys(&self, metadata: &Metadata, unknown: bool) -> Result<Arc<Vec<Jwk>>, OpenidError> {
        let known = self.known().keys.clone();
        let fresh = if unknown { ASK_AGAIN } else { KNOWN };
        if let Some((keys, _)) = known.filter(|(_, since)| since.elapsed() < fresh) {
            return Ok(keys);
        }
        let answer: Keys = self.get("keys", &metadata.jwks_uri, None).await?;
        // One by one: a key of a kind that nobody knows yet leaves the others as they are.
        let keys = answer.keys.into_iter().take(MAX_KEYS).filter_map(|key| serde_json::from_value(key).ok());
        let keys = Arc::new(keys.collect::<Vec<Jwk>>());
        self.known().keys = Some((Arc::clone(&keys), Instant::now()));
        Ok(keys)
    }

    async fn believe(&self, metadata: &Metadata, token: &str, nonce: &str) -> Result<Claims, OpenidError> {
        let expected = Expected { issuer: &metadata.issuer, client_id: &self.config.client_id, nonce };
        let keys = self.keys(metadata, false).await?;
        let mut believed = believe(token, &keys, &expected);
        if believed.as_ref().is_err_and(|error| *error == TokenError::UnknownKey) {
            let keys = self.keys(metadata, true).await?;
            believed = believe(token, &keys, &expected);
        }
        believed.map_err(|error| OpenidError::Untrusted(error.to_string()))
    }

    async fn tokens(
        &self,
        metadata: &Metadata,
        redirect_uri: &str,
        attempt: &Attempt,
        code: &str,
    ) -> Result<Tokens, OpenidError> {
        let what = "token";
        let request = self.token_request(metadata, redirect_uri, attempt, code)?;
        let answer = self.send(what, request).await?;
        if answer.status() != StatusCode::OK {
            let refused: Option<Refusal> = serde_json::from_slice(answer.body()).ok();
            return Err(refused.map_or_else(
                || self.unreachable(what, &format!("status {}", answer.status().as_u16())),
                |told| refusal(&told.error, told.error_description.as_deref()),
            ));
        }
        serde_json::from_slice(answer.body())
            .map_err(|_| self.unreachable(what, "there is no ID token in the answer"))
    }

    fn token_request(
        &self,
        metadata: &Metadata,
        redirect_uri: &str,
        attempt: &Attempt,
        code: &str,
    ) -> Result<Request<Bytes>, OpenidError> {
        let id = self.config.client_id.as_str();
        let secret = self.client_secret()?;
        // What is meant where nothing is said (OpenID Connect Discovery 1.0, 3).
        let methods = metadata.token_endpoint_auth_methods_supported.as_deref();
        let is_basic = methods.is_none_or(|methods| methods.iter().any(|one| one == "client_secret_basic"));
        let mut request = Request::post(&metadata.token_endpoint)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("code_verifier", &attempt.verifier);
        if let Some(secret) = secret.as_ref().filter(|_| is_basic) {
            // RFC 6749, 2.3.1: both are encoded before they are joined.
            let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let pair = format!("{}:{}", encoded(id), encoded(secret.expose_secret()));
            request = request
                .header(header::AUTHORIZATION, sensitive(&format!("Basic {}", STANDARD.encode(pair)))?);
        } else {
            form.append_pair("client_id", id);
            secret.iter().for_each(|secret| {
                form.append_pair("client_secret", secret.expose_secret());
            });
        }
        let form = Bytes::from(form.finish());
        request.body(form).map_err(|error| self.unreachable("token", &error.to_string()))
    }

    /// What the provider says of a person beside the token (OpenID Connect Core 1.0, 5.3).
    async fn userinfo(
        &self,
        endpoint: &str,
        access: &SecretString,
        subject: &str,
    ) -> Result<Map<String, Value>, OpenidError> {
        let what = "word on the person";
        let told: Map<String, Value> = self.get(what, endpoint, Some(access)).await?;
        if told.get("sub").and_then(Value::as_str) != Some(subject) {
            return Err(OpenidError::Untrusted(
                "it is of another person than the rest of the answer".to_owned(),
            ));
        }
        Ok(told)
    }

    async fn get<T: DeserializeOwned>(
        &self,
        what: &'static str,
        address: &str,
        access: Option<&SecretString>,
    ) -> Result<T, OpenidError> {
        let mut request = Request::get(address).header(header::ACCEPT, "application/json");
        if let Some(access) = access {
            let value = sensitive(&format!("Bearer {}", access.expose_secret()))?;
            request = request.header(header::AUTHORIZATION, value);
        }
        let request =
            request.body(Bytes::new()).map_err(|error| self.unreachable(what, &error.to_string()))?;
        let answer = self.send(what, request).await?;
        if answer.status() != StatusCode::OK {
            return Err(self.unreachable(what, &format!("status {}", answer.status().as_u16())));
        }
        serde_json::from_slice(answer.body())
            .map_err(|_| self.unreachable(what, "the answer is not what OpenID Connect says"))
    }

    async fn send(
        &self,
        what: &'static str,
        request: Request<Bytes>,
    ) -> Result<http::Response<Bytes>, OpenidError> {
        self.transport.send(request).await.map_err(|error| self.unreachable(what, &error.to_string()))
    }

    fn client_secret(&self) -> Result<Option<SecretString>, OpenidError> {
        let Some(path) = &self.config.client_secret_file else { return Ok(None) };
        let read = || {
            let mut text = String::new();
            std::fs::File::open(path)?.take(SECRET_BYTES).read_to_string(&mut text)?;
            Ok(SecretString::from(text.trim()))
        };
        read()
            .map(Some)
            .map_err(|error: std::io::Error| OpenidError::Secret(format!("{}: {error}", path.display())))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unreachable(&self, what: &'static str, reason: &str) -> OpenidError {
        OpenidError::Unreachable { issuer: self.issuer.clone(), what, reason: reason.to_owned() }
    }
}

/// The provider's words are a stranger's: short, and in one line.
fn refusal(error: &str, description: Option<&str>) -> OpenidError {
    let told = description.map_or_else(|| error.to_owned(), |description| format!("{error}: {description}"));
    OpenidError::Refused(told.chars().filter(|character| !character.is_control()).take(200).collect())
}

fn shortened(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && text.chars().count() <= MAX_TEXT_CHARS).then(|| text.to_owned())
}

fn sensitive(value: &str) -> Result<HeaderValue, OpenidError> {
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| OpenidError::Secret("it holds what no header can carry".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// 256 bits that nobody guesses.
fn random() -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
