//! Compares docs/openapi.json with the routes and the answers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../docs/openapi.json");
const ROUTER: &str = include_str!("router.rs");
/// The answers: what lies in this directory, and what the offline audit's report shares with them.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/admin/model");
const HEALTH: &str = include_str!("../../../recovery/src/audit/health.rs");
const ADVICE: &str = "change scripts/openapi, run it, and commit docs/openapi.json";

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// The routes under `/v1` as the router's source has them: a method and a path, the wildcard without its star.
fn routed() -> BTreeSet<(String, String)> {
    let mut routed = BTreeSet::new();
    for call in ROUTER.split(".route(").skip(1) {
        let mut quoted = call.split('"');
        let path = quoted.nth(1).unwrap().replace("{*", "{");
        let handlers = quoted.next().unwrap().split(".layer(").next().unwrap();
        for method in ["get", "post", "put", "patch", "delete"] {
            if path.starts_with("/v1") && handlers.contains(&format!("{method}(")) {
                routed.insert((method.to_owned(), path.clone()));
            }
        }
    }
    routed
}

#[test]
fn routes_and_document_name_the_same_calls() {
    let document = document();
    let mut documented = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        documented.extend(methods.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())));
    }
    let routed = routed();
    assert!(routed.len() >= 20, "the router's source is not understood any more: {routed:?}");
    let missing: Vec<_> = routed.difference(&documented).collect();
    let gone: Vec<_> = documented.difference(&routed).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not documented: {missing:?}; documented only: {gone:?}; {ADVICE}");
}

/// The source of the answers.
fn model() -> String {
    let files = std::fs::read_dir(MODEL).unwrap().map(|entry| entry.unwrap().path());
    std::iter::once(HEALTH.to_owned()).chain(files.map(|file| std::fs::read_to_string(file).unwrap())).collect()
}

#[test]
fn document_has_every_field_of_every_answer() {
    let (document, model) = (document(), model());
    let mut fields: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let (mut name, mut is_flat) = ("", false);
    for line in model.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("pub struct ") {
            name = rest.trim_end_matches(" {");
        } else if line.starts_with("#[serde(flatten)]") {
            is_flat = true;
        } else if let Some((field, _)) = line.strip_prefix("pub ").and_then(|rest| rest.split_once(": ")) {
            if !is_flat {
                fields.entry(name).or_default().insert(field);
            }
            is_flat = false;
        }
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (schema, found) in schemas.iter().filter(|(name, _)| name.as_str() != "Error") {
        let documented: BTreeSet<&str> = found["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(Some(&documented), fields.get(schema.as_str()), "{schema}: {ADVICE}");
    }
    // Every reference leads somewhere.
    for reference in DOCUMENT.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is referred to and not described: {ADVICE}");
    }
}

#[test]
fn document_has_every_name_of_every_enum() {
    let model = model();
    let declared = model.split("named! {").skip(1).filter_map(|rest| {
        let body = rest.split_once("pub enum ")?.1.split("\n    }").next()?;
        Some(body.split(" = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect())
    });
    let declared: BTreeSet<Vec<&str>> = declared.collect();
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let properties = schemas.values().flat_map(|schema| schema["properties"].as_object().unwrap().values());
    let documented: BTreeSet<Vec<&str>> = properties
        .filter_map(|property| Some(property["enum"].as_array()?.iter().filter_map(Value::as_str).collect()))
        .collect();
    assert_eq!(declared, documented, "{ADVICE}");
}
