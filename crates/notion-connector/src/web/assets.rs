//! Style, script and icon: part of the program, named by their content so that browsers may keep them for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// One file.
struct Asset {
    path: String,
    media_type: &'static str,
    content: &'static str,
}

/// The files of the page.
pub(super) struct Assets {
    style: Asset,
    script: Asset,
    icon: Asset,
}

impl Assets {
    pub(super) fn get() -> &'static Self {
        static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
            style: Asset::new("page", "css", "text/css; charset=utf-8", include_str!("assets/page.css")),
            script: Asset::new(
                "page",
                "js",
                "text/javascript; charset=utf-8",
                include_str!("assets/page.js"),
            ),
            icon: Asset::new("icon", "svg", "image/svg+xml", include_str!("assets/icon.svg")),
        });
        &ASSETS
    }

    /// Path of the style sheet.
    pub(super) fn style(&self) -> &str {
        &self.style.path
    }

    /// Path of the script.
    pub(super) fn script(&self) -> &str {
        &self.script.path
    }

    /// Path of the icon.
    pub(super) fn icon(&self) -> &str {
        &self.icon.path
    }
}

impl Asset {
    fn new(name: &str, extension: &str, media_type: &'static str, content: &'static str) -> Self {
        let hash = blake3::hash(content.as_bytes()).to_hex();
        let path = format!("/assets/{name}-{}.{extension}", &hash[..12]);
        Self { path, media_type, content }
    }
}

/// A file of the page
///
/// The name carries a hash of the content: an answer may be kept for ever.
#[utoipa::path(
    get,
    path = "/assets/{name}",
    operation_id = "show_asset",
    tag = "page",
    params(("name" = String, Path, description = "Name of the file, as the page names it.")),
    responses(
        (status = 200, description = "The file."),
        (status = 404, description = "There is no such file in this version.")
    )
)]
pub(super) async fn show(Path(name): Path<String>) -> Result<Response, Problem> {
    let Assets { style, script, icon } = Assets::get();
    let asset = [style, script, icon]
        .into_iter()
        .find(|asset| asset.path.strip_prefix("/assets/").is_some_and(|known| known == name))
        .ok_or_else(|| {
            let message = "there is no such file in this version; reload the page that names it";
            Problem::new(StatusCode::NOT_FOUND, "no_such_path", message.to_owned())
        })?;
    let headers = [
        (header::CONTENT_TYPE, asset.media_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, asset.content).into_response())
}
