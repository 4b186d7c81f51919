//! The macro that makes a spell of a struct.

/// Declares a spell: its effect envelope and its state.
///
/// ```
/// use spell_sdk::prelude::*;
///
/// spell! {
///     envelope: Envelope::timed(3.0).can(Can::HEAL),
///     /// Heals a little, now and then.
///     pub struct Trickle {
///         healed: u32 = 0,
///         target: EntityId = EntityId::NONE,
///         marks: Vec<Vec3>,
///     }
/// }
///
/// impl Spell for Trickle {
///     fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
///         self.target = cast.caster;
///         world.set_timer(0, after(1.0))
///     }
/// }
/// ```
///
/// `envelope:` is a constant of type [`Envelope`](crate::Envelope); left out, it is [`Envelope::instant()`](crate::Envelope::instant). A field without `= value`
/// begins as its type's [`Default`]. Every field is saved and restored by its name ([`Saved`](crate::Saved)), also into another revision of the spell: there, a
/// field that is new begins as declared, and one that is gone is forgotten; one of another type makes the cast stay with the revision that it had.
#[macro_export]
macro_rules! spell {
    (
        envelope: $envelope:expr,
        $(#[$about:meta])*
        $visibility:vis struct $name:ident {
            $( $(#[$about_field:meta])* $field_visibility:vis $field:ident : $type:ty $(= $default:expr)? ),* $(,)?
        }
    ) => {
        $(#[$about])*
        $visibility struct $name {
            $( $(#[$about_field])* $field_visibility $field: $type, )*
        }

        impl ::core::default::Default for $name {
            fn default() -> Self {
                Self { $( $field: $crate::__default!($($default)?), )* }
            }
        }

        impl $crate::State for $name {
            const ENVELOPE: $crate::Envelope = $envelope;

            #[allow(unused_variables, reason = "a state may have no fields")]
            fn save_fields(&self, fields: &mut $crate::saved::Fields) {
                $( fields.put::<$type>(::core::stringify!($field), &self.$field); )*
            }

            #[allow(unused_variables, reason = "a state may have no fields")]
            fn restore_field(&mut self, field: $crate::saved::Field<'_>) -> ::core::result::Result<(), $crate::saved::RestoreError> {
                $( if field.is(::core::stringify!($field)) {
                    return field.read::<$type>(::core::stringify!($field), &mut self.$field);
                } )*
                ::core::result::Result::Ok(())
            }
        }

        // Evaluated on every target, so that a wrong envelope is also found by a native check.
        const _: $crate::Envelope = <$name as $crate::State>::ENVELOPE;

        // Only a component has exports, and a component is wasm.
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            ::std::thread_local! {
                static INSTANCE: $crate::export::Slot<$name> = const { $crate::export::Slot::new() };
            }

            impl $crate::export::Exported for $name {
                fn slot() -> &'static ::std::thread::LocalKey<$crate::export::Slot<Self>> {
                    &INSTANCE
                }
            }

            type Hooks = $crate::export::Hooks<$name>;
            $crate::bindings::export!(Hooks with_types_in $crate::bindings);

            #[used]
            #[unsafe(link_section = "ugc:envelope")]
            static ENVELOPE: [u8; $crate::limits::ENVELOPE_BYTES] = <$name as $crate::State>::ENVELOPE.to_bytes();
        };
    };
    ($(#[$about:meta])* $visibility:vis struct $($rest:tt)+) => {
        $crate::spell! { envelope: $crate::Envelope::instant(), $(#[$about])* $visibility struct $($rest)+ }
    };
}

/// A field's declared beginning, or its type's.
#[doc(hidden)]
#[macro_export]
macro_rules! __default {
    ($default:expr) => {
        $default
    };
    () => {
        ::core::default::Default::default()
    };
}
