//! The owner of everything.

use crate::context::Context;
use crate::xml::Owner;

/// The root user.
pub(crate) fn owner(context: &Context) -> Owner<'_> {
    Owner { id: context.owner_id(), display_name: "root" }
}
