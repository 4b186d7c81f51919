//! The SDK as authors see it: what is public in its sources, with its signatures and comments.

use super::listing::Listing;
use std::collections::{BTreeMap, BTreeSet};
use syn::{
    Attribute, Expr, ExprLit, Fields, File, ImplItem, Item, ItemImpl, Lit, Meta, Signature, TraitItem, Type, UseTree, Visibility,
    spanned::Spanned,
};

macro_rules! source {
    ($module:literal) => {
        ($module, include_str!(concat!("../../../spell-sdk/src/", $module, ".rs")))
    };
}

const ROOT: &str = include_str!("../../../spell-sdk/src/lib.rs");

/// What belongs together, in the order in which an author meets it.
const SHELVES: [Shelf; 8] = [
    ("a-spell", "A spell", &[source!("declare"), source!("spell"), source!("envelope"), source!("cast"), source!("event")]),
    ("the-world", "The world", &[source!("world"), source!("refusal"), source!("log")]),
    ("look", "What there is to see", &[source!("entity"), source!("shape"), source!("near"), source!("terrain")]),
    ("make", "What can be made", &[source!("projectile"), source!("body"), source!("npc")]),
    ("numbers", "Numbers", &[source!("vec3"), source!("rng"), source!("timer"), source!("limits")]),
    ("straight-line", "Straight-line spells", &[source!("straight"), source!("wait")]),
    ("state", "Saved state", &[source!("saved")]),
    ("tests", "Tests", &[source!("testing")]),
];

/// An anchor, a title, and modules with their sources.
type Shelf = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// A source of the SDK.
struct Source {
    module: &'static str,
    file: File,
    /// Whether its module is public, with all that is public in it.
    is_open: bool,
}

/// What the root of the SDK shows.
struct Root {
    file: File,
    /// The module of each name that it re-exports.
    names: BTreeMap<String, String>,
    open: Vec<String>,
    /// Every item that is shown, and what a name alone means.
    paths: BTreeSet<String>,
    meanings: BTreeMap<String, String>,
}

/// Every public item.
pub fn list(listing: &mut Listing) {
    let mut root = root();
    let shelves =
        SHELVES.map(|(anchor, title, sources)| (anchor, title, sources.iter().map(|source| root.read(*source)).collect::<Vec<_>>()));
    let mut shown = Vec::new();
    for source in shelves.iter().flat_map(|(.., sources)| sources) {
        shown.extend(source.file.items.iter().filter_map(|item| Some((name(item)?, root.path(source, item)?))));
    }
    // Of two of one name, the one that needs no path is meant.
    shown.sort_by_key(|(name, path)| name == path);
    root.paths = shown.iter().map(|(_, path)| path.clone()).collect();
    root.meanings = shown.into_iter().collect();
    listing.types.clone_from(&root.meanings);
    listing.heading(2, "sdk", "The SDK", &about(&root.file.attrs), &|link| target(&root, None, "", link));
    for (anchor, title, sources) in &shelves {
        listing.heading(3, anchor, title, "", &|_| None);
        for source in sources {
            shelve(listing, &root, source);
        }
    }
}

fn root() -> Root {
    let file = syn::parse_file(ROOT).expect("it compiles");
    let mut names = BTreeMap::new();
    let mut open = Vec::new();
    for item in &file.items {
        match item {
            Item::Use(of) if is_public(&of.vis) => gather(&of.tree, "", &mut names),
            Item::Mod(of) if is_public(&of.vis) && of.content.is_none() && !is_hidden(&of.attrs) => open.push(of.ident.to_string()),
            _ => {}
        }
    }
    Root { file, names, open, paths: BTreeSet::new(), meanings: BTreeMap::new() }
}

fn gather(tree: &UseTree, module: &str, names: &mut BTreeMap<String, String>) {
    match tree {
        UseTree::Path(path) => gather(&path.tree, &path.ident.to_string(), names),
        UseTree::Group(group) => group.items.iter().for_each(|tree| gather(tree, module, names)),
        UseTree::Name(name) => _ = names.insert(name.ident.to_string(), module.into()),
        UseTree::Rename(_) | UseTree::Glob(_) => {}
    }
}

impl Root {
    fn read(&self, (module, text): (&'static str, &str)) -> Source {
        let file = syn::parse_file(text).expect("it compiles");
        Source { module, file, is_open: self.open.iter().any(|open| open == module) }
    }

    /// How authors call an item of this source. None for what they cannot.
    fn path(&self, source: &Source, item: &Item) -> Option<String> {
        let (name, attributes) = (name(item)?, attributes(item)?);
        let is_macro = matches!(item, Item::Macro(_));
        let is_shown =
            if is_macro { attributes.iter().any(|one| one.path().is_ident("macro_export")) } else { is_public(visibility(item)?) };
        if is_hidden(attributes) || !is_shown {
            return None;
        }
        if is_macro || self.names.get(&name).is_some_and(|module| module == source.module) {
            return Some(name);
        }
        source.is_open.then(|| format!("{}::{name}", source.module))
    }
}

/// Everything public of a source.
fn shelve(listing: &mut Listing, root: &Root, source: &Source) {
    if source.is_open {
        let resolve = |link: &str| target(root, Some(source), "", link);
        listing.heading(4, source.module, &format!("mod {}", source.module), &about(&source.file.attrs), &resolve);
    }
    for item in &source.file.items {
        let Some(path) = root.path(source, item) else { continue };
        let resolve = |link: &str| target(root, Some(source), &path, link);
        let (signature, about) = (declared(item, &path), about(attributes(item).unwrap_or_default()));
        listing.item(&path, &signature, &about, &resolve, |listing| {
            inside(listing, item, &path, &resolve);
            let own_name = name(item);
            let of_item = |of: &&ItemImpl| named(&of.self_ty) == own_name && !is_hidden(&of.attrs);
            let blocks =
                source.file.items.iter().filter_map(|item| if let Item::Impl(of) = item { Some(of) } else { None }).filter(of_item);
            let (traits, own): (Vec<_>, Vec<_>) = blocks.partition(|block| block.trait_.is_some());
            own.iter().for_each(|block| implemented(listing, block, &path, &resolve));
            listing.also(&traits.into_iter().map(of_trait).collect::<Vec<_>>(), &resolve);
        });
    }
}

/// Fields, cases, a trait's functions, a module's constants.
fn inside(listing: &mut Listing, item: &Item, path: &str, resolve: &dyn Fn(&str) -> Option<String>) {
    let mut member = |name: &str, signature: &str, attributes: &[Attribute]| {
        if !is_hidden(attributes) {
            listing.member(&format!("{path}::{name}"), signature, &about(attributes), resolve);
        }
    };
    match item {
        Item::Struct(of) => {
            for field in of.fields.iter().filter(|field| is_public(&field.vis)) {
                let name = field.ident.as_ref().map_or("0".to_owned(), ToString::to_string);
                member(&name, &format!("{name}: {}", text(&field.ty)), &field.attrs);
            }
        }
        Item::Enum(of) => {
            for one in &of.variants {
                let fields = match &one.fields {
                    Fields::Unit => String::new(),
                    Fields::Named(fields) => format!(" {}", text(fields)),
                    Fields::Unnamed(fields) => text(fields),
                };
                member(&one.ident.to_string(), &format!("{}{fields}", one.ident), &one.attrs);
            }
        }
        Item::Trait(of) => {
            for one in &of.items {
                match one {
                    TraitItem::Fn(of) => member(&of.sig.ident.to_string(), &called(&of.sig), &of.attrs),
                    TraitItem::Const(of) => {
                        let default = of.default.as_ref().map(|(_, value)| format!(" = {}", text(value))).unwrap_or_default();
                        member(&of.ident.to_string(), &format!("const {}: {}{default}", of.ident, text(&of.ty)), &of.attrs);
                    }
                    _ => {}
                }
            }
        }
        Item::Mod(of) => {
            for one in of.content.iter().flat_map(|(_, items)| items) {
                if let Item::Const(of) = one {
                    member(&of.ident.to_string(), &constant(&of.ident, &of.ty, &of.expr), &of.attrs);
                }
            }
        }
        _ => {}
    }
}

/// What an item's own functions and constants are.
fn implemented(listing: &mut Listing, block: &ItemImpl, path: &str, resolve: &dyn Fn(&str) -> Option<String>) {
    let mut shown = Vec::new();
    for item in &block.items {
        match item {
            ImplItem::Fn(of) if is_public(&of.vis) && !is_hidden(&of.attrs) => shown.push((&of.sig.ident, called(&of.sig), &of.attrs)),
            ImplItem::Const(of) if is_public(&of.vis) && !is_hidden(&of.attrs) => {
                shown.push((&of.ident, constant(&of.ident, &of.ty, &of.expr), &of.attrs));
            }
            _ => {}
        }
    }
    if !shown.is_empty() {
        listing.note(&about(&block.attrs), resolve);
    }
    for (name, signature, attributes) in shown {
        listing.member(&format!("{path}::{name}"), &signature, &about(attributes), resolve);
    }
}

/// A trait's name, and what its functions say here.
fn of_trait(block: &ItemImpl) -> (String, String) {
    let name = block.trait_.as_ref().map(|(_, of, _)| text(of)).unwrap_or_default();
    let comments = block.items.iter().filter_map(|item| if let ImplItem::Fn(of) = item { Some(about(&of.attrs)) } else { None });
    (format!("impl {name} for {}", text(&block.self_ty)), comments.filter(|about| !about.is_empty()).collect::<Vec<_>>().join("\n\n"))
}

/// An item's own line.
fn declared(item: &Item, path: &str) -> String {
    match item {
        Item::Struct(of) => format!("struct {}{}", path, text(&of.generics)),
        Item::Enum(of) => format!("enum {}{}", path, text(&of.generics)),
        Item::Trait(of) if of.supertraits.is_empty() => format!("trait {path}"),
        Item::Trait(of) => format!("trait {path}: {}", text(&of.supertraits)),
        Item::Fn(of) => called(&of.sig),
        Item::Const(of) => constant(&path, &of.ty, &of.expr),
        Item::Mod(_) => format!("mod {path}"),
        _ => path.to_owned(),
    }
}

/// A function as its author wrote it, without its body; on one line.
fn called(of: &Signature) -> String {
    let keywords = [(of.constness.is_some(), "const "), (of.asyncness.is_some(), "async ")];
    let keywords: String = keywords.iter().filter(|(is_there, _)| *is_there).map(|(_, word)| *word).collect();
    let inputs: Vec<_> = of.inputs.iter().map(text).collect();
    // Whether it changes them inside is its own business.
    let inputs = inputs.iter().map(|input| input.trim_start_matches("mut ")).collect::<Vec<_>>().join(", ");
    format!("{keywords}fn {}{}({inputs}) {}", of.ident, text(&of.generics), text(&of.output)).trim_end().to_owned()
}

/// With its value, if that says anything by itself.
fn constant(name: &dyn std::fmt::Display, of: &Type, value: &Expr) -> String {
    let value = if matches!(value, Expr::Lit(_)) { format!(" = {}", text(value)) } else { String::new() };
    format!("const {name}: {}{value}", text(of))
}

/// As it stands in the source, with single spaces.
fn text(of: &impl Spanned) -> String {
    of.span().source_text().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn name(item: &Item) -> Option<String> {
    Some(match item {
        Item::Struct(of) => of.ident.to_string(),
        Item::Enum(of) => of.ident.to_string(),
        Item::Trait(of) => of.ident.to_string(),
        Item::Fn(of) => of.sig.ident.to_string(),
        Item::Const(of) => of.ident.to_string(),
        Item::Mod(of) => of.ident.to_string(),
        Item::Macro(of) => format!("{}!", of.ident.as_ref()?),
        _ => return None,
    })
}

fn attributes(item: &Item) -> Option<&[Attribute]> {
    Some(match item {
        Item::Struct(of) => &of.attrs,
        Item::Enum(of) => &of.attrs,
        Item::Trait(of) => &of.attrs,
        Item::Fn(of) => &of.attrs,
        Item::Const(of) => &of.attrs,
        Item::Mod(of) => &of.attrs,
        Item::Macro(of) => &of.attrs,
        _ => return None,
    })
}

fn visibility(item: &Item) -> Option<&Visibility> {
    Some(match item {
        Item::Struct(of) => &of.vis,
        Item::Enum(of) => &of.vis,
        Item::Trait(of) => &of.vis,
        Item::Fn(of) => &of.vis,
        Item::Const(of) => &of.vis,
        Item::Mod(of) => &of.vis,
        _ => return None,
    })
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// `#[doc(hidden)]`: public for the macro's sake.
fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| matches!(&attribute.meta, Meta::List(of) if of.path.is_ident("doc") && of.tokens.to_string() == "hidden"))
}

/// The comment that stands at an item.
fn about(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(of) if of.path.is_ident("doc") => match &of.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value()),
            _ => None,
        },
        _ => None,
    });
    lines.map(|line| line.strip_prefix(' ').map_or(line.clone(), str::to_owned)).collect::<Vec<_>>().join("\n")
}

fn named(of: &Type) -> Option<String> {
    if let Type::Path(path) = of { Some(path.path.segments.last()?.ident.to_string()) } else { None }
}

/// Where a comment's link to an item leads; `path` is that of the item which it stands at. None for what is not the SDK's.
fn target(root: &Root, source: Option<&Source>, path: &str, link: &str) -> Option<String> {
    let link = link.trim_matches('`').trim_end_matches("()");
    if link.starts_with("http") {
        return Some(link.into());
    }
    let link = link.strip_prefix("crate::").unwrap_or(link);
    if let Some(member) = link.strip_prefix("Self::") {
        return Some(format!("#{path}::{member}"));
    }
    let first = link.split([':', '#']).next().unwrap_or_default();
    let near = source.map(|source| format!("{}::{first}", source.module)).filter(|path| root.paths.contains(path));
    let module = || root.open.iter().find(|open| *open == first).cloned();
    let item = near.or_else(|| root.meanings.get(first).cloned()).or_else(module)?;
    Some(format!("#{item}{}", &link[first.len()..]))
}
