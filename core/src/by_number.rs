//! The encoding of a choice from a list that later releases may extend: by its number. The default is left out, so that
//! data from before the choice existed reads as the default. An unknown number is an error: if it were read as the
//! default, it would be lost silently when written again.

/// Encodes `$name`, whose `ALL` lists the values by number; `$what` is its name in errors.
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
