//! A provider in this process, that lies where a story wants it to.

use async_trait::async_trait;
use http::Response;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

use super::*;

const ISSUER: &str = "https://login.example.org/tenant";
const BACK: &str = "https://search.example.org/sign-in/openid/callback";

/// What a story changes.
#[derive(Default)]
struct Lies {
    /// Over the claims of a good token; null takes one away.
    claims: Value,
    /// Over what is said of the person beside the token.
    userinfo: Value,
    /// Over the description.
    metadata: Value,
    header: Value,
    /// The token is signed by a key that is not published.
    wrong_key: bool,
    /// The key is published only once its absence was noticed.
    hides_key_at_first: bool,
}

struct Fake {
    lies: Lies,
    key: EcdsaKeyPair,
    other: EcdsaKeyPair,
    /// What was asked for, with the bodies.
    asked: Mutex<Vec<(String, String, Option<String>)>>,
    nonce: Mutex<String>,
    codes: Mutex<Vec<String>>,
}

fn key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let bytes = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes.as_ref(), &random).unwrap()
}

fn over(mut value: Value, lies: &Value) -> Value {
    for (name, lie) in lies.as_object().into_iter().flatten() {
        if lie.is_null() {
            value.as_object_mut().unwrap().remove(name);
        } else {
            value[name] = lie.clone();
        }
    }
    value
}

impl Fake {
    fn token(&self) -> String {
        let now = i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap();
        let claims = json!({
            "iss": ISSUER, "aud": "us", "sub": "248289761001", "nonce": *self.nonce.lock().unwrap(),
            "iat": now, "exp": now + 300, "preferred_username": "ana", "name": "Ana Alba",
            "email": "Ana@Example.org", "email_verified": true, "groups": ["Harbour", "Pilots"],
        });
        let (mut claims, mut header) =
            (over(claims, &self.lies.claims), json!({"alg": "ES256", "kid": "one", "typ": "JWT"}));
        if let Some(shift) = self.lies.claims.get("exp_in") {
            claims["exp"] = json!(now + shift.as_i64().unwrap());
        }
        if let Some(shift) = self.lies.claims.get("iat_in") {
            claims["iat"] = json!(now + shift.as_i64().unwrap());
        }
        header = over(header, &self.lies.header);
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(&claims));
        let key = if self.lies.wrong_key { &self.other } else { &self.key };
        let made = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(made))
    }

    fn answer(&self, path: &str, body: &str) -> (u16, Value) {
        match path {
            "/tenant/.well-known/openid-configuration" => {
                let metadata = json!({
                    "issuer": ISSUER, "authorization_endpoint": format!("{ISSUER}/authorize?tenant=1"),
                    "token_endpoint": format!("{ISSUER}/token"), "jwks_uri": format!("{ISSUER}/keys"),
                    "userinfo_endpoint": format!("{ISSUER}/me"),
                });
                (200, over(metadata, &self.lies.metadata))
            }
            "/tenant/keys" => {
                let times = self.asked.lock().unwrap().iter().filter(|(asked, ..)| asked == path).count();
                let is_hidden = self.lies.hides_key_at_first && times == 1;
                let point = self.key.public_key().as_ref();
                let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
                let kid = if is_hidden { "old" } else { "one" };
                let ours = json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": kid, "x": x, "y": y});
                (200, json!({"keys": [{"kty": "QUANTUM", "kid": "new", "q": 7}, 3, ours]}))
            }
            "/tenant/token" => {
                let form: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
                let code = form.iter().find(|(name, _)| name == "code").unwrap().1.clone();
                let mut codes = self.codes.lock().unwrap();
                if codes.contains(&code) {
                    return (400, json!({"error": "invalid_grant", "error_description": "used\r\nbefore"}));
                }
                codes.push(code);
                (
                    200,
                    json!({"id_token": self.token(), "access_token": "opens-userinfo", "token_type": "Bearer"}),
                )
            }
            "/tenant/me" => (200, over(json!({"sub": "248289761001"}), &self.lies.userinfo)),
            other => panic!("{other}"),
        }
    }
}

#[async_trait]
impl Transport for Fake {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let path = request.uri().path().to_owned();
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        let authorization = request.headers().get(header::AUTHORIZATION);
        let authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
        self.asked.lock().unwrap().push((path.clone(), body.clone(), authorization));
        let (status, value) = self.answer(&path, &body);
        Ok(Response::builder().status(status).body(Bytes::from(value.to_string())).unwrap())
    }
}

fn provider(lies: Lies) -> (Provider, Arc<Fake>) {
    with_settings(lies, |_| {})
}

fn with_settings(lies: Lies, change: impl FnOnce(&mut OpenidConfig)) -> (Provider, Arc<Fake>) {
    let fake = Arc::new(Fake {
        lies,
        key: key(),
        other: key(),
        asked: Mutex::default(),
        nonce: Mutex::default(),
        codes: Mutex::default(),
    });
    let mut config = OpenidConfig { client_id: "us".to_owned(), ..OpenidConfig::default() };
    change(&mut config);
    (Provider::over(ISSUER.to_owned(), config, Arc::clone(&fake) as Arc<dyn Transport>), fake)
}

/// Begins, and has the provider know the nonce; what comes back is an answer with a code.
async fn begun(provider: &Provider, fake: &Fake) -> (Attempt, Answer) {
    let (_, attempt) = provider.begin(BACK).await.unwrap();
    fake.nonce.lock().unwrap().clone_from(&attempt.nonce);
    let answer =
        Answer { state: Some(attempt.state.clone()), code: Some("a code".to_owned()), ..Answer::default() };
    (attempt, answer)
}

async fn signed_in(lies: Lies) -> Result<ProviderAccount, OpenidError> {
    let (provider, fake) = provider(lies);
    let (attempt, answer) = begun(&provider, &fake).await;
    provider.finish(BACK, &attempt, &answer).await
}

#[tokio::test]
async fn a_person_signs_in_with_a_code_that_only_this_browser_can_use() {
    let (provider, fake) = provider(Lies::default());
    let (address, attempt) = provider.begin(BACK).await.unwrap();
    let asked: std::collections::BTreeMap<String, String> = address.query_pairs().into_owned().collect();
    assert_eq!(asked["tenant"], "1", "what the address has stays");
    assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", "us"));
    assert_eq!((asked["redirect_uri"].as_str(), asked["scope"].as_str()), (BACK, "openid profile email"));
    assert_eq!((&asked["state"], &asked["nonce"]), (&attempt.state, &attempt.nonce));
    let digest = ring::digest::digest(&ring::digest::SHA256, attempt.verifier.as_bytes());
    assert_eq!(asked["code_challenge"], URL_SAFE_NO_PAD.encode(digest));
    assert_eq!(asked["code_challenge_method"], "S256");
    assert_eq!(format!("{attempt:?}"), "Attempt(…)");

    fake.nonce.lock().unwrap().clone_from(&attempt.nonce);
    let answer =
        Answer { state: Some(attempt.state.clone()), code: Some("a code".to_owned()), ..Answer::default() };
    let identity = provider.finish(BACK, &attempt, &answer).await.unwrap();
    let expected = ProviderAccount {
        issuer: ISSUER.to_owned(),
        subject: "248289761001".to_owned(),
        email: Some("Ana@Example.org".to_owned()),
        name: Some("Ana Alba".to_owned()),
        groups: Some(vec!["Harbour".to_owned(), "Pilots".to_owned()]),
    };
    assert_eq!(identity, expected);
    let asked = fake.asked.lock().unwrap();
    let (_, form, _) = asked.iter().find(|(path, ..)| path == "/tenant/token").unwrap();
    let form: std::collections::BTreeMap<_, _> = url::form_urlencoded::parse(form.as_bytes()).collect();
    assert_eq!(
        (&form["code_verifier"], &form["redirect_uri"]),
        (&attempt.verifier.as_str().into(), &BACK.into())
    );
    assert_eq!(form["client_id"], "us", "a public client names itself");
}

#[tokio::test]
async fn a_token_that_is_not_meant_for_this_sign_in_is_not_believed() {
    let lies = |claims: Value| Lies { claims, ..Lies::default() };
    let header = |header: Value| Lies { header, ..Lies::default() };
    for (lie, why) in [
        (lies(json!({"iss": "https://login.example.org/other"})), "issuer"),
        (lies(json!({"iss": null})), "iss"),
        (lies(json!({"aud": "others"})), "audience"),
        (lies(json!({"aud": ["us", "others"]})), "audience"),
        (lies(json!({"aud": ["us", "others"], "azp": "others"})), "audience"),
        (lies(json!({"azp": "others"})), "audience"),
        (lies(json!({"nonce": "of yesterday"})), "nonce"),
        (lies(json!({"nonce": null})), "nonce"),
        (lies(json!({"exp_in": -120})), "expired"),
        (lies(json!({"exp": null})), "exp"),
        (lies(json!({"exp": "tomorrow"})), "exp"),
        (lies(json!({"iat_in": 600})), "future"),
        (lies(json!({"nbf": 32_503_680_000_i64})), "not valid yet"),
        (lies(json!({"sub": ""})), "nobody"),
        (lies(json!({"sub": null})), "sub"),
        (Lies { wrong_key: true, ..Lies::default() }, "signature"),
        (header(json!({"kid": "unheard of"})), "does not publish"),
        (header(json!({"alg": "none"})), ""),
        (header(json!({"alg": "HS256"})), "algorithm"),
        (header(json!({"alg": "RS256"})), ""),
    ] {
        match signed_in(lie).await {
            Err(OpenidError::Untrusted(told)) => assert!(told.contains(why), "{why}: {told}"),
            other => panic!("{why}: {other:?}"),
        }
    }
    // Clocks may be a little apart.
    assert!(signed_in(lies(json!({"exp_in": -30}))).await.is_ok());
    assert!(signed_in(lies(json!({"aud": ["us", "others"], "azp": "us"}))).await.is_ok());
}

#[tokio::test]
async fn an_answer_counts_in_the_browser_that_asked_and_once() {
    let (provider, fake) = provider(Lies::default());
    let (attempt, answer) = begun(&provider, &fake).await;
    for stray in [
        Answer { state: None, ..answer.clone() },
        Answer { state: Some("of another browser".to_owned()), ..answer.clone() },
        Answer { code: None, ..answer.clone() },
    ] {
        let refused = provider.finish(BACK, &attempt, &stray).await;
        assert!(matches!(refused, Err(OpenidError::Stray)), "{refused:?}");
    }
    let mixed_up = Answer { iss: Some("https://evil.example".to_owned()), ..answer.clone() };
    let refused = provider.finish(BACK, &attempt, &mixed_up).await;
    assert!(matches!(refused, Err(OpenidError::Untrusted(_))), "{refused:?}");
    let denied = Answer { error: Some("access_denied".to_owned()), ..answer.clone() };
    let refused = provider.finish(BACK, &attempt, &denied).await.unwrap_err();
    assert_eq!(refused.to_string(), "the provider refused: access_denied");
    assert!(fake.codes.lock().unwrap().is_empty(), "none of them spent the code");

    assert!(provider.finish(BACK, &attempt, &answer).await.is_ok());
    let again = provider.finish(BACK, &attempt, &answer).await.unwrap_err();
    assert_eq!(again.to_string(), "the provider refused: invalid_grant: usedbefore");
}

#[tokio::test]
async fn a_provider_that_promises_to_name_itself_must() {
    let metadata = json!({"authorization_response_iss_parameter_supported": true});
    let (provider, fake) = provider(Lies { metadata, ..Lies::default() });
    let (attempt, answer) = begun(&provider, &fake).await;
    assert!(provider.finish(BACK, &attempt, &answer).await.is_err());
    let named = Answer { iss: Some(ISSUER.to_owned()), ..answer };
    assert!(provider.finish(BACK, &attempt, &named).await.is_ok());
}

#[tokio::test]
async fn a_description_of_another_or_without_tls_is_not_used() {
    for metadata in [
        json!({"issuer": "https://login.example.org/other"}),
        json!({"issuer": format!("{ISSUER}/")}),
        json!({"token_endpoint": "http://login.example.org/token"}),
        json!({"userinfo_endpoint": "http://login.example.org/me"}),
        json!({"jwks_uri": null}),
    ] {
        let (provider, _) = provider(Lies { metadata: metadata.clone(), ..Lies::default() });
        let refused = provider.begin(BACK).await;
        assert!(matches!(refused, Err(OpenidError::Unreachable { .. })), "{metadata}: {refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn new_keys_are_found_and_nobody_makes_us_ask_without_end() {
    let (provider, fake) = provider(Lies { hides_key_at_first: true, ..Lies::default() });
    let times = || fake.asked.lock().unwrap().iter().filter(|(path, ..)| path == "/tenant/keys").count();
    let (attempt, answer) = begun(&provider, &fake).await;
    assert!(provider.finish(BACK, &attempt, &answer).await.is_err(), "they were asked for a moment ago");
    assert_eq!(times(), 1);
    tokio::time::sleep(ASK_AGAIN).await;
    let (attempt, mut answer) = begun(&provider, &fake).await;
    answer.code = Some("another code".to_owned());
    assert!(provider.finish(BACK, &attempt, &answer).await.is_ok());
    assert_eq!(times(), 2);
}

#[tokio::test]
async fn what_the_token_leaves_out_is_asked_for_and_must_be_of_the_same_person() {
    let claims = json!({"email": null, "email_verified": null, "groups": null});
    let userinfo = json!({"email": "ana@example.org", "email_verified": "true", "groups": "Harbour", "name": "not this"});
    let identity = signed_in(Lies { claims: claims.clone(), userinfo, ..Lies::default() }).await.unwrap();
    assert_eq!(identity.email.as_deref(), Some("ana@example.org"));
    assert_eq!(identity.groups, Some(vec!["Harbour".to_owned()]));
    assert_eq!(identity.name.as_deref(), Some("Ana Alba"), "the token says that already");
    let refused = signed_in(Lies { claims, userinfo: json!({"sub": "another"}), ..Lies::default() }).await;
    assert!(matches!(refused, Err(OpenidError::Untrusted(_))), "{refused:?}");
}

#[tokio::test]
async fn an_address_that_nobody_verified_is_none() {
    for flag in [json!(false), json!("false"), json!(null)] {
        let identity =
            signed_in(Lies { claims: json!({"email_verified": flag}), ..Lies::default() }).await.unwrap();
        assert_eq!(identity.email, None, "{flag}");
    }
}

#[tokio::test]
async fn a_client_with_a_secret_shows_it_as_the_provider_reads_it_and_no_error_does() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    std::fs::write(&path, "s3cr:t/\n").unwrap();
    for (methods, header, in_form) in [
        (json!(null), Some("Basic dXM6czNjciUzQXQlMkY="), false),
        (json!(["client_secret_basic", "client_secret_post"]), Some("Basic dXM6czNjciUzQXQlMkY="), false),
        (json!(["client_secret_post"]), None, true),
    ] {
        let metadata = json!({"token_endpoint_auth_methods_supported": methods});
        let (provider, fake) = with_settings(Lies { metadata, ..Lies::default() }, |config| {
            config.client_secret_file = Some(path.clone());
        });
        let (attempt, answer) = begun(&provider, &fake).await;
        provider.finish(BACK, &attempt, &answer).await.unwrap();
        let again = provider.finish(BACK, &attempt, &answer).await.unwrap_err();
        assert!(!again.to_string().contains("s3cr"), "{again}");
        let asked = fake.asked.lock().unwrap();
        let (_, form, authorization) = asked.iter().find(|(path, ..)| path == "/tenant/token").unwrap();
        assert_eq!((authorization.as_deref(), form.contains("client_secret=s3cr%3At%2F")), (header, in_form));
    }
}
