//! The encoding of what is chosen from a list that later releases may add to: by its number, and the default as nothing at all,
//! so that what was written before there was a choice reads as the default. A number that is not known is an error: read as the
//! default, it would be lost in silence when it is written again.

/// Encodes `$name`, whose `ALL` has each value at its number; `$what` names it in errors.
macro_rules! by_number {
    ($name:ident, $what:literal) => {
        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.u8(*self as u8)?.ok()
            }

            fn is_nil(&self) -> bool {
                *self == Self::default()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                let number = d.u8()?;
                let known = Self::ALL.get(usize::from(number)).copied();
                known.ok_or_else(|| {
                    minicbor::decode::Error::message(format!(concat!($what, " {} is of a later release"), number))
                })
            }

            fn nil() -> Option<Self> {
                Some(Self::default())
            }
        }
    };
}

pub(crate) use by_number;
