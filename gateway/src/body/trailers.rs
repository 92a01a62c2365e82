//! The fields after the last chunk of an aws-chunked body.

/// Names are in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trailers {
    fields: Vec<(String, String)>,
}

impl Trailers {
    pub(super) fn push(&mut self, name: &str, value: &str) {
        self.fields.push((name.to_ascii_lowercase(), value.to_owned()));
    }

    /// The value of the field `name` (lower case).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// In the order in which they came.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// The text that the trailer's signature covers.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        for (name, value) in &self.fields {
            for piece in [name.as_str(), ":", value, "\n"] {
                out.extend_from_slice(piece.as_bytes());
            }
        }
        out
    }
}
