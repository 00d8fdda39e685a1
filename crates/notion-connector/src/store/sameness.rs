//! Whether two answers say the same of an object.

use serde_json::Value;

/// Whether an object is what it was. Addresses of files on Notion's hosts are signed anew with each answer
/// (developers.notion.com "file-object"), and an object that was asked for by itself names the request: neither is a change.
pub(super) fn says_the_same(stored: &str, listed: &str) -> bool {
    stored == listed || unsigned(stored).is_some_and(|stored| Some(stored) == unsigned(listed))
}

fn unsigned(object: &str) -> Option<Value> {
    let mut object: Value = serde_json::from_str(object).ok()?;
    object.as_object_mut()?.remove("request_id");
    let mut open = vec![&mut object];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(values) => open.extend(values),
            Value::Object(members) => {
                if members.remove("expiry_time").is_some()
                    && let Some(Value::String(url)) = members.get_mut("url")
                {
                    url.truncate(url.find('?').unwrap_or(url.len()));
                }
                open.extend(members.values_mut());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    Some(object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(file: &str, signature: &str, request: &str) -> String {
        let hosted = json!({
            "type": "file",
            "file": {"url": format!("https://files.example/{file}?X-Amz-Signature={signature}"), "expiry_time": signature},
        });
        let link = json!({"type": "url", "url": format!("https://example.com/?page={file}")});
        json!({"object": "page", "properties": {"Files": {"files": [hosted]}, "Link": link}, "request_id": request})
            .to_string()
    }

    #[test]
    fn another_signature_and_another_request_are_no_change() {
        assert!(says_the_same(&page("a.pdf", "1", "r1"), &page("a.pdf", "2", "r2")));
        assert!(!says_the_same(&page("a.pdf", "1", "r1"), &page("b.pdf", "1", "r1")));
    }

    #[test]
    fn the_query_of_an_address_that_does_not_expire_is_part_of_it() {
        let link =
            |page: u32| json!({"cover": {"external": {"url": format!("https://example.com/?page={page}")}}});
        assert!(!says_the_same(&link(1).to_string(), &link(2).to_string()));
        assert!(!says_the_same("not an object", "another"));
    }
}
