//! Members of the metadata service.

/// The number of a member of the metadata service, which the operator gives it.
pub type MemberId = u64;
