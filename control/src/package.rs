//! What an author hands in: source files, assets, or a component; as JSON or as a zip. Read into memory within limits, and never unpacked to a disk.

use crate::{limits::*, problem::Problem};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use protocol::{
    Sha256Hex,
    limits::{ASSET_BYTES_MAX, ASSETS_BYTES_MAX, COMPONENT_BYTES_MAX, PACKAGE_FILES_MAX, SOURCE_BYTES_MAX},
    package::{Kind, PackagePath, SOURCE_ROOT, clash, is_of_type, kind},
    worker::COMPONENT_FILE,
};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// A package within its limits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Package {
    /// Text by path: source, `spell.toml`, what people read.
    pub text: BTreeMap<PackagePath, String>,
    /// What clients show and play.
    pub assets: BTreeMap<PackagePath, Asset>,
    /// In the place of source.
    pub component: Option<Vec<u8>>,
}

/// A file that is of the type that its name says.
#[derive(Debug, Clone, PartialEq)]
pub struct Asset {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its MIME type.
    pub content_type: &'static str,
}

impl Package {
    /// A package of one source file.
    pub fn of_code(code: String) -> Result<Self, Problem> {
        Self::default().with(SOURCE_ROOT, code.into_bytes())
    }

    /// A component that another toolchain has made, as base64.
    pub fn with_component(mut self, base64: &str) -> Result<Self, Problem> {
        if base64.len() > 2 * COMPONENT_BYTES_MAX {
            return Err(too_large("the component", base64.len() / 4 * 3, COMPONENT_BYTES_MAX));
        }
        let bytes = BASE64.decode(base64).map_err(|error| refused(format!("options.component is not base64: {error}")))?;
        self.set_component(bytes)?;
        Ok(self)
    }

    /// One more asset, as base64.
    pub fn with_asset(self, path: &str, base64: &str) -> Result<Self, Problem> {
        let bytes = BASE64.decode(base64).map_err(|error| refused(format!("assets: {}: not base64: {error}", excerpt(path))))?;
        self.with(path, bytes)
    }

    /// One more file.
    pub fn with(mut self, path: &str, bytes: Vec<u8>) -> Result<Self, Problem> {
        if path == COMPONENT_FILE {
            self.set_component(bytes)?;
            return Ok(self);
        }
        let path = PackagePath::new(path).map_err(|error| refused(error.to_string()))?;
        if self.text.contains_key(&path) || self.assets.contains_key(&path) {
            return Err(refused(format!("{path} is there twice")));
        }
        if self.text.len() + self.assets.len() >= PACKAGE_FILES_MAX {
            return Err(Problem::too_large(format!("a package has at most {PACKAGE_FILES_MAX} files")));
        }
        match kind(&path) {
            Some(Kind::Source | Kind::Text) => {
                let text = String::from_utf8(bytes).map_err(|error| {
                    refused(format!("{path} is not UTF-8: byte {} begins no character", error.utf8_error().valid_up_to()))
                })?;
                let all = self.text.values().map(String::len).sum::<usize>() + text.len();
                if all > SOURCE_BYTES_MAX {
                    return Err(too_large("all source together", all, SOURCE_BYTES_MAX));
                }
                self.text.insert(path, text);
            }
            Some(Kind::Asset(content_type)) => {
                let all = self.assets.values().map(|asset| asset.bytes.len()).sum::<usize>() + bytes.len();
                if bytes.len() > ASSET_BYTES_MAX {
                    return Err(too_large(path.as_str(), bytes.len(), ASSET_BYTES_MAX));
                }
                if all > ASSETS_BYTES_MAX {
                    return Err(too_large("all assets together", all, ASSETS_BYTES_MAX));
                }
                if !is_of_type(&bytes, content_type) {
                    return Err(refused(format!("{path} is no {content_type}: its bytes say otherwise")));
                }
                self.assets.insert(path, Asset { bytes, content_type });
            }
            None => {
                return Err(refused(format!(
                    "{path} has no place in a package: it takes src/*.rs, spell.toml, *.md, scenarios/*.scenario, LICENSE files, {COMPONENT_FILE}, and below assets/ png, \
                     jpg, webp, wav, ogg, mp3, glb, txt and json"
                )));
            }
        }
        Ok(self)
    }

    /// The package when all files are there.
    pub fn complete(self) -> Result<Self, Problem> {
        if let Some(path) = clash(self.text.keys().chain(self.assets.keys())) {
            return Err(refused(format!("{path} is there twice for some file systems: but for case, or as a file and a folder")));
        }
        let has_root = self.text.keys().any(|path| path.as_str() == SOURCE_ROOT);
        match (&self.component, has_root) {
            (Some(_), true) => Err(refused(format!("there are both {SOURCE_ROOT} and a component: one of them is what is to be built"))),
            (None, false) => {
                Err(Problem::unprocessable("code_missing", format!("there is no {SOURCE_ROOT}, and no component in its place")))
            }
            _ => Ok(self),
        }
    }

    /// A package in a zip. Its entries are the files; folders among them are passed over.
    pub fn of_zip(bytes: &[u8]) -> Result<Self, Problem> {
        entries(bytes)?.into_iter().try_fold(Self::default(), |package, (name, bytes)| package.with(&name, bytes))?.complete()
    }

    /// All its bytes.
    pub fn bytes(&self) -> usize {
        let text = self.text.values().map(String::len).sum::<usize>();
        text + self.assets.values().map(|asset| asset.bytes.len()).sum::<usize>() + self.component.as_ref().map_or(0, Vec::len)
    }

    /// Equal for equal packages, and for nothing else.
    pub fn hash(&self) -> Sha256Hex {
        let text = self.text.iter().map(|(path, text)| (path.as_str(), Sha256Hex::of(text.as_bytes())));
        let assets = self.assets.iter().map(|(path, asset)| (path.as_str(), Sha256Hex::of(&asset.bytes)));
        let component = self.component.iter().map(|bytes| (COMPONENT_FILE, Sha256Hex::of(bytes)));
        let lines: String = text.chain(assets).chain(component).map(|(path, hash)| format!("{hash} {path}\n")).collect();
        Sha256Hex::of(format!("ugc-world package v1\n{lines}").as_bytes())
    }

    fn set_component(&mut self, bytes: Vec<u8>) -> Result<(), Problem> {
        if bytes.len() > COMPONENT_BYTES_MAX {
            return Err(too_large("the component", bytes.len(), COMPONENT_BYTES_MAX));
        }
        match self.component.replace(bytes) {
            Some(_) => Err(refused("there are two components".into())),
            None => Ok(()),
        }
    }
}

/// The files of a zip, by name and in its order, unpacked within limits.
pub fn entries(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let broken = |error: &dyn std::fmt::Display| bad_zip(format!("this is no zip that can be read: {error}"));
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    // The reader keeps one entry of a name; what others would unpack may be another.
    if archive.has_duplicate_names() {
        return Err(bad_zip("some entries are there twice".into()));
    }
    if archive.len() > ZIP_ENTRIES_MAX {
        return Err(Problem::too_large(format!("{} entries are over the limit of {ZIP_ENTRIES_MAX}", archive.len())));
    }
    let (mut files, mut all) = (Vec::new(), 0);
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| broken(&error))?;
        let name = String::from_utf8(entry.name_raw().to_vec()).map_err(|_| bad_zip("an entry's name is not UTF-8".into()))?;
        if entry.is_symlink() || entry.unix_mode().is_some_and(|mode| !matches!(mode & FILE_TYPE, 0 | PLAIN_FILE | FOLDER)) {
            return Err(bad_zip(format!("{} is a link or a device: only plain files are taken", excerpt(&name))));
        }
        if name.ends_with('/') {
            if PackagePath::new(name.trim_end_matches('/')).is_err() {
                return Err(bad_zip(format!("the folder {} leads elsewhere", excerpt(&name))));
            }
            continue;
        }
        if entry.encrypted() {
            return Err(bad_zip(format!("{} is encrypted", excerpt(&name))));
        }
        // What the header claims is not believed: one byte more than may be is read, and the rest is not.
        let packed = entry.compressed_size();
        let mut unpacked = Vec::new();
        entry.take(ZIP_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut unpacked).map_err(|error| broken(&error))?;
        all += unpacked.len();
        if unpacked.len() > ZIP_FILE_BYTES_MAX || all > ZIP_BYTES_MAX {
            return Err(Problem::too_large(format!("unpacked, {} takes this over the limit of {ZIP_BYTES_MAX} bytes", excerpt(&name))));
        }
        if unpacked.len() > ZIP_RATIO_FREE_BYTES && unpacked.len() as u64 / packed.max(1) > ZIP_RATIO_MAX {
            return Err(bad_zip(format!("{} unpacks to more than {ZIP_RATIO_MAX} times its size", excerpt(&name))));
        }
        files.push((name, unpacked));
    }
    Ok(files)
}

const FILE_TYPE: u32 = 0o170_000;
const PLAIN_FILE: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

fn too_large(what: &str, bytes: usize, max: usize) -> Problem {
    Problem::too_large(format!("{what} of {bytes} bytes is over the limit of {max}"))
}

fn refused(why: String) -> Problem {
    Problem::unprocessable("bad_package", why)
}

fn bad_zip(why: String) -> Problem {
    Problem::unprocessable("bad_zip", why)
}

/// A name from outside, short and printable.
fn excerpt(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_default).collect()
}
