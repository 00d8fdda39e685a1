//! Signing in, from the first administrator's link on: what each defence keeps out.

use std::time::Duration;

use notion_connector::config::{ProxyConfig, PublicUrl, ServerConfig};
use notion_connector::model::Caller;
use notion_connector::ops::{self, RoleOf, SetAudience};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::time::Instant;
use url::form_urlencoded;

use super::Server;
use super::rest::Answer;

const PASSWORD: &str = "a long enough password";
const FORM: &str = "application/x-www-form-urlencoded";

impl Server {
    /// Where everybody signs in.
    pub(crate) async fn guarded() -> Self {
        Self::with_settings(ServerConfig::default()).await
    }

    /// With people who have passwords.
    async fn with_accounts(people: &[&str]) -> Self {
        let server = Self::guarded().await;
        for name in people {
            let password = SecretString::from(PASSWORD);
            ops::set_password(&server.app, &Caller::LOCAL_OPERATOR, name, &password, true).unwrap();
        }
        server
    }

    /// A form of a page of this server.
    async fn submit(&self, path: &str, cookie: &str, values: &[(&str, &str)]) -> Answer {
        let origin = self.origin();
        self.submit_from(path, &[("cookie", cookie), ("origin", &origin)], values).await
    }

    async fn submit_from(&self, path: &str, headers: &[(&str, &str)], values: &[(&str, &str)]) -> Answer {
        let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(values).finish();
        let length = body.len().to_string();
        let usual = [("content-type", FORM), ("content-length", length.as_str())];
        let headers: Vec<_> = usual.into_iter().chain(headers.iter().copied()).collect();
        self.exchange("POST", path, &headers, &body).await
    }

    async fn sign_in(&self, user_name: &str, password: &str) -> Answer {
        self.submit("/sign-in", "", &[("user_name", user_name), ("password", password)]).await
    }

    /// The cookie of somebody who has just signed in.
    async fn cookie_of(&self, user_name: &str) -> String {
        let answer = self.sign_in(user_name, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        cookie(&answer)
    }

    async fn with_cookie(&self, cookie: &str, path: &str) -> Answer {
        self.ask("GET", path, &[("cookie", cookie)]).await
    }

    async fn is_in(&self, cookie: &str) -> bool {
        let answer = self.with_cookie(cookie, "/").await;
        assert!(matches!(answer.status, 200 | 303), "{}", answer.status);
        answer.status == 200
    }

    fn execute(&self, sql: &str) {
        let file = self.directory.path().join("data/store.sqlite");
        rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
    }
}

/// The cookie that an answer sets, as a browser sends it back.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

fn form_token(page: &str) -> &str {
    page.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_comes_in_by_a_link_that_opens_once() {
    let server = Server::guarded().await;
    let link = |server: &Server| {
        let made = ops::link_for_first_administrator(&server.app, &Caller::LOCAL_OPERATOR).unwrap();
        made.map(|link| link.expose_secret().to_owned())
    };
    let old = link(&server).unwrap();
    let code = link(&server).unwrap();
    let wish = |code: &str, password: &str, again: &str| {
        [("code", code), ("user_name", "ana"), ("password", password), ("again", again)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let accept = async |wish: [(String, String); 4]| {
        let values: Vec<_> = wish.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        server.submit("/welcome", "", &values).await
    };
    assert_eq!(accept(wish(&old, PASSWORD, PASSWORD)).await.status, 401, "a newer one took its place");
    for (password, again) in
        [("short", "short"), (PASSWORD, "another long password"), ("aaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaa")]
    {
        let refused = accept(wish(&code, password, again)).await;
        assert_eq!(refused.status, 400, "{}", refused.body);
        assert!(
            refused.body.contains("<form action=\"/welcome\"") && !refused.body.contains(password),
            "{}",
            refused.body
        );
    }
    let welcome = server.get("/welcome").await;
    assert!(welcome.status == 200 && !welcome.body.contains(&code));
    let done = accept(wish(&code, PASSWORD, PASSWORD)).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/")), "{}", done.body);
    let cookie = cookie(&done);
    for path in ["/api/v1/audit", "/api/v1/connectors", "/api/v1/search", "/metrics", "/"] {
        assert_eq!(server.with_cookie(&cookie, path).await.status, 200, "{path}");
    }
    assert_eq!(accept(wish(&code, PASSWORD, PASSWORD)).await.status, 401, "it opens once");
    assert_eq!(link(&server), None, "there is an administrator");
    assert_eq!(server.sign_in("ANA", PASSWORD).await.status, 303);

    // The operator's own eyes are not the administrator's.
    assert_eq!(server.with_cookie(&cookie, "/api/v1/search").await.json()["total"], 0);
    let actions: Vec<String> =
        server.app.store.load_audit(None, 100).unwrap().into_iter().map(|row| row.entry.action).collect();
    assert!(
        ["account.link", "account.accept_link", "session.open"]
            .iter()
            .all(|one| actions.iter().any(|a| a == one))
    );
    let token = cookie.split_once('=').unwrap().1;
    for file in ["store.sqlite", "store.sqlite-wal"] {
        let kept = std::fs::read(server.directory.path().join("data").join(file)).unwrap_or_default();
        for secret in [PASSWORD, &code, token] {
            assert!(
                !kept.windows(secret.len()).any(|part| part == secret.as_bytes()),
                "a secret lies in {file}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrators_link_opens_nothing_once_somebody_administers() {
    let server = Server::with_accounts(&["ana"]).await;
    let link = || {
        let made = ops::link_for_first_administrator(&server.app, &Caller::LOCAL_OPERATOR).unwrap();
        made.map(|link| link.expose_secret().to_owned())
    };
    let accept = async |code: &str| {
        let values = [("code", code), ("user_name", "mallory"), ("password", PASSWORD), ("again", PASSWORD)];
        server.submit("/welcome", "", &values).await.status
    };
    let security = RoleOf { role: "security_admin".to_owned(), person: Some("ana".to_owned()), group: None };
    let old = link().unwrap();
    ops::grant_role(&server.app, &Caller::LOCAL_OPERATOR, &security).unwrap();
    assert_eq!(accept(&old).await, 401, "there is an administrator who can sign in");
    assert!(server.app.store.load_person("mallory").unwrap().is_none());
    // It does not come to life again with the next start, nor when there is none any more.
    assert_eq!(link(), None);
    ops::revoke_role(&server.app, &Caller::LOCAL_OPERATOR, &security).unwrap();
    assert_eq!(accept(&old).await, 401);
    let unused = link().unwrap();
    ops::grant_role(&server.app, &Caller::LOCAL_OPERATOR, &security).unwrap();
    assert_eq!(link(), None);
    ops::revoke_role(&server.app, &Caller::LOCAL_OPERATOR, &security).unwrap();
    assert_eq!(accept(&unused).await, 401, "a start withdraws it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_for_one_person_and_for_a_day() {
    let server = Server::with_accounts(&["bo"]).await;
    let invite = |name: &str| {
        ops::invite(&server.app, &Caller::LOCAL_OPERATOR, name, true).unwrap().expose_secret().to_owned()
    };
    let (code, late) = (invite("cy"), invite("dee"));
    server.execute(
        "UPDATE one_time_links SET ends = 1 WHERE person = (SELECT id FROM persons WHERE user_name = 'dee')",
    );
    let accept = async |code: &str, name: &str| {
        let values = [("code", code), ("user_name", name), ("password", PASSWORD), ("again", PASSWORD)];
        server.submit("/welcome", "", &values).await.status
    };
    assert_eq!(accept(&code, "bo").await, 400, "it would set somebody else's password");
    assert_eq!(accept(&late, "dee").await, 401);
    assert_eq!(accept("ncl_nonsense", "cy").await, 401);
    assert_eq!(accept(&code, "cy").await, 303);
    assert_eq!(accept(&code, "cy").await, 401);
    // It is taken back by deleting what it was for, and by another password.
    let taken_back = invite("eve");
    assert!(ops::delete_account(&server.app, &Caller::LOCAL_OPERATOR, "eve").unwrap().had_invitation);
    assert_eq!(accept(&taken_back, "eve").await, 401);
    let outrun = invite("eve");
    let password = SecretString::from("another long password");
    ops::set_password(&server.app, &Caller::LOCAL_OPERATOR, "eve", &password, false).unwrap();
    assert_eq!(accept(&outrun, "eve").await, 401);
    // Nobody became an administrator by it.
    let cookie = server.cookie_of("cy").await;
    assert_eq!(server.with_cookie(&cookie, "/api/v1/keys").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_signed_in_is_shown_where_to_and_nothing_else() {
    let server = Server::guarded().await.crawled().await;
    for (path, to) in
        [("/", "/sign-in"), ("/search?q=a+b&kind=page", "/sign-in?to=%2Fsearch%3Fq%3Da%2Bb%26kind%3Dpage")]
    {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(to)));
        assert!(answer.body.is_empty(), "{}", answer.body);
    }
    for path in ["/api/v1/search?q=incident", "/api/v1/status", "/metrics", "/mcp", "/api/v1/audit"] {
        let answer = server.get(path).await;
        assert_eq!(answer.code(), (401, "not_identified".to_owned()), "{path}");
    }
    for path in ["/healthz", "/readyz", "/sign-in", "/welcome", "/api/v1/openapi.json"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    let page = server.get("/sign-in?to=/search%3Fq%3Dx").await.body;
    assert!(page.contains("name=\"to\" value=\"/search?q=x\""), "{page}");
    assert!(!page.contains("Halden"), "the workspace's name is nobody's business: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_a_name_that_nobody_has_look_alike_and_take_as_long() {
    let server = Server::with_accounts(&["ana", "gone"]).await;
    server.people("gone,,false,\nnever,,,").await;
    let mut told = Vec::new();
    let mut took = Vec::new();
    for (name, password) in
        [("ana", "a wrong password"), ("nobody", PASSWORD), ("gone", PASSWORD), ("never", PASSWORD)]
    {
        let since = Instant::now();
        let answer = server.sign_in(name, password).await;
        took.push(since.elapsed());
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("set-cookie"), None);
        assert!(!answer.body.contains(password), "{}", answer.body);
        told.push(answer.body.replace(name, "NAME"));
    }
    assert!(told.windows(2).all(|two| two[0] == two[1]), "{told:?}");
    // Nobody is told sooner than the slowest would be.
    assert!(took.iter().all(|one| one.as_millis() >= 250), "{took:?}");
    // Of whom we know it is on the record; what was typed for a name that nobody has is not.
    let entries = format!("{:?}", server.app.store.load_audit(None, 100).unwrap());
    assert!(entries.contains("the password is wrong") && !entries.contains("nobody"), "{entries}");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_and_whoever_was_here_before_is_not_locked_out_by_it() {
    let server = Server::with_accounts(&["ana", "bo"]).await;
    let wrong = async || server.sign_in("ana", "a wrong password").await.status;
    for _ in 0..10 {
        assert_eq!(wrong().await, 401);
    }
    let slowed = server.sign_in("ana", PASSWORD).await;
    assert_eq!(slowed.status, 429);
    let seconds: u64 = slowed.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=11).contains(&seconds) && slowed.body.contains("oo many attempts"), "{}", slowed.body);
    let cookies = server.sign_in("bo", PASSWORD).await;
    assert_eq!(cookies.status, 429, "it is the address that waits, whatever the name");

    // Many addresses against one account, by a proxy that names them.
    let settings = ServerConfig { proxy: Some(proxy("127.0.0.1", None)), ..ServerConfig::default() };
    let server = Server::with_settings(settings).await;
    for name in ["ana", "bo"] {
        let password = SecretString::from(PASSWORD);
        ops::set_password(&server.app, &Caller::LOCAL_OPERATOR, name, &password, true).unwrap();
    }
    let origin = server.origin();
    let from = async |address: &str, name: &str, password: &str| {
        let headers = [("origin", origin.as_str()), ("x-forwarded-for", address)];
        server.submit_from("/sign-in", &headers, &[("user_name", name), ("password", password)]).await.status
    };
    assert_eq!(from("192.0.2.200", "ana", PASSWORD).await, 303);
    for number in 0..20 {
        assert_eq!(from(&format!("198.51.100.{number}"), "ana", "a wrong password").await, 401);
    }
    assert_eq!(from("198.51.100.77", "ana", PASSWORD).await, 429, "from anywhere else it waits");
    assert_eq!(from("192.0.2.200", "ana", PASSWORD).await, 303, "her own address is known");
    assert_eq!(from("198.51.100.77", "bo", PASSWORD).await, 303);
}

fn proxy(from: &str, user_header: Option<&str>) -> ProxyConfig {
    ProxyConfig { from: vec![from.parse().unwrap()], user_header: user_header.map(str::to_owned) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_new_each_time_and_ends_when_it_is_to() {
    let server = Server::with_accounts(&["ana"]).await;
    let set = server.sign_in("ana", PASSWORD).await.header("set-cookie").unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=604800"] {
        assert!(set.contains(part), "{set}");
    }
    // One that somebody planted is never taken up, and one that is signed in is replaced.
    let name = format!("notion-connector-{}", server.address.port());
    let planted = format!("{name}=ncs_{}", "A".repeat(43));
    assert!(!server.is_in(&planted).await);
    let wish = [("user_name", "ana"), ("password", PASSWORD)];
    let first = cookie(&server.submit("/sign-in", &planted, &wish).await);
    assert!(first != planted && !server.is_in(&planted).await && server.is_in(&first).await);
    let second = cookie(&server.submit("/sign-in", &first, &wish).await);
    assert!(second != first && !server.is_in(&first).await && server.is_in(&second).await);
    // Two cookies of that name: one may be somebody else's.
    assert!(!server.is_in(&format!("{second}; {planted}")).await);

    // Signing out takes the form's own token.
    let page = server.with_cookie(&second, "/").await.body;
    assert!(page.contains("ana"), "{page}");
    let token = form_token(&page).to_owned();
    let other = server.cookie_of("ana").await;
    let others = form_token(&server.with_cookie(&other, "/").await.body).to_owned();
    for wrong in ["", "AAAA", &others] {
        assert_eq!(server.submit("/sign-out", &second, &[("token", wrong)]).await.status, 403, "{wrong}");
    }
    assert!(server.is_in(&second).await);
    let out = server.submit("/sign-out", &second, &[("token", &token)]).await;
    assert_eq!((out.status, out.header("location")), (303, Some("/sign-in")));
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert!(!server.is_in(&second).await && server.is_in(&other).await);
    let third = server.cookie_of("ana").await;
    let everywhere = [("token", others.as_str()), ("everywhere", "yes")];
    assert_eq!(server.submit("/sign-out", &other, &everywhere).await.status, 303);
    assert!(!server.is_in(&other).await && !server.is_in(&third).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_idleness_age_and_whatever_takes_its_person_away() {
    let server = Server::with_accounts(&["ana"]).await;
    let hours = |hours: i64| format!("UPDATE sessions SET seen = seen - {}", hours * 3_600_000);
    let idle = server.cookie_of("ana").await;
    server.execute(&hours(11));
    assert!(server.is_in(&idle).await, "eleven hours are not idle");
    server.execute(&hours(13));
    assert!(!server.is_in(&idle).await);
    let old = server.cookie_of("ana").await;
    server.execute("UPDATE sessions SET ends = seen - 1");
    assert!(!server.is_in(&old).await);
    let ended = server.app.store.load_person("ana").unwrap().unwrap().id;
    let session = ops::open_session(&server.app, ended, None, "a test").unwrap();
    let lasts = server.app.runtime.now() + Duration::from_secs(7 * 24 * 3_600 + 1);
    let known = rusqlite::Connection::open(server.directory.path().join("data/store.sqlite"))
        .unwrap()
        .query_row("SELECT max(ends) FROM sessions", [], |row| row.get::<_, i64>(0))
        .unwrap();
    assert!(known < lasts.as_millisecond() && !session.expose_secret().is_empty());

    // A new password, by whoever it is set; a deactivation; a role that was taken away.
    let before = server.cookie_of("ana").await;
    let new = SecretString::from("another long password");
    ops::set_password(&server.app, &Caller::LOCAL_OPERATOR, "ana", &new, false).unwrap();
    assert!(!server.is_in(&before).await);
    assert_eq!(server.sign_in("ana", PASSWORD).await.status, 401);
    let admin = RoleOf { role: "connector_admin".to_owned(), person: Some("ana".to_owned()), group: None };
    ops::grant_role(&server.app, &Caller::LOCAL_OPERATOR, &admin).unwrap();
    let cookie = cookie(&server.sign_in("ana", "another long password").await);
    assert_eq!(server.with_cookie(&cookie, "/api/v1/status").await.status, 200);
    ops::revoke_role(&server.app, &Caller::LOCAL_OPERATOR, &admin).unwrap();
    assert_eq!(server.with_cookie(&cookie, "/api/v1/status").await.status, 403);
    server.people("ana,,false,").await;
    assert!(!server.is_in(&cookie).await);
    server.people("ana,,true,").await;
    assert!(!server.is_in(&cookie).await, "what let her in before she left does not let her in again");
    let cookie = self::cookie(&server.sign_in("ana", "another long password").await);
    assert!(server.is_in(&cookie).await);
    assert_eq!(ops::sign_out_account(&server.app, &Caller::LOCAL_OPERATOR, "ana").unwrap(), 1);
    assert!(!server.is_in(&cookie).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_who_sees_what_and_why_somebody_finds_nothing_but_not_how_much_there_is() {
    let server = Server::guarded().await.crawled().await;
    for name in ["ines", "lone", "chief"] {
        let password = SecretString::from(PASSWORD);
        ops::set_password(&server.app, &Caller::LOCAL_OPERATOR, name, &password, true).unwrap();
    }
    server.people("ines,Ines.Duarte@halden-brook.example,,\nlone,lone@example.org,,\nchief,,,").await;
    let chief = RoleOf { role: "security_admin".to_owned(), person: Some("chief".to_owned()), group: None };
    ops::grant_role(&server.app, &Caller::LOCAL_OPERATOR, &chief).unwrap();
    let page = async |name: &str| {
        let page = server.with_cookie(&server.cookie_of(name).await, "/").await.body;
        assert!(!page.contains("Nothing is indexed") && !page.contains("at this machine"), "{page}");
        page
    };
    let foot = "whoever is known here as a person of the workspace finds everything";
    let shown = page("ines").await;
    assert!(shown.contains(foot) && shown.contains("class=\"count\""), "{shown}");
    let shown = page("lone").await;
    assert!(shown.contains("no connector knows you") && shown.contains("security administrator"), "{shown}");
    for privileged in ["notion-connector ", "class=\"count\"", "Halden", " items"] {
        assert!(!shown.contains(privileged), "{privileged} in {shown}");
    }
    let shown = page("chief").await;
    assert!(
        shown.contains("no connector knows you") && shown.contains("people list --state unmapped"),
        "{shown}"
    );

    ops::switch_audiences(&server.app, &Caller::LOCAL_OPERATOR, None, true).unwrap();
    let shown = page("ines").await;
    assert!(shown.contains("none of them grants you anything") && !shown.contains(" items"), "{shown}");
    let everyone = SetAudience { place: None, property: None, grants: vec!["everyone".parse().unwrap()] };
    ops::set_audience(&server.app, &Caller::LOCAL_OPERATOR, None, &everyone).await.unwrap();
    let shown = page("ines").await;
    assert!(shown.contains("you find what they") && shown.contains("class=\"count\""), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_change_their_own_password_for_the_one_they_know() {
    let server = Server::with_accounts(&["ana", "bo"]).await;
    assert_eq!(server.get("/account").await.header("location"), Some("/sign-in?to=%2Faccount"));
    let (here, elsewhere) = (server.cookie_of("ana").await, server.cookie_of("ana").await);
    let token = form_token(&server.with_cookie(&here, "/account").await.body).to_owned();
    let others = form_token(&server.with_cookie(&elsewhere, "/account").await.body).to_owned();
    let new = "another long password";
    let change = async |token: &str, old: &str, new: &str, again: &str| {
        let values = [("token", token), ("old", old), ("password", new), ("again", again)];
        server.submit("/account", &here, &values).await
    };
    assert_eq!(change(&others, PASSWORD, new, new).await.status, 403);
    assert_eq!(change(&token, "not the old one", new, new).await.status, 401);
    assert_eq!(change(&token, PASSWORD, new, "something else").await.status, 400);
    let short = change(&token, PASSWORD, "short", "short").await;
    assert!(short.status == 400 && short.body.contains("at least 12"), "{}", short.body);
    assert!(server.is_in(&elsewhere).await);
    let changed = change(&token, PASSWORD, new, new).await;
    assert_eq!((changed.status, changed.header("location")), (303, Some("/")));
    assert!(server.is_in(&cookie(&changed)).await);
    assert!(!server.is_in(&here).await && !server.is_in(&elsewhere).await);
    assert_eq!(server.sign_in("ana", PASSWORD).await.status, 401);
    assert_eq!(server.sign_in("ana", new).await.status, 303);
    assert_eq!(server.sign_in("bo", PASSWORD).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_page_changes_nothing_with_the_browsers_cookie_and_leads_nobody_away() {
    let server = Server::with_accounts(&["ana"]).await;
    let admin = RoleOf { role: "security_admin".to_owned(), person: Some("ana".to_owned()), group: None };
    ops::grant_role(&server.app, &Caller::LOCAL_OPERATOR, &admin).unwrap();
    let cookie = server.cookie_of("ana").await;
    let body = json!({"name": "stolen", "scopes": ["search"]}).to_string();
    let length = body.len().to_string();
    let own = server.origin();
    let make = async |headers: &[(&str, &str)]| {
        let usual = [
            ("content-type", "application/json"),
            ("content-length", length.as_str()),
            ("cookie", cookie.as_str()),
        ];
        let headers: Vec<_> = usual.into_iter().chain(headers.iter().copied()).collect();
        server.exchange("POST", "/api/v1/keys", &headers, &body).await
    };
    for headers in [
        vec![],
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site"), ("origin", own.as_str())],
    ] {
        assert_eq!(make(&headers).await.code(), (403, "cross_origin".to_owned()), "{headers:?}");
    }
    assert_eq!(make(&[("origin", &own), ("sec-fetch-site", "same-origin")]).await.status, 201);
    // Nobody is signed in as somebody else's account without noticing.
    let wish = [("user_name", "ana"), ("password", PASSWORD)];
    for headers in [vec![], vec![("origin", "https://evil.example")]] {
        assert_eq!(server.submit_from("/sign-in", &headers, &wish).await.status, 403, "{headers:?}");
    }
    for to in [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
    ] {
        let wish = [("user_name", "ana"), ("password", PASSWORD), ("to", to)];
        let led = server.submit("/sign-in", "", &wish).await;
        assert_eq!((led.status, led.header("location")), (303, Some("/")), "{to}");
        let query: String = form_urlencoded::byte_serialize(to.as_bytes()).collect();
        let led = server.with_cookie(&cookie, &format!("/sign-in?to={query}")).await;
        assert_eq!((led.status, led.header("location")), (303, Some("/")), "{to}");
    }
    let wish = [("user_name", "ana"), ("password", PASSWORD), ("to", "/search?q=x")];
    assert_eq!(server.submit("/sign-in", "", &wish).await.header("location"), Some("/search?q=x"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_names_users_where_it_is_believed_and_nobody_else_does() {
    let named = |from: &str| ServerConfig {
        proxy: Some(proxy(from, Some("X-Forwarded-User"))),
        public_url: PublicUrl::try_from("https://search.example.org".to_owned()).ok(),
        ..ServerConfig::default()
    };
    let server = Server::with_settings(named("127.0.0.1")).await;
    server.people("ana,,,\ngone,,false,").await;
    let ask = async |headers: &[(&str, &str)]| {
        let host = [("host", "search.example.org")];
        let headers: Vec<_> = host.into_iter().chain(headers.iter().copied()).collect();
        server.ask("GET", "/api/v1/search", &headers).await.status
    };
    assert_eq!(ask(&[("x-forwarded-user", "Ana")]).await, 200);
    assert_eq!(ask(&[]).await, 401);
    for unknown in ["gone", "nobody"] {
        assert_eq!(ask(&[("x-forwarded-user", unknown)]).await, 403, "{unknown}");
    }
    assert_eq!(ask(&[("x-forwarded-user", "ana"), ("x-forwarded-user", "root")]).await, 403);
    assert_eq!(ask(&[("x-forwarded-user", "ana"), ("x-forwarded-proto", "http")]).await, 403);
    // What a proxy adds to every request, another page's requests have too.
    let host = ("host", "search.example.org");
    let user = ("x-forwarded-user", "ana");
    let cancel = async |headers: &[(&str, &str)]| {
        server.ask("POST", "/api/v1/crawls/1/cancel", headers).await.code().1
    };
    assert_eq!(cancel(&[host, user]).await, "cross_origin");
    assert_eq!(cancel(&[host, user, ("origin", "http://search.example.org")]).await, "cross_origin");
    assert_eq!(cancel(&[host, user, ("origin", "https://search.example.org")]).await, "forbidden");

    // Over https the cookie is one that only https and this host can set.
    let password = SecretString::from(PASSWORD);
    ops::set_password(&server.app, &Caller::LOCAL_OPERATOR, "ana", &password, true).unwrap();
    let headers = [host, ("origin", "https://search.example.org")];
    let entered =
        server.submit_from("/sign-in", &headers, &[("user_name", "ana"), ("password", PASSWORD)]).await;
    let set = entered.header("set-cookie").unwrap();
    assert!(set.starts_with("__Host-notion-connector=ncs_") && set.contains("; Secure"), "{set}");
    assert!(entered.header("strict-transport-security").is_some());
    assert_eq!(server.ask("GET", "/", &[host, ("cookie", &cookie(&entered))]).await.status, 200);

    // The same header from whom nobody believes.
    let server = Server::with_settings(named("10.0.0.1")).await;
    server.people("ana,,,").await;
    assert_eq!(server.ask("GET", "/api/v1/search", &[user]).await.status, 403);
    assert_eq!(server.ask("GET", "/healthz", &[("X-Forwarded-USER", "ana")]).await.status, 403);
    assert_eq!(server.ask("GET", "/healthz", &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_signs_in_only_this_machine_is_heard() {
    let server = Server::empty().await;
    assert_eq!(server.get("/api/v1/status").await.status, 200);
    for header in ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"] {
        let answer = server.ask("GET", "/api/v1/status", &[(header, "192.0.2.1")]).await;
        assert_eq!(answer.status, 403, "{header}");
    }
    let sign_in = server.get("/sign-in?to=/search").await;
    assert_eq!((sign_in.status, sign_in.header("location")), (303, Some("/search")));
}
