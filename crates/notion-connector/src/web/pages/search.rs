//! The search page.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use jiff::Timestamp;
use url::{Url, form_urlencoded};

use super::segments::{Segment, segments};
use super::sign_in::SignedIn;
use super::when::When;
use crate::model::{ItemKind, NotionId};
use crate::ops::{
    self, FacetBy, FacetCounts, Filters, HitFile, HitProperty, Nothing, Overview, PropertyFilter, Reach,
    SearchAnswer, SearchHit, SearchQuery,
};
use crate::search::MAX_OFFSET;
use crate::web::Web;
use crate::web::api::search::MAX_QUERY_CHARS;
use crate::web::assets::Assets;
use crate::web::caller::{Asking, SessionToken};
use crate::web::parameters::MAX_VALUES;
use crate::web::problem::Problem;
use crate::web::sample::{self, Pick};

/// Results of one page.
const PAGE_SIZE: usize = 10;
const LAST_PAGE: usize = MAX_OFFSET / PAGE_SIZE;

/// The search page
///
/// As `/search`; without a query it shows what was edited last, and when nothing is indexed how to begin.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "start_page",
    tag = "page",
    responses((status = 200, description = "The page.", body = String, content_type = "text/html"))
)]
pub(in crate::web) async fn start(
    state: State<Arc<Web>>,
    asking: Asking,
    session: Option<Extension<SessionToken>>,
    uri: Uri,
) -> Result<Response, Problem> {
    results(state, asking, session, uri).await
}

/// Results as a page
///
/// What cannot be used of the parameters is left out: a page never fails for a mistyped address.
#[utoipa::path(
    get,
    path = "/search",
    operation_id = "results_page",
    tag = "page",
    params(
        ("q" = Option<String>, Query, description = "What to search for."),
        ("kind" = Option<ItemKind>, Query, description = "Only this kind."),
        ("extension" = Option<Vec<String>>, Query, description = "Only files whose names end so."),
        ("in" = Option<Vec<String>>, Query, description = "Only below these pages or databases."),
        ("editor" = Option<Vec<String>>, Query, description = "Only what these people edited last."),
        ("property" = Option<Vec<String>>, Query, description = "Only rows with these properties."),
        ("page" = Option<usize>, Query, minimum = 1, description = "Which page of the results.")
    ),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html"))
)]
pub(in crate::web) async fn results(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    session: Option<Extension<SessionToken>>,
    uri: Uri,
) -> Result<Response, Problem> {
    let signed_in = SignedIn::of(&caller, session.as_deref());
    let asked = Asked::from_query(uri.query().unwrap_or_default());
    let now = web.app.runtime.now();
    let query = SearchQuery {
        text: asked.text.clone(),
        limit: PAGE_SIZE,
        offset: (asked.page - 1) * PAGE_SIZE,
        filters: Filters {
            kinds: asked.kind.into_iter().collect(),
            extensions: asked.extensions.clone(),
            within: asked.within.clone(),
            editors: asked.editors.clone(),
            properties: asked.properties.clone(),
            ..Filters::default()
        },
        facets: BTreeSet::from([FacetBy::Extension, FacetBy::Database, FacetBy::Editor, FacetBy::Property]),
    };
    let picks = sample::picks(&web, &caller, &asked.address());
    let found = web.blocking(move |web| {
        let index = web.index()?;
        let overview = ops::overview(&web.app, index.as_ref(), &caller)?;
        let answer = match &index {
            Some(index) => ops::search_on_record(&web.app, index, &query, &caller)?,
            None => SearchAnswer::default(),
        };
        Ok((overview, answer))
    });
    let (overview, answer) = found.await?;
    super::render(&SearchPage { signed_in, picks, ..SearchPage::new(&asked, &overview, &answer, now) })
}

/// What an address asks the page for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    text: String,
    kind: Option<ItemKind>,
    extensions: Vec<String>,
    within: Vec<NotionId>,
    editors: Vec<String>,
    properties: Vec<PropertyFilter>,
    /// From 1.
    page: usize,
}

impl Asked {
    fn from_query(query: &str) -> Self {
        let mut asked = Self { page: 1, ..Self::default() };
        let text = |value: &str| (!value.is_empty()).then(|| value.to_owned());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "q" => asked.text = value.trim().chars().take(MAX_QUERY_CHARS).collect(),
                "kind" => asked.kind = value.parse().ok(),
                "in" => add(&mut asked.within, value.parse().ok()),
                "extension" => add(&mut asked.extensions, text(&value)),
                "editor" => add(&mut asked.editors, text(&value)),
                "property" => add(&mut asked.properties, value.parse().ok()),
                "page" => asked.page = value.parse().unwrap_or(1).clamp(1, LAST_PAGE),
                _ => {}
            }
        }
        asked
    }

    /// The address of the page that shows this.
    fn address(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.text.is_empty() {
            query.append_pair("q", &self.text);
        }
        for (name, value) in self.narrowing() {
            query.append_pair(name, &value);
        }
        if self.page > 1 {
            query.append_pair("page", &self.page.to_string());
        }
        let query = query.finish();
        if query.is_empty() { "/".to_owned() } else { format!("/search?{query}") }
    }

    /// The parameters that narrow the search.
    fn narrowing(&self) -> Vec<(&'static str, String)> {
        let kinds = self.kind.iter().map(|kind| ("kind", kind.as_str().to_owned()));
        let extensions = self.extensions.iter().map(|extension| ("extension", extension.clone()));
        let within = self.within.iter().map(|id| ("in", id.0.simple().to_string()));
        let editors = self.editors.iter().map(|editor| ("editor", editor.clone()));
        let properties = self.properties.iter().map(|filter| ("property", filter.to_string()));
        kinds.chain(extensions).chain(within).chain(editors).chain(properties).collect()
    }

    /// The same, narrowed by one of the values that were counted.
    fn narrowed(&self, by: &str, filter: &str) -> Self {
        let mut asked = Self { page: 1, ..self.clone() };
        match by {
            "extension" => add(&mut asked.extensions, Some(filter.to_owned())),
            "database" => add(&mut asked.within, filter.parse().ok()),
            "editor" => add(&mut asked.editors, Some(filter.to_owned())),
            _ => add(&mut asked.properties, filter.parse().ok()),
        }
        asked
    }
}

/// Takes what can be used, once, and no more than REST would.
fn add<T: PartialEq>(values: &mut Vec<T>, value: Option<T>) {
    if let Some(value) = value.filter(|value| !values.contains(value) && values.len() < MAX_VALUES) {
        values.push(value);
    }
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage<'a> {
    assets: &'static Assets,
    signed_in: Option<SignedIn>,
    /// Whom one may look as, in the demo.
    picks: Vec<Pick>,
    query: &'a str,
    /// What narrows the search: names and values of parameters.
    narrowing: Vec<(&'static str, String)>,
    filters: Vec<Filter>,
    chosen: Vec<Chosen>,
    facets: Vec<FacetView<'a>>,
    /// How many properties are not among the facets.
    more_properties: usize,
    workspace: String,
    /// Everything that could be found.
    items: String,
    /// Whether nothing could.
    is_empty: bool,
    /// Why.
    nothing: Nothing,
    /// Whether the one who looks may be told what administrators do about it.
    administers: bool,
    who_sees: &'static str,
    under_way: Vec<String>,
    /// "3 results", "Edited last".
    heading: String,
    relaxed: bool,
    hits: Vec<HitView<'a>>,
    /// Number of the first result in the list.
    first: usize,
    previous: Option<String>,
    next: Option<String>,
    /// The same words among everything, when anything narrows the search.
    without_filter: Option<String>,
}

/// A choice of what to show.
struct Filter {
    label: &'static str,
    address: String,
    is_chosen: bool,
}

/// One result, ready to be shown.
struct HitView<'a> {
    icon: Option<&'a str>,
    kind: &'static str,
    kind_label: &'static str,
    title: Vec<Segment<'a>>,
    /// None when the address is not one of the web.
    href: Option<String>,
    breadcrumb: &'a [String],
    snippet: Vec<Segment<'a>>,
    properties: &'a [HitProperty],
    file: Option<FileView<'a>>,
    editor: Option<&'a str>,
    edited: When,
}

/// What a result that is a file shows beside the rest.
struct FileView<'a> {
    extension: &'a str,
    size: String,
    remarks: Vec<String>,
}

/// Something that narrows the search, and the address without it.
struct Chosen {
    label: String,
    address: String,
}

/// What was counted, as links that narrow the search.
struct FacetView<'a> {
    label: &'a str,
    values: Vec<FacetLink<'a>>,
    more: usize,
}

/// A value that narrows the search.
struct FacetLink<'a> {
    label: &'a str,
    address: String,
    count: String,
}

impl<'a> FacetView<'a> {
    /// None when no value would narrow the search further.
    fn new(facet: &'a FacetCounts, asked: &Asked, total: usize) -> Option<Self> {
        let label = match (&facet.property, facet.by) {
            (Some(name), _) => name.as_str(),
            (None, "extension") => "Extension",
            (None, "database") => "Database",
            (None, _) => "Edited by",
        };
        let links = facet.values.iter().filter(|value| value.count < total).map(|value| FacetLink {
            label: &value.label,
            address: asked.narrowed(facet.by, &value.filter).address(),
            count: grouped(value.count as u64),
        });
        let values: Vec<FacetLink<'a>> = links.collect();
        (!values.is_empty()).then_some(Self { label, values, more: facet.more })
    }
}

fn chosen(asked: &Asked, answer: &SearchAnswer) -> Vec<Chosen> {
    let named = |by: &str, filter: &str| {
        let counts = answer.facets.iter().filter(|facet| facet.by == by);
        let found = counts.flat_map(|facet| &facet.values).find(|value| value.filter == filter);
        found.map_or_else(|| filter.to_owned(), |value| value.label.clone())
    };
    let mut chosen = Vec::new();
    let mut choice = |label: String, without: Asked| {
        chosen.push(Chosen { label, address: Asked { page: 1, ..without }.address() });
    };
    for (at, extension) in asked.extensions.iter().enumerate() {
        let mut without = asked.clone();
        without.extensions.remove(at);
        choice(format!("Extension: {extension}"), without);
    }
    for (at, id) in asked.within.iter().enumerate() {
        let mut without = asked.clone();
        without.within.remove(at);
        choice(format!("In {}", named("database", &id.0.simple().to_string())), without);
    }
    for (at, editor) in asked.editors.iter().enumerate() {
        let mut without = asked.clone();
        without.editors.remove(at);
        choice(format!("Edited by {}", named("editor", editor)), without);
    }
    for (at, filter) in asked.properties.iter().enumerate() {
        let mut without = asked.clone();
        without.properties.remove(at);
        choice(filter.describe(), without);
    }
    chosen
}

impl<'a> SearchPage<'a> {
    fn new(asked: &'a Asked, overview: &Overview, answer: &'a SearchAnswer, now: Timestamp) -> Self {
        let is_empty = overview.items == 0;
        let at = |page| Asked { page, ..asked.clone() }.address();
        let reachable = answer.total.min(MAX_OFFSET);
        let workspace = match overview.workspaces.as_slice() {
            [] => "Notion".to_owned(),
            names => names.join(", "),
        };
        Self {
            assets: Assets::get(),
            signed_in: None,
            picks: Vec::new(),
            query: &asked.text,
            narrowing: asked.narrowing(),
            filters: filters(asked),
            chosen: chosen(asked, answer),
            facets: answer
                .facets
                .iter()
                .filter_map(|facet| FacetView::new(facet, asked, answer.total))
                .collect(),
            more_properties: answer.more_properties,
            workspace,
            items: counted(overview.items, "item"),
            is_empty,
            nothing: overview.nothing,
            administers: overview.administers,
            who_sees: who_sees(overview.reach),
            under_way: overview.under_way.iter().map(under_way).collect(),
            heading: heading(asked, answer),
            relaxed: answer.relaxed,
            hits: answer.hits.iter().map(|hit| HitView::new(hit, now)).collect(),
            first: (asked.page - 1) * PAGE_SIZE + 1,
            previous: (asked.page > 1).then(|| at(asked.page - 1)),
            next: (asked.page * PAGE_SIZE < reachable).then(|| at(asked.page + 1)),
            without_filter: (!asked.narrowing().is_empty())
                .then(|| Asked { text: asked.text.clone(), page: 1, ..Asked::default() }.address()),
        }
    }
}

impl<'a> HitView<'a> {
    fn new(hit: &'a SearchHit, now: Timestamp) -> Self {
        Self {
            icon: hit.icon.as_deref(),
            kind: hit.kind.as_str(),
            kind_label: label(hit.kind),
            title: segments(&hit.title, &hit.title_highlights),
            href: web_address(&hit.url),
            breadcrumb: &hit.breadcrumb,
            snippet: segments(&hit.snippet, &hit.highlights),
            properties: &hit.properties,
            file: hit.file.as_ref().map(|HitFile { facts, .. }| FileView {
                extension: &facts.extension,
                size: facts.size(),
                remarks: facts.remarks(),
            }),
            editor: hit.last_edited_by.as_deref(),
            edited: When::of(hit.last_edited_time, now),
        }
    }
}

/// An address that may be a link: whatever Notion sent, a page must not offer a script to run or a file to open.
fn web_address(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}

const fn label(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Page => "Page",
        ItemKind::Row => "Row",
        ItemKind::Database => "Database",
        ItemKind::DataSource => "Data source",
        ItemKind::File => "File",
    }
}

fn filters(asked: &Asked) -> Vec<Filter> {
    let choice = |label, kind| Filter {
        label,
        address: Asked { kind, page: 1, ..asked.clone() }.address(),
        is_chosen: asked.kind == kind,
    };
    vec![
        choice("All", None),
        choice("Pages", Some(ItemKind::Page)),
        choice("Rows", Some(ItemKind::Row)),
        choice("Databases", Some(ItemKind::Database)),
        choice("Data sources", Some(ItemKind::DataSource)),
        choice("Files", Some(ItemKind::File)),
    ]
}

/// Who sees what, for one who looks.
const fn who_sees(reach: Reach) -> &'static str {
    match reach {
        Reach::Everything => {
            "nobody signs in here, so whoever works at this machine finds everything that was indexed."
        }
        Reach::Nowhere => {
            "Notion tells nobody's permissions. One finds here what was indexed of the workspaces in which one is known as a \
             person."
        }
        Reach::Workspaces => {
            "Notion tells nobody's permissions, so whoever is known here as a person of the workspace finds everything that \
             was indexed of it."
        }
        Reach::Rules => {
            "Notion tells nobody's permissions. Here, rules of your organisation say who finds what, and you find what they \
             grant you."
        }
        Reach::Both => {
            "Notion tells nobody's permissions. Of some workspaces, whoever is known here as a person of them finds \
             everything; of others, what rules of your organisation grant."
        }
    }
}

fn heading(asked: &Asked, answer: &SearchAnswer) -> String {
    if asked.text.is_empty() {
        return "Edited last".to_owned();
    }
    let count = if answer.total == 0 { "No results".to_owned() } else { counted(answer.total, "result") };
    if asked.page > 1 { format!("{count}, page {}", asked.page) } else { count }
}

fn under_way(crawl: &ops::UnderWay) -> String {
    let (processed, known) = (grouped(crawl.processed), grouped(crawl.known));
    let open_end = if crawl.listing { "+" } else { "" };
    format!("Crawling {}: {processed} of {known}{open_end} items", crawl.connector)
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(count as u64))
}

/// 1234567 as 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::FileFacts;
    use crate::ops::FacetCount;

    fn hit(title: &str, url: &str) -> SearchHit {
        SearchHit {
            block_id: None,
            file: None,
            properties: vec![HitProperty { name: "Stage".to_owned(), text: "<u>Live".to_owned() }],
            id: NotionId(Uuid::from_u128(1)),
            kind: ItemKind::Page,
            title: title.to_owned(),
            title_highlights: vec![[0, 3]],
            url: url.to_owned(),
            breadcrumb: vec!["Home & <b>".to_owned()],
            score: 1.0,
            snippet: "</mark><script>alert(1)</script>".to_owned(),
            highlights: vec![[0, 7]],
            icon: Some("🚒".to_owned()),
            last_edited_time: Timestamp::UNIX_EPOCH,
            last_edited_by: Some("<i>Eve</i>".to_owned()),
        }
    }

    fn html(asked: &Asked, overview: &Overview, answer: &SearchAnswer) -> String {
        SearchPage::new(asked, overview, answer, Timestamp::UNIX_EPOCH).render().unwrap()
    }

    fn full() -> Overview {
        Overview { items: 12_345, workspaces: vec!["<Acme>".to_owned()], ..Overview::default() }
    }

    #[test]
    fn everything_from_outside_is_escaped_before_it_is_marked() {
        let asked = Asked::from_query("q=%22%3E%3Cscript%3E");
        let hits = vec![hit("<x>&", "https://www.notion.so/1")];
        let html = html(&asked, &full(), &SearchAnswer { total: 1, hits, ..SearchAnswer::default() });
        assert!(!html.contains("<script>"), "{html}");
        assert!(!html.contains("<i>Eve") && !html.contains("<b>") && !html.contains("<Acme>"), "{html}");
        assert!(html.contains("<mark>&#60;x&#62;</mark>&#38;"), "{html}");
        assert!(html.contains("<mark>&#60;/mark&#62;</mark>&#60;script&#62;"), "{html}");
    }

    #[test]
    fn only_addresses_of_the_web_become_links() {
        for (url, is_link) in [
            ("https://www.notion.so/a", true),
            ("http://127.0.0.1:1/a", true),
            ("javascript:alert(1)", false),
            (" javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("file:///etc/passwd", false),
            ("notion://a", false),
            ("/relative", false),
            ("", false),
        ] {
            assert_eq!(web_address(url).is_some(), is_link, "{url}");
        }
        let asked = Asked::from_query("q=x");
        let hits = vec![hit("title", "javascript:alert(1)")];
        let html = html(&asked, &full(), &SearchAnswer { total: 1, hits, ..SearchAnswer::default() });
        assert!(!html.contains("javascript:"), "{html}");
        assert!(html.contains("<mark>tit</mark>le"), "the title is shown all the same: {html}");
    }

    #[test]
    fn an_empty_index_teaches_how_to_begin() {
        let shown = |administers, nothing| {
            let overview = Overview { administers, nothing, ..Overview::default() };
            html(&Asked::from_query(""), &overview, &SearchAnswer::default())
        };
        assert!(shown(true, Nothing::NotIndexed).contains("notion-connector crawl"));
        assert!(shown(true, Nothing::Unmapped).contains("people list --state unmapped"));
        assert!(shown(true, Nothing::NotGranted).contains("access what"));
        for (nothing, heading) in [
            (Nothing::NotIndexed, "Nothing is indexed yet"),
            (Nothing::Unmapped, "You are not known here yet"),
            (Nothing::NotGranted, "Nothing is granted to you yet"),
        ] {
            let html = shown(false, nothing);
            assert!(
                html.contains(heading) && html.contains("Ask ") && !html.contains("<code>notion"),
                "{html}"
            );
        }
    }

    #[test]
    fn the_foot_says_who_sees_what_and_blames_this_machine_only_where_nobody_signs_in() {
        let foot = |reach| {
            let overview = Overview { reach, ..full() };
            html(&Asked::from_query(""), &overview, &SearchAnswer::default())
        };
        for (reach, says) in [
            (Reach::Everything, [true, false, false]),
            (Reach::Nowhere, [false, false, true]),
            (Reach::Workspaces, [false, false, true]),
            (Reach::Rules, [false, true, false]),
            (Reach::Both, [false, true, true]),
        ] {
            let foot = foot(reach);
            let said =
                ["at this machine", "rules of your organisation", "known "].map(|part| foot.contains(part));
            assert_eq!(said, says, "{reach:?}");
        }
    }

    #[test]
    fn addresses_keep_query_and_kind_and_begin_again_at_the_first_page() {
        let asked = Asked::from_query("q=a%26b+%E8%AD%B0&kind=data_source&page=3&unknown=1");
        assert_eq!(asked.address(), "/search?q=a%26b+%E8%AD%B0&kind=data_source&page=3");
        assert_eq!(Asked::from_query(asked.address().split_once('?').unwrap().1), asked);
        assert!(filters(&asked).iter().all(|filter| !filter.address.contains("page=")));
        assert_eq!(Asked::from_query("kind=nest&page=0"), Asked { page: 1, ..Asked::default() });
        assert_eq!(Asked::from_query("page=999999999").page, LAST_PAGE);
    }

    #[test]
    fn facets_narrow_and_what_was_chosen_can_be_taken_back() {
        let asked = Asked::from_query(
            "q=x&kind=row&property=%22a%3Db%22%3D%3Ci%3E&editor=Anna&in=nonsense&property=bad",
        );
        assert_eq!((asked.properties.len(), asked.within.len()), (1, 0), "what cannot be used is left out");
        assert_eq!(Asked::from_query(asked.address().split_once('?').unwrap().1), asked);
        let value = |label: &str, count| FacetCount {
            filter: format!("Status={label}"),
            label: label.to_owned(),
            count,
        };
        let values = vec![value("<b>Done", 2), value("Everywhere", 3)];
        let facets =
            vec![FacetCounts { by: "property", property: Some("Status".to_owned()), values, more: 7 }];
        let hits = vec![hit("title", "https://www.notion.so/1")];
        let answer = SearchAnswer { total: 3, hits, facets, ..SearchAnswer::default() };
        let html = html(&asked, &full(), &answer);
        assert!(html.contains("property=Status%3D%3Cb%3EDone\">"), "{html}");
        assert!(!html.contains("<b>Done") && !html.contains("<i>\""), "{html}");
        assert!(!html.contains("Everywhere"), "what all have narrows nothing: {html}");
        assert!(html.contains("and 7 more"), "{html}");
        assert!(html.contains("a=b: &#60;i&#62;"), "{html}");
        assert!(html.contains("<input type=\"hidden\" name=\"editor\" value=\"Anna\">"), "{html}");
        assert!(html.contains("/search?q=x&#38;kind=row&#38;property="), "without the editor: {html}");
    }

    #[test]
    fn a_file_shows_what_is_known_of_it() {
        let asked = Asked::from_query("q=x&extension=%3Cb%3E&extension=");
        assert_eq!(asked.extensions, ["<b>"]);
        assert_eq!(Asked::from_query(asked.address().split_once('?').unwrap().1), asked);
        let facts = FileFacts {
            extension: "<u>x".to_owned(),
            bytes: 1_250_000,
            stale: true,
            note: Some("its host does not have it".to_owned()),
            generated: Some("ocr".to_owned()),
            ..FileFacts::default()
        };
        let found = hit("Plan.x", "https://www.notion.so/1");
        let file = Some(HitFile { facts, page: Some(NotionId(Uuid::from_u128(2))) });
        let hits = vec![SearchHit { kind: ItemKind::File, file, ..found }];
        let values = vec![FacetCount { filter: "pdf".to_owned(), label: "pdf".to_owned(), count: 1 }];
        let facets = vec![FacetCounts { by: "extension", property: None, values, more: 0 }];
        let html = html(&asked, &full(), &SearchAnswer { total: 3, hits, facets, ..SearchAnswer::default() });
        for part in [
            "<bdi>&#60;u&#62;x</bdi>",
            ">1.3 MB<",
            "old text, as it was before: its host does not have it",
            "text recognised in images",
            "Extension: &#60;b&#62;",
            "extension=%3Cb%3E&#38;extension=pdf",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("<u>x") && !html.contains("<b>"), "{html}");
    }

    #[test]
    fn a_crawl_that_has_not_ended_is_told_of() {
        let crawl =
            |listing| ops::UnderWay { connector: "acme".to_owned(), processed: 120, known: 1_300, listing };
        let overview = Overview { under_way: vec![crawl(true), crawl(false)], ..full() };
        let html = html(&Asked::from_query(""), &overview, &SearchAnswer::default());
        assert!(html.contains("Crawling acme: 120 of 1,300+ items<"), "{html}");
        assert!(html.contains("Crawling acme: 120 of 1,300 items<"), "{html}");
    }

    #[test]
    fn numbers_are_grouped() {
        let shown: Vec<String> = [0, 999, 1_000, 1_234_567].into_iter().map(grouped).collect();
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }
}
