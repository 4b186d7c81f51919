//! The contract between a spell and the world, as its WIT says it.

use super::listing::{Listing, nowhere};
use wit_parser::{Docs, Function, Interface, Resolve, Type, TypeDef, TypeDefKind};

const WIT: &str = include_str!("../../../wit/since-v0.1.0/spell.wit");

/// What a spell does, sees and asks for; then what of.
const ORDER: [&str; 4] = ["hooks", "reads", "intents", "types"];

/// Every interface, with all of its functions and types.
pub fn list(listing: &mut Listing) {
    let mut wit = Resolve::default();
    let package = wit.push_source("spell.wit", WIT).expect("tests read it");
    let package = &wit.packages[package];
    for (name, interface) in &package.interfaces {
        let own = wit.interfaces[*interface].types.iter().filter(|(_, id)| !is_borrowed(&wit.types[**id]));
        listing.types.extend(own.map(|(of, _)| (of.clone(), format!("{name}.{of}"))));
    }
    listing.heading(2, "contract", &format!("The contract: {}", package.name), words(&package.docs), &nowhere);
    for name in ORDER {
        interface(listing, &wit, name, &wit.interfaces[package.interfaces[name]]);
    }
}

fn interface(listing: &mut Listing, wit: &Resolve, name: &str, interface: &Interface) {
    listing.heading(3, name, &format!("interface {name}"), words(&interface.docs), &nowhere);
    for (of, function) in &interface.functions {
        listing.member(&format!("{name}.{of}"), &signature(wit, function), words(&function.docs), &nowhere);
    }
    for (of, id) in interface.types.iter().filter(|(_, id)| !is_borrowed(&wit.types[**id])) {
        let anchor = format!("{name}.{of}");
        let of = &wit.types[*id];
        listing.item(&anchor, &declaration(wit, of), words(&of.docs), &nowhere, |listing| {
            for (part, about) in parts(wit, of) {
                let part_name = part.split([':', '(']).next().unwrap_or_default();
                listing.member(&format!("{anchor}.{part_name}"), &part, about, &nowhere);
            }
        });
    }
}

/// Whether it is another interface's, and only used here.
fn is_borrowed(of: &TypeDef) -> bool {
    matches!(of.kind, TypeDefKind::Type(Type::Id(_)))
}

fn words(docs: &Docs) -> &str {
    docs.contents.as_deref().unwrap_or_default()
}

fn signature(wit: &Resolve, function: &Function) -> String {
    let parameters: Vec<_> = function.params.iter().map(|one| format!("{}: {}", one.name, named(wit, &one.ty))).collect();
    let answer = function.result.map(|of| format!(" -> {}", named(wit, &of))).unwrap_or_default();
    format!("{}: func({}){answer}", function.name, parameters.join(", "))
}

fn declaration(wit: &Resolve, of: &TypeDef) -> String {
    let name = of.name.as_deref().unwrap_or_default();
    match &of.kind {
        TypeDefKind::Type(same) => format!("type {name} = {}", named(wit, same)),
        kind => format!("{} {name}", kind.as_str()),
    }
}

/// Fields or cases.
fn parts<'a>(wit: &Resolve, of: &'a TypeDef) -> Vec<(String, &'a str)> {
    let holding = |name: &str, of: Option<Type>| of.map_or(name.to_owned(), |of| format!("{name}({})", named(wit, &of)));
    match &of.kind {
        TypeDefKind::Record(record) => {
            record.fields.iter().map(|one| (format!("{}: {}", one.name, named(wit, &one.ty)), words(&one.docs))).collect()
        }
        TypeDefKind::Variant(variant) => variant.cases.iter().map(|one| (holding(&one.name, one.ty), words(&one.docs))).collect(),
        TypeDefKind::Enum(all) => all.cases.iter().map(|one| (one.name.clone(), words(&one.docs))).collect(),
        TypeDefKind::Flags(all) => all.flags.iter().map(|one| (one.name.clone(), words(&one.docs))).collect(),
        _ => Vec::new(),
    }
}

/// A type as the WIT writes it.
fn named(wit: &Resolve, of: &Type) -> String {
    let or_none = |of: &Option<Type>| of.map_or("_".to_owned(), |of| named(wit, &of));
    let id = match of {
        Type::Id(id) => &wit.types[*id],
        Type::Bool => return "bool".into(),
        Type::String => return "string".into(),
        // The others are called what they are.
        plain => return format!("{plain:?}").to_lowercase(),
    };
    if let Some(name) = &id.name {
        return name.clone();
    }
    match &id.kind {
        TypeDefKind::List(of) => format!("list<{}>", named(wit, of)),
        TypeDefKind::Option(of) => format!("option<{}>", named(wit, of)),
        TypeDefKind::Result(result) if result.err.is_none() => format!("result<{}>", or_none(&result.ok)),
        TypeDefKind::Result(result) => format!("result<{}, {}>", or_none(&result.ok), or_none(&result.err)),
        TypeDefKind::Tuple(tuple) => format!("tuple<{}>", tuple.types.iter().map(|of| named(wit, of)).collect::<Vec<_>>().join(", ")),
        kind => kind.as_str().to_owned(),
    }
}
