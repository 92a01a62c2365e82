//! The sources of configuration: a TOML file, and environment variables.

use std::path::Path;

use super::error::{ConfigError, Place, Warning};
use super::key::{self, Raw};
use super::sections::{Config, KEYS, Layer, SECTIONS};

type Key = key::Key<Layer, Config>;

/// What a source sets, and what is to be changed in it.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub(super) layer: Layer,
    pub(super) warnings: Vec<Warning>,
}

/// A key under the name that a source has for it.
struct Named<'a> {
    key: &'a Key,
    /// The section's name for it: what to write.
    name: String,
    /// What the source says in its place, if that is the old name.
    flat: Option<String>,
}

impl Source {
    /// Reads a file. Keys stand in sections; the flat names of older releases are read too.
    pub(super) fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let table: toml::Table =
            toml::from_str(&text).map_err(|e| ConfigError::Syntax { path: path.to_owned(), detail: e.to_string() })?;
        let place = Place::File(path.to_owned());
        let mut source = Self::default();
        for (name, value) in &table {
            match value {
                toml::Value::Table(keys) => {
                    for (name, value) in keys.iter().map(|(key, value)| (format!("{name}.{key}"), value)) {
                        let key = KEYS.iter().find(|key| key.path() == name);
                        let key = key.ok_or_else(|| unknown_key(&place, &name))?;
                        source.set(&place, Named { key, name, flat: None }, Raw::Toml(value))?;
                    }
                    check_section(&place, name)?;
                }
                value => {
                    let key = KEYS.iter().find(|key| key.flat == Some(name));
                    let key = key.ok_or_else(|| unknown_key(&place, name))?;
                    let named = Named { key, name: key.path(), flat: Some(name.clone()) };
                    source.set(&place, named, Raw::Toml(value))?;
                }
            }
        }
        Ok(source)
    }

    /// Reads `CAIRN_<SECTION>_<KEY>`, lists with commas, and the variables of older releases. Other variables belong to
    /// other programs, or, such as `CAIRN_ENDPOINT`, to the admin verbs.
    pub(super) fn from_environment(variables: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut source = Self::default();
        for (variable, value) in variables.filter(|(variable, _)| variable.starts_with("CAIRN_")) {
            let variable = variable.to_ascii_uppercase();
            let named = if let Some(key) = KEYS.iter().find(|key| key.variable() == variable) {
                Named { key, name: variable, flat: None }
            } else if let Some(key) = KEYS.iter().find(|key| key.flat_variable().as_ref() == Some(&variable)) {
                Named { key, name: key.variable(), flat: Some(variable) }
            } else {
                if names_a_section(&variable) {
                    source.warnings.push(Warning::UnknownVariable { name: variable });
                }
                continue;
            };
            source.set(&Place::Environment, named, Raw::Text(&value))?;
        }
        Ok(source)
    }

    fn set(&mut self, place: &Place, named: Named<'_>, raw: Raw<'_>) -> Result<(), ConfigError> {
        let Named { key, name, flat } = named;
        if (key.is_set)(&self.layer) {
            let flat = flat.or_else(|| key.flat_name(place)).unwrap_or_default();
            return Err(ConfigError::TwoNames { place: place.clone(), flat, key: name });
        }
        (key.set)(&mut self.layer, raw).map_err(|refused| ConfigError::Value {
            place: place.clone(),
            key: flat.clone().unwrap_or_else(|| name.clone()),
            value: if key.is_secret { "(secret)".to_owned() } else { raw.to_string() },
            allowed: refused.allowed,
        })?;
        if let Some(flat) = flat {
            self.warnings.push(Warning::OldName { place: place.clone(), flat, key: name });
        }
        Ok(())
    }
}

impl Key {
    fn flat_name(&self, place: &Place) -> Option<String> {
        match place {
            Place::File(_) => self.flat.map(str::to_owned),
            Place::Environment => self.flat_variable(),
        }
    }
}

fn names_a_section(variable: &str) -> bool {
    let starts =
        |section: &key::Section| variable.starts_with(&format!("CAIRN_{}_", section.name.to_ascii_uppercase()));
    SECTIONS.iter().any(starts)
}

/// Refuses an empty section that does not exist; one with keys has been refused with its first key.
fn check_section(place: &Place, name: &str) -> Result<(), ConfigError> {
    if SECTIONS.iter().any(|section| section.name == name) { Ok(()) } else { Err(unknown_key(place, name)) }
}

fn unknown_key(place: &Place, name: &str) -> ConfigError {
    ConfigError::UnknownKey { place: place.clone(), key: name.to_owned(), advice: advice(name) }
}

/// What to write in place of a key that does not exist.
fn advice(name: &str) -> String {
    let (section, key) = name.split_once('.').unwrap_or(("", name));
    let meant = KEYS.iter().find(|known| known.name == key || known.flat == Some(key));
    if let Some(meant) = meant {
        return format!("did you mean {}?", meant.path());
    }
    let keys: Vec<&str> = KEYS.iter().filter(|known| known.section == section).map(|known| known.name).collect();
    if keys.is_empty() {
        let sections: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
        return format!("the sections are {}", sections.join(", "));
    }
    format!("the keys of [{section}] are {}", keys.join(", "))
}
